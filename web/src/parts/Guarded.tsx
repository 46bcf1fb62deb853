/** Keeps what cannot be drawn from taking the page with it: an answer of another version, a fault of ours. Said on the page and in the console; tried again by whoever sees it. */
import type { ComponentChildren } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { Button } from './Button';

export function Guarded({ children }: { readonly children: ComponentChildren }) {
  const boundary = useErrorBoundary((found: unknown) => console.error(found));
  const [error, again] = boundary as [unknown, () => void];
  if (error === undefined) return <>{children}</>;
  return (
    <main>
      <h1>This cannot be shown</h1>
      <p>What the server answered is not what this page knows. If both are not of one version, reload the page.</p>
      <Button onClick={again}>Try again</Button>
    </main>
  );
}
