/** Where in a form an error of the server belongs. Pure. */
import { sentence, type ApiError } from '../api';

/** What is wrong, by field; what belongs to none is `form`. */
export type FormErrors<F extends string> = Partial<Record<F | 'form', string>>;

/**
 * The error by field. `body.dvr.retention_sec: …; body.source: …` (REQUEST_INVALID) names fields by their last part; other codes belong to the field that
 * `codes` says.
 */
export function formErrors<F extends string>(
  error: ApiError,
  fields: readonly F[],
  codes: Readonly<Partial<Record<string, F>>> = {},
): FormErrors<F> {
  const field = codes[error.code];
  if (field !== undefined) return { [field]: sentence(error.message) } as FormErrors<F>;
  const found: FormErrors<F> = {};
  const rest: string[] = [];
  for (const part of error.message.split(/; (?=body[.:])/)) {
    const [, path = '', said = ''] = /^body\.([\w.]+): (.*)$/s.exec(part) ?? [];
    const named = path
      .split('.')
      .reverse()
      .map((word) => fields.find((name) => name === word))
      .find((name) => name !== undefined);
    if (named === undefined) rest.push(part);
    else (found as Record<string, string>)[named] ??= sentence(said);
  }
  if (rest.length > 0) found.form = sentence(rest.join('; '));
  return found;
}
