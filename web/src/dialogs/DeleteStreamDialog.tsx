/**
 * Asks before a stream is taken away, or what is recorded of it, or both, and says how much media goes or stays (docs/design/page.md, G5). Deleting a stream takes away no
 * media unless that is asked for; of what is an archive alone it is the media that goes.
 */
import { useState } from 'preact/hooks';
import { api, ApiError, type ArchiveLine, type Stream } from '../api';
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
  const [isWished, setWished] = useState(!status.configured);
  const takesMedia = isWished && !isEmpty;

  const remove = async (): Promise<void> => {
    // The media first: where it lies is known by the stream. What fails in between leaves a stream that is stopped.
    if (takesMedia) await deleteMedia(stream);
    if (status.configured) await api.deleteStream(code);
    await streams.refresh();
    sayDone(
      !status.configured
        ? `The archive of ${code} is deleted.`
        : takesMedia || isEmpty
          ? `${code} is deleted.`
          : `${code} is deleted; its archive stays.`,
    );
    onDeleted();
  };

  return (
    <ConfirmDialog
      title={status.configured ? `Delete ${code}?` : `Delete the archive of ${code}?`}
      action={!status.configured ? 'Delete the archive' : takesMedia ? 'Delete the stream and its archive' : 'Delete the stream'}
      onClose={onClose}
      onConfirm={remove}
    >
      {status.configured && (
        <p>
          It is taken out of the server’s configuration{status.recording === null ? '' : ', and its recording ends now'}.{' '}
          {isEmpty && 'Nothing of it is recorded, so nothing stays.'}
        </p>
      )}
      {status.configured && !isEmpty && (
        <label class="check">
          <input type="checkbox" checked={isWished} onChange={({ currentTarget }) => setWished(currentTarget.checked)} />
          Delete its archive, too{heldText(archive)}
        </label>
      )}
      {takesMedia ? (
        <p>
          <strong>The media goes for good{heldText(archive)}.</strong> What is kept under a name stays.
        </p>
      ) : (
        !isEmpty && (
          <p class="hint">
            The archive stays on the disk, can still be played, and is listed here until it is deleted. A stream added again under the code{' '}
            {code} goes on recording in it.
          </p>
        )
      )}
    </ConfirmDialog>
  );
}

/** From the oldest to the newest, gaps and all: how much of it is media no answer says at once. */
function heldText(archive: ArchiveLine | undefined): string {
  if (!archive?.dvr_range) return '';
  const { dvr_range: range, total_size_bytes: bytes } = archive;
  return `: ${lengthText(Date.parse(range.last_segment_at) - Date.parse(range.started_at))}, ${bytesText(bytes)}`;
}

async function deleteMedia({ code, status }: Stream): Promise<void> {
  if (status.recording !== null) await api.stopStream(code);
  try {
    await api.deleteArchive(code);
  } catch (error) {
    // Stopped before its first segment.
    if (!(error instanceof ApiError) || error.code !== 'STREAM_NOT_FOUND') throw error;
  }
}
