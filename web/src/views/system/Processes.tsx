/** The processes: the server itself, and those that record. */
import type { Delay, System } from '../../api';
import { bytesText, countText, lengthText } from '../../time/format';

const STATES = {
  running: { tone: 'ok', word: 'Running' },
  starting: { tone: 'waiting', word: 'Starting' },
  lost: { tone: 'bad', word: 'Not running' },
} as const;

/** A stall of that much costs datagrams with the kernel's usual buffers (docs/design/server.md). */
const STALL_SEC = 0.2;

export function Processes({ system, nowMs }: { readonly system: System; readonly nowMs: number }) {
  const { server, recorders } = system;
  return (
    <section aria-labelledby="processes">
      <h2 id="processes">Processes</h2>
      <ul class="cards">
        <li class="panel card">
          <h3>Server</h3>
          <dl class="facts">
            <Fact name="Version">Livetape {system.version}</Fact>
            <Fact name="Node">{system.node}</Fact>
            <Fact name="Running for">{lengthText(nowMs - Date.parse(system.started_at))}</Fact>
            <Fact name="Archives in">
              <code class="path">{system.data}</code>
            </Fact>
            <Usage resident={server.resident_bytes} cpuSec={server.cpu_sec} delay={server.event_loop_delay} />
          </dl>
        </li>
        {recorders.map((recorder) => {
          const { tone, word } = STATES[recorder.state];
          return (
            <li key={recorder.index} class="panel card">
              <h3 class="split">
                <span>Recorder {recorder.index}</span>
                <span class={`state ${tone}`}>{word}</span>
              </h3>
              <dl class="facts">
                <Fact name="Streams">{countText(recorder.streams)}</Fact>
                <Fact name="Process">{recorder.pid ?? '–'}</Fact>
                <Fact name="Running for">{recorder.started_at === null ? '–' : lengthText(nowMs - Date.parse(recorder.started_at))}</Fact>
                <Fact name="Started again">
                  {recorder.restarts === 1 ? 'once' : recorder.restarts === 0 ? 'never' : `${countText(recorder.restarts)} times`}
                </Fact>
                {recorder.pid !== null && (
                  <Usage resident={recorder.resident_bytes} cpuSec={recorder.cpu_sec} delay={recorder.event_loop_delay} />
                )}
              </dl>
            </li>
          );
        })}
      </ul>
      {recorders.length === 0 && <p class="quiet">No recorder: this server plays what others record.</p>}
    </section>
  );
}

interface UsageProps {
  readonly resident: number;
  readonly cpuSec: number;
  readonly delay: Delay;
}

function Usage({ resident, cpuSec, delay }: UsageProps) {
  return (
    <>
      <Fact name="Memory">{bytesText(resident)}</Fact>
      <Fact name="Processor time">{lengthText(cpuSec * 1000)}</Fact>
      <Fact name="Event loop delay">
        {millisText(delay.p99_sec)}{' '}
        <span class="quiet">
          (<abbr title="99 of 100 times it was no more">p99</abbr>; {millisText(delay.max_sec)} at worst)
        </span>
        {delay.p99_sec >= STALL_SEC && <strong class="wrong"> too busy</strong>}
      </Fact>
    </>
  );
}

const millisText = (sec: number): string => (sec < 0.0995 ? `${Number((sec * 1000).toPrecision(2))} ms` : `${Math.round(sec * 1000)} ms`);

function Fact({ name, children }: { readonly name: string; readonly children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="number">{children}</dd>
    </div>
  );
}
