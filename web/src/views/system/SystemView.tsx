/** How the server does, for its admins: what is wrong first, then disks, processes, who may come in, and who is told (docs/design/page.md). */
import { CircleCheck, TriangleAlert } from 'lucide';
import { api, type System } from '../../api';
import { Icon } from '../../parts/Icon';
import { isGuarded, may } from '../../state/session';
import { Disks } from './Disks';
import { Hooks } from './Hooks';
import { usePolled } from './polled';
import { Processes } from './Processes';
import './SystemView.css';
import { Tokens } from './Tokens';

export function SystemView() {
  if (!may('admin')) {
    return (
      <main>
        <h1>System</h1>
        <p>This view is for admins: it takes a token with the scope admin.</p>
      </main>
    );
  }
  return <Inside />;
}

function Inside() {
  const system = usePolled(api.system);
  const { value } = system;
  // The server's clock as it answered: what it says is told by it.
  const nowMs = value === undefined ? 0 : Date.parse(value.now);
  return (
    <main class="system" aria-busy={value === undefined && system.error === undefined}>
      <h1>System</h1>
      {system.error !== undefined && (
        <p class="wrong" role="alert">
          {value === undefined ? 'How the server does is not known' : 'What is shown may be old'}: {system.error}
        </p>
      )}
      {value && (
        <>
          <Problems problems={value.problems} />
          <Disks disks={value.disks} nowMs={nowMs} />
          <Processes system={value} nowMs={nowMs} />
        </>
      )}
      <Tokens isGuarded={value?.auth ?? isGuarded.value} />
      <Hooks />
      <nav class="system-links" aria-label="More about this server">
        <a href="/docs">The HTTP interface</a>
        {isGuarded.value ? (
          <span class="quiet">
            Metrics: <code>/metrics</code>, for a scraper with a token
          </span>
        ) : (
          <a href="/metrics">Metrics</a>
        )}
        <a href="/licenses.md">Licences of what this page is made of</a>
      </nav>
    </main>
  );
}

const WHAT = { stream: 'Stream', recorder: 'Recorder', disk: 'Disk', config: 'Configuration', tls: 'TLS' } as const;

function Problems({ problems }: { readonly problems: System['problems'] }) {
  return (
    <section aria-labelledby="problems">
      <h2 id="problems" class="unseen">
        Problems
      </h2>
      <div role="status">
        {problems.length === 0 ? (
          <p class="panel well">
            <Icon of={CircleCheck} /> All is well.
          </p>
        ) : (
          <ul class="panel problems">
            {problems.map(({ what, name, message }) => (
              <li key={`${what} ${name} ${message}`}>
                <Icon of={TriangleAlert} />
                <span>
                  <strong>
                    {WHAT[what]} {what === 'stream' ? <a href={`#/s/${name}`}>{name}</a> : name}
                  </strong>
                  : {message}
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}
