/** What was found in a source, or how far it is with looking: programs with their tracks, errors, and what is worth knowing before it is saved (G5). */
import { TriangleAlert } from 'lucide';
import { useEffect, useState } from 'preact/hooks';
import { sentence, type ProbeReport } from '../api';
import { Icon } from '../parts/Icon';
import { bitrateText } from '../time/format';
import { codecText, errorsText, recordedPrograms, trackText, warnings } from './findings';
import type { Probe } from './useProbe';

/** A source is looked at for so long at most. */
const LOOK_SEC = 8;

interface ProbePanelProps {
  readonly probe: Probe;
  /** Seconds, as the form says. */
  readonly segmentSec: number;
}

export function ProbePanel({ probe, segmentSec }: ProbePanelProps) {
  return (
    <div class="probe" role="status">
      {probe.state === 'looking' && <Looking sinceMs={probe.sinceMs} />}
      {probe.state === 'failed' && (
        <p class="note">
          <Icon of={TriangleAlert} />
          <span>
            {sentence(probe.message)}
            {!probe.isRefused && ' It can be saved all the same: the server goes on trying to connect.'}
          </span>
        </p>
      )}
      {probe.state === 'seen' && <Seen report={probe.report} source={probe.source} segmentSec={segmentSec} />}
    </div>
  );
}

function Looking({ sinceMs }: { readonly sinceMs: number }) {
  const [sec, setSec] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSec((performance.now() - sinceMs) / 1000), 250);
    return () => clearInterval(timer);
  }, [sinceMs]);
  return (
    <>
      <p>Looking at it, for 2 to {LOOK_SEC} seconds …</p>
      <progress max={LOOK_SEC} value={Math.min(LOOK_SEC - 0.5, sec)} aria-label="Looking at the source" />
    </>
  );
}

function Seen({ report, source, segmentSec }: { readonly report: ProbeReport; readonly source: string; readonly segmentSec: number }) {
  const recorded = recordedPrograms(report, source);
  const several = report.programs.length > 1;
  const errors = errorsText(report.errors);
  const seconds = Number(report.duration_sec.toFixed(1));
  return (
    <>
      <p>
        <strong>{report.bitrate === null ? 'It answers' : bitrateText(report.bitrate)}</strong>
        {report.detail === '' ? '' : `, ${report.detail}`}; {errors === '' ? `no errors in ${seconds} s` : `${errors} in ${seconds} s`}.
      </p>
      <ul class="programs">
        {report.programs.map((program) => (
          <li key={program.number}>
            {several && (
              <h3>
                Program {program.number}
                {recorded.includes(program) && <span class="tag">recorded</span>}
              </h3>
            )}
            <ul>
              {program.tracks.map((track) => (
                <li key={track.pid}>
                  <span class="role">{track.role}</span>
                  <span>
                    <strong>{codecText(track.codec)}</strong>
                    {['', trackText(track)].filter((text, i) => i === 0 || text !== '').join(' · ')}
                  </span>
                </li>
              ))}
              {program.tracks.length === 0 && <li class="quiet">no track was seen</li>}
            </ul>
          </li>
        ))}
      </ul>
      {several && (
        <p class="hint">
          Another program is recorded with <code>program=NUMBER</code> in the source’s query, all of them with <code>program=all</code>.
        </p>
      )}
      {warnings(report, source, segmentSec).map((text) => (
        <p key={text} class="note">
          <Icon of={TriangleAlert} />
          <span>{text}</span>
        </p>
      ))}
    </>
  );
}
