// Scores of generated samples by their definitions.
import { expect, test } from 'vitest';
import { ones, tensor } from '../index.js';
import { classScores } from './index.js';

test('sure and even: as many classes as there are', async () => {
  const p = [0, 1, 2, 3].map((c) => [0, 1, 2, 3].map((k) => (k === c ? 0.97 : 0.01)));
  const { sure, confidence, counts, classes, entropy, score } = await classScores(tensor(p));
  expect([sure, classes, counts]).toEqual([1, 4, [1, 1, 1, 1]]);
  expect(confidence).toBeCloseTo(0.97, 6);
  expect(entropy).toBeCloseTo(Math.log(4), 6);
  const own = -(0.97 * Math.log(0.97) + 3 * 0.01 * Math.log(0.01));
  expect(score).toBeCloseTo(4 / Math.exp(own), 5);
});

test('unsure, or all alike: a score of 1', async () => {
  const even = await classScores(ones([5, 4]).div(4));
  expect(even).toMatchObject({ sure: 0, classes: 1, counts: [5, 0, 0, 0] });
  expect(even.score).toBeCloseTo(1, 6);
  const same = await classScores(
    tensor([
      [0, 1],
      [0, 1],
    ]),
    { threshold: 1 },
  );
  expect(same).toMatchObject({ sure: 1, classes: 1, entropy: -0, counts: [0, 2] });
  expect(same.score).toBeCloseTo(1, 6);
});

test('what is no probability is refused', async () => {
  await expect(classScores(tensor([[2, 3]]))).rejects.toThrow(
    'classScores: row 0 adds up to 5, not to 1. Call softmax(1) first.',
  );
  await expect(classScores(tensor([0.5, 0.5]) as never)).rejects.toThrow('classScores: probabilities [2]: need [N, C]');
  await expect(classScores(ones([1, 1]), { threshold: 2 })).rejects.toThrow('classScores: threshold is 2.');
  await expect(classScores(ones([1, 1]), { treshold: 1 } as never)).rejects.toThrow('threshold');
});
