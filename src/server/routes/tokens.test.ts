/** `/api/v1/tokens` and `/api/v1/sign` (D3, D7): what the audit log says of them (A1). */
import { expect, it } from 'vitest';
import { openTestApp } from '../testApp.js';

it('A1: the audit log says which token was made, and what was signed; a token that is taken for an id is not in it', async () => {
  await using at = await openTestApp({ yaml: 'auth: { enabled: true }\n' });
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
  const admin = bearer(at.door.tokens.make({ scopes: ['admin'] }));
  const payload = { name: 'lobby', scopes: ['playback'] };
  const made = await at.inject({ method: 'POST', url: '/api/v1/tokens', payload, headers: admin });
  const { id, token } = made.json<{ id: string; token: string }>();
  await at.inject({ method: 'POST', url: '/api/v1/sign', payload: { stream: 'sport/*', expires_in: 60 }, headers: admin });
  const refused = await at.inject({ method: 'DELETE', url: `/api/v1/tokens/${token}`, headers: bearer(token) });
  expect(refused.statusCode).toBe(403);
  expect(at.door.actions.map(({ operation, target, status }) => [operation, target, status])).toEqual([
    ['makeToken', id, 201],
    ['signLink', 'sport/*', 200],
    ['revokeToken', `lt_${id}_***`, 403],
  ]);
});
