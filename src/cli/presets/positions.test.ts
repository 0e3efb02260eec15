import { expect, test } from 'vitest';
import { positionsInTurn } from './positions.js';

test('all positions, so many at once', () => {
  expect([...positionsInTurn(5, 2)]).toEqual([[0, 1], [2, 3], [4]]);
  expect([...positionsInTurn(4, 4)]).toEqual([[0, 1, 2, 3]]);
  expect([...positionsInTurn(0, 2)]).toEqual([]);
});
