/** Disks: what lies on each, how fast it is written, and when it will be full. */
import type { System } from '../../api';
import { zone } from '../../state/settings';
import { bitrateText, bytesText, countText } from '../../time/format';
import { diskParts, forecastOf } from './diskText';

type Disk = System['disks'][number];

export function Disks({ disks, nowMs }: { readonly disks: readonly Disk[]; readonly nowMs: number }) {
  return (
    <section aria-labelledby="disks">
      <h2 id="disks">Disks</h2>
      {disks.length === 0 && <p class="quiet">No disk is recorded on.</p>}
      <ul class="cards">
        {disks.map((disk) => (
          <li key={disk.name} class="panel card">
            <DiskCard disk={disk} nowMs={nowMs} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function DiskCard({ disk, nowMs }: { readonly disk: Disk; readonly nowMs: number }) {
  const { tone, text } = forecastOf(disk, nowMs, zone.value);
  const parts = diskParts(disk);
  const used = disk.total_bytes - disk.free_bytes;
  return (
    <>
      <h3 class="split">
        <span class="mono">{disk.name}</span>
        <span class="quiet">{disk.streams === 1 ? '1 stream' : `${countText(disk.streams)} streams`}</span>
      </h3>
      {parts && (
        <div class="disk-bar" role="img" aria-label={`${Math.round((parts.archive + parts.other) * 100)} % used`}>
          {(['archive', 'other', 'free', 'reserved'] as const).map((part) => (
            <span key={part} class={part} style={{ flexGrow: parts[part] }} />
          ))}
        </div>
      )}
      <dl class="facts">
        <Part kind="archive" name="Recordings" bytes={disk.archive_bytes} />
        {parts && <Part kind="other" name="Other files" bytes={Math.max(0, used - disk.archive_bytes)} />}
        <Part kind="free" name="Free" bytes={disk.free_bytes} more={parts && `of ${bytesText(disk.total_bytes)}`} />
        {disk.reserved_bytes > 0 && <Part kind="reserved" name="To stay free" bytes={disk.reserved_bytes} />}
        <div>
          <dt>Written</dt>
          <dd class="number">
            {bytesText(disk.write_bytes_per_sec * 86_400)} a day <span class="quiet">({bitrateText(disk.write_bytes_per_sec * 8)})</span>
          </dd>
        </div>
      </dl>
      <p class={`state ${tone}`}>
        <span>{text}</span>
      </p>
    </>
  );
}

interface PartProps {
  readonly kind: string;
  readonly name: string;
  readonly bytes: number;
  readonly more?: string | undefined;
}

function Part({ kind, name, bytes, more }: PartProps) {
  return (
    <div>
      <dt>
        <span class={`swatch ${kind}`} />
        {name}
      </dt>
      <dd class="number">
        {bytesText(bytes)}
        {more !== undefined && <span class="quiet"> {more}</span>}
      </dd>
    </div>
  );
}
