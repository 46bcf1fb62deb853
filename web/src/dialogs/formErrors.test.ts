/** Errors of the server at the fields that they are about (G5). */
import { describe, expect, it } from 'vitest';
import { ApiError } from '../api';
import { formErrors } from './formErrors';
import { STREAM_ERROR_FIELDS, STREAM_FIELDS } from './streamForm';

const of = (code: string, message: string): unknown => formErrors(new ApiError(code, message, 400), STREAM_FIELDS, STREAM_ERROR_FIELDS);

describe('G5: an error belongs to a field', () => {
  it.each([
    ['SOURCE_INVALID', 'source udp://x: it has no port', { source: 'Source udp://x: it has no port.' }],
    ['STREAM_CODE_TAKEN', 'taken', { code: 'Taken.' }],
    ['REQUEST_INVALID', 'body.dvr.retention_sec: too big; a lot', { retention_sec: 'Too big; a lot.' }],
    ['REQUEST_INVALID', 'body.title: too long; body.dvr.max_size_gb: too big', { title: 'Too long.', max_size_gb: 'Too big.' }],
    ['REQUEST_INVALID', 'body.dvr.storage_path: no', { form: 'Body.dvr.storage_path: no.' }],
    ['REQUEST_INVALID', 'body: no', { form: 'Body: no.' }],
    ['CONFIG_INVALID', 'livetape.yaml is wrong', { form: 'Livetape.yaml is wrong.' }],
    ['UNREACHABLE', 'The server does not answer.', { form: 'The server does not answer.' }],
  ])('%s %j', (code, message, found) => expect(of(code, message)).toEqual(found));
});
