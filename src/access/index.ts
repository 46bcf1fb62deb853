/** access: who may do what; credentials and what they open. Knows nothing of HTTP's side of it (server/door). */
export {
  ANONYMOUS,
  coversPattern,
  hasScope,
  LOCAL,
  matchesAny,
  opensStream,
  SCOPES,
  type Grant,
  type Scope,
  type Window,
} from './grant.js';
export type {
  Authorizer,
  AuthorizerQuestion,
  SignedClaims,
  SignedTokens,
  TokenRecord,
  TokenRequest,
  TokenStore,
  Verdict,
} from './contract.js';
export { openAuthorizer, type AuthorizerOptions } from './authorizer.js';
export { openSigningKey, type SigningKey } from './keys.js';
export { patternSchema } from './pattern.js';
export { openSignedTokens, type SignedTokensOptions } from './signed.js';
export { openTokenStore, type TokenStoreOptions } from './tokens.js';
