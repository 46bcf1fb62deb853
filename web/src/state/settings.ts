/** What a person has chosen for this browser: kept in localStorage, where there is one. */
import { effect, signal, type Signal } from '@preact/signals';

function kept<T extends string>(name: string, choices: readonly [T, ...T[]]): Signal<T> {
  const key = `livetape.${name}`;
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(key);
  } catch {
    // a browser that keeps nothing
  }
  const chosen = signal<T>(choices.find((choice) => choice === stored) ?? choices[0]);
  effect(() => {
    const { value } = chosen;
    try {
      localStorage.setItem(key, value);
    } catch {
      // as above
    }
  });
  return chosen;
}

/** `system`: as the machine has it. */
export const theme = kept('theme', ['system', 'dark', 'light']);
/** In which zone times are shown. */
export const zone = kept('zone', ['local', 'utc']);

effect(() => {
  if (theme.value === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme.value;
});
