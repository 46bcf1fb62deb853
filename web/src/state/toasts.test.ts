import { expect, it } from 'vitest';
import { ApiError } from '../api';
import { sayError, toasts } from './toasts';

it('G11: says why something did not go, but for what brings the way in, which says it itself', () => {
  sayError(new ApiError('UNAUTHORIZED', 'the credential is not known', 401));
  expect(toasts.value).toEqual([]);
  sayError(new ApiError('FORBIDDEN', 'it takes the scope api', 403));
  expect(toasts.value).toMatchObject([{ kind: 'error', text: 'It takes the scope api.' }]);
});
