// The order in which einsum multiplies, by the sizes of what it makes on the way, and what it says. Values: test/composed.test.ts.
import { describe, expect, test } from 'vitest';
import { type Tensor, einsum, multiDot, rand, zeros } from '../index.js';
import type { Node } from '../engine/ir/node.js';

/** The sizes of all matrix products below a result. */
function products(t: Tensor): number[] {
  const found = new Set<Node>();
  const visit = (node: Node): void => {
    if (found.has(node)) return;
    found.add(node);
    node.src.forEach(visit);
  };
  visit(t.node);
  return [...found].filter(({ op }) => op === 'matmul').map(({ size }) => size);
}

describe('the cheapest order', () => {
  const [n, k] = [64, 3];

  test('a chain ends in a vector: no product of two matrices', () => {
    const y = einsum('ij,jk,kl,l->i', rand([n, n]), rand([n, n]), rand([n, n]), rand([n]));
    expect(products(y)).toEqual([n, n, n]);
  });

  test('through the narrow dimension', () => {
    const y = einsum('ab,bc,cd->ad', rand([n, k]), rand([k, n]), rand([n, k]));
    expect(products(y).sort((a, b) => a - b)).toEqual([k * k, n * k]);
    const chain = multiDot([rand([n, k]), rand([k, n]), rand([n, k])]);
    expect(products(chain as Tensor).sort((a, b) => a - b)).toEqual([k * k, n * k]);
  });

  test('of more than eight operands, too', () => {
    const letters = 'abcdefghijkl';
    const matrices = Array.from({ length: 10 }, () => rand([n, n]));
    const equation = matrices.map((_, i) => `${letters[i]}${letters[i + 1]}`).join(',');
    const y = einsum(`${equation},k->a`, ...matrices, rand([n]));
    expect(Math.max(...products(y))).toBeLessThanOrEqual(n);
  });
});

test('what does not fit is said', () => {
  const [a, b] = [zeros([2, 3]), zeros([4, 5])];
  const wrong: [() => unknown, string][] = [
    [() => einsum('ij,jk->ik', a, b), "einsum: [2, 3] x [4, 5]: 'j' is 3 and 4"],
    [() => einsum('ii', a), "einsum: operand 0 [2, 3]: 'i' is 2 and 3"],
    [() => einsum('ijk', a), "einsum: operand 0 [2, 3] has 2 dimensions, 'ijk' names 3"],
    [
      () => einsum('ij,jk', a),
      "einsum: 'ij,jk' names 2 operands, there are 1. Pass them behind it: einsum('ij,jk', a, b).",
    ],
    [() => einsum('ij->ii', a), "einsum: the result of 'ij->ii' names 'i' twice."],
    [() => einsum('ij->k', a), "einsum: the result of 'ij->k' names 'k', which no operand has."],
    [() => einsum('i1', a), "einsum: '1' in 'i1' is neither a letter nor '...'."],
    [
      () => einsum('...ij,...jk', zeros([2, 1, 1]), zeros([3, 1, 1])),
      "einsum: [2, 1, 1] x [3, 1, 1]: a dimension of '...' is 2 and 3",
    ],
  ];
  for (const [run, message] of wrong) expect(run).toThrow(message);
});
