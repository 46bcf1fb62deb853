/** The windows of a stream that are kept for good: jump to one, remove one. */
import { useSignal, type ReadonlySignal } from '@preact/signals';
import { Archive, Trash2 } from 'lucide';
import { api, type Keep } from '../../api';
import { ConfirmDialog } from '../../dialogs';
import { Button } from '../../parts/Button';
import { Icon } from '../../parts/Icon';
import { zone } from '../../state/settings';
import { sayDone } from '../../state/toasts';
import { bytesText, lengthText, momentText } from '../../time/format';
import './Keeps.css';

interface KeepsProps {
  readonly code: string;
  readonly keeps: ReadonlySignal<readonly Keep[]>;
  onSeek(ms: number): void;
  /** One was removed. */
  onChanged(): void;
}

/** Nothing where nothing is kept. */
export function Keeps({ code, keeps, onSeek, onChanged }: KeepsProps) {
  const leaving = useSignal<Keep | undefined>(undefined);
  const asked = leaving.value;
  if (keeps.value.length === 0 && asked === undefined) return null;
  return (
    <section class="keeps panel" aria-label="Kept for good">
      <h2>Kept for good</h2>
      <ul>
        {keeps.value.map((keep) => (
          <li key={keep.name}>
            <KeepLine keep={keep} onSeek={onSeek} />
            <Button icon={Trash2} kind="plain" label={`Remove ${keep.name}`} onClick={() => (leaving.value = keep)} />
          </li>
        ))}
      </ul>
      {asked !== undefined && (
        <ConfirmDialog
          title={`Remove ${asked.name}?`}
          action="Remove"
          kind="danger"
          onClose={() => (leaving.value = undefined)}
          onConfirm={async () => {
            await api.removeKeep(code, asked.name);
            sayDone(`${asked.name} is removed.`);
            onChanged();
          }}
        >
          <p>
            {bytesText(asked.total_size_bytes)} that were kept for good are removed. What of them the stream’s archive still holds stays
            there as long as retention lets it.
          </p>
        </ConfirmDialog>
      )}
    </section>
  );
}

function KeepLine({ keep, onSeek }: { readonly keep: Keep; onSeek(ms: number): void }) {
  const { name, started_at: from, last_segment_at: to, total_size_bytes: size, damage } = keep;
  const fromMs = from === null ? undefined : Date.parse(from);
  const facts = [
    fromMs === undefined ? undefined : momentText(fromMs, zone.value),
    fromMs === undefined || to === null ? undefined : lengthText(Date.parse(to) - fromMs),
    bytesText(size),
  ].filter((fact) => fact !== undefined);
  return (
    <button
      type="button"
      class="keeps-item"
      disabled={fromMs === undefined}
      onClick={() => {
        if (fromMs !== undefined) onSeek(fromMs);
      }}
    >
      <Icon of={Archive} />
      <span>
        <span class="keeps-name">{name}</span>
        <span class="keeps-facts number">{facts.join(' · ')}</span>
        {damage !== null && <span class="keeps-facts wrong">It cannot be read: {damage}</span>}
      </span>
    </button>
  );
}
