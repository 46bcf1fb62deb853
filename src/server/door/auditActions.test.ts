/** What the audit log says of actions (A1). */
import { expect, it } from 'vitest';
import { openTestApp } from '../testApp.js';

it('A1: names of what was changed, whatever else a body holds and however deep', async () => {
  await using test = await openTestApp({ yaml: 'streams: { news: {} }' });
  const depth = 9000;
  const deep = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  const answer = await test.inject({
    method: 'PUT',
    url: '/api/v1/streams/news',
    headers: { 'content-type': 'application/json' },
    payload: `{"title":"The secret","dvr":{"retention_sec":60},"status":${deep}}`,
  });
  expect(answer.statusCode).toBe(200);
  expect(test.door.actions).toEqual([
    expect.objectContaining({ operation: 'putStream', target: 'news', status: 200, changed: ['title', 'dvr.retention_sec', 'status.a'] }),
  ]);
});
