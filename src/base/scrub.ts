/**
 * The last net under what is logged (docs/design/door.md, D11): whatever a message, a stack or an error of somebody else's library holds, what looks like a credential is
 * not written. Nothing is to rely on it: who logs knows what may be logged.
 */

const HIDDEN = '***';

/** What is replaced by what. Each is one pass over the text, without backtracking into what was read. */
const RULES: readonly (readonly [RegExp, string])[] = [
  // a token of ours: whose it is may be told
  [/\b(lt_[A-Za-z0-9]{1,16}_)[A-Za-z0-9_-]+/g, `$1${HIDDEN}`],
  // a JWT, and what is base64 of `{"`
  [/\beyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){1,2}/g, HIDDEN],
  [/\bwhsec_[A-Za-z0-9+/=_-]+/g, `whsec_${HIDDEN}`],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]+/gi, `$1 ${HIDDEN}`],
  // user info of a URL
  [/(:\/\/)[^\s/?#@"'\\]+@/g, `$1${HIDDEN}@`],
  // a token in a path of ours (in the middle of one of this machine's `t` is a folder), or in a query
  [/((?:^|[\s"'(=]|:\/\/[^\s/"'\\]+)\/t\/)[^\s/"'\\]+(?=\/)/g, `$1${HIDDEN}`],
  [/([?&](?:[\w-]*token|secret|password|pass|pwd|auth|key|sign|signature)=)[^\s&#"'\\]+/gi, `$1${HIDDEN}`],
];

/** A text without what looks like a credential. */
export function scrub(text: string): string {
  return RULES.reduce((scrubbed, [pattern, instead]) => scrubbed.replace(pattern, instead), text);
}
