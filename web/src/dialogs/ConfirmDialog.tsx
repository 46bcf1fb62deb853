/** Asks before something is done that is not undone by a click. What went wrong is said in it; it closes when it is done. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { sentence } from '../api';
import { Button } from '../parts/Button';
import { Dialog } from '../parts/Dialog';
import './dialogs.css';

interface ConfirmDialogProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** What the button says: `Stop recording`. */
  readonly action: string;
  /** `danger` unless said. */
  readonly kind?: 'main' | 'danger';
  /** Does it; what it rejects with is shown. */
  onConfirm(): Promise<unknown>;
  onClose(): void;
}

export function ConfirmDialog({ title, children, action, kind = 'danger', onConfirm, onClose }: ConfirmDialogProps) {
  const [isRunning, setRunning] = useState(false);
  const [failure, setFailure] = useState<string>();
  const confirm = async (): Promise<void> => {
    setRunning(true);
    setFailure(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    } finally {
      setRunning(false);
    }
  };
  return (
    <Dialog title={title} class="confirm-dialog" onClose={onClose}>
      <div class="body">
        {children}
        {failure !== undefined && (
          <p class="wrong" role="alert">
            {sentence(failure)}
          </p>
        )}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind={kind} disabled={isRunning} onClick={() => void confirm()}>
            {action}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
