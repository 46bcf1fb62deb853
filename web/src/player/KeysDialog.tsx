/** The list of keys. */
import { Dialog } from '../parts/Dialog';
import { KEYS } from './keys';
import './KeysDialog.css';

export function KeysDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <div class="body">
        <dl class="keys-list">
          {KEYS.map(({ keys, what }) => (
            <div key={what}>
              <dt>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <p class="hint">While the timeline has the focus: arrows move the position, + and − zoom.</p>
      </div>
    </Dialog>
  );
}
