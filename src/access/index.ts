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
