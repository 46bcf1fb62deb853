/** Asks before a stream is taken away, and says what stays: deleting a stream takes away no media (docs/design/page.md, G5; docs/reference/http.md). */
import { api, type ArchiveLine, type Stream } from '../api';
import { streams } from '../state/streams';
import { sayDone } from '../state/toasts';
import { bytesText, lengthText } from '../time/format';
import { ConfirmDialog } from './ConfirmDialog';

interface DeleteStreamDialogProps {
  readonly stream: Stream;
  onClose(): void;
  onDeleted(): void;
}

export function DeleteStreamDialog({ stream, onClose, onDeleted }: DeleteStreamDialogProps) {
  const { code, status } = stream;
  const archive = streams.archive(code);
  // What is being recorded leaves something, whatever was known a moment ago.
  const isEmpty = archive !== undefined && archive.dvr_range === null && status.recording === null;
  return (
    <ConfirmDialog
      title={`Delete ${code}?`}
      action="Delete the stream"
      onClose={onClose}
      onConfirm={async () => {
        await api.deleteStream(code);
        await streams.refresh();
        sayDone(isEmpty ? `${code} is deleted.` : `${code} is deleted; its archive stays.`);
        onDeleted();
      }}
    >
      <p>
        It is taken out of the server’s configuration{status.recording === null ? '' : ', and its recording ends now'}.{' '}
        {isEmpty && 'Nothing of it is recorded, so nothing stays.'}
      </p>
      {!isEmpty && (
        <>
          <p>
            <strong>No media is deleted.</strong> {archive === undefined ? 'What is recorded' : heldText(archive)} stays on the disk, can
            still be played, and is listed here as an archive. It is kept from then on until somebody deletes it.
          </p>
          <p class="hint">A stream added again under the code {code} goes on recording in that archive.</p>
        </>
      )}
    </ConfirmDialog>
  );
}

/** From the oldest to the newest, gaps and all: how much of it is media no answer says at once. */
function heldText({ dvr_range: range, total_size_bytes: bytes }: ArchiveLine): string {
  if (range === null) return 'What is recorded';
  return `The archive, which reaches over ${lengthText(Date.parse(range.last_segment_at) - Date.parse(range.started_at))} and holds ${bytesText(bytes)},`;
}
