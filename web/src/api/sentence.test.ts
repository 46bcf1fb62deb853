import { expect, it } from 'vitest';
import { sentence } from './sentence';

it('what the server says is shown as a sentence', () => expect(['', 'a', 'a?', 'é…'].map(sentence)).toEqual(['.', 'A.', 'A?', 'É…']));
