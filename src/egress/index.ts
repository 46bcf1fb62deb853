/** egress: where the server connects to on behalf of those who are not its admin (docs/design/door.md, E1, E2). Imports `base` alone. */
export { EgressGuard, type EgressRules } from './guard.js';
