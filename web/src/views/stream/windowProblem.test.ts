import { expect, it } from 'vitest';
import { ApiError } from '../../api/client';
import { windowProblem } from './windowProblem';

it('G9: says what the server says, and what can be done', () => {
  expect(windowProblem(new ApiError('WINDOW_IN_GAP', 'nothing was recorded in the window', 404))).toBe(
    'Nothing was recorded in the window. Move a mark out of the gap.',
  );
  expect(windowProblem(new ApiError('SOMETHING_NEW', 'what is new.', 400))).toBe('What is new.');
  expect(windowProblem(new Error('broken'))).toBe('Broken.');
  expect(windowProblem('odd')).toBe('Odd.');
});
