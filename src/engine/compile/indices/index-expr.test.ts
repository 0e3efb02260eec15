// Symbolic indices against plain arithmetic: whatever is simplified has the same value everywhere.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as I from './index-expr.js';

/** The value of an index where the axes have these values. */
function evaluate(x: I.Index, at: ReadonlyMap<I.Axis, number>): number {
  let sum = x.constant;
  for (const { atom, coefficient } of x.terms) {
    let value: number;
    if (atom.kind === 'axis') value = at.get(atom) as number;
    else if (atom.kind === 'dynamic') throw new Error('a run-time value');
    else {
      const inner = evaluate(atom.x, at);
      value = atom.kind === 'div' ? Math.floor(inner / atom.by) : ((inner % atom.by) + atom.by) % atom.by;
    }
    sum += coefficient * value;
  }
  return sum;
}

test('flatten undoes unflatten, in symbols, also with a lane and an offset', () => {
  const [p, lane] = [I.newAxis(18), I.newAxis(16)];
  const n = I.addIndex(I.addConstant(I.scaleIndex(I.atomIndex(p), 32), 16), I.atomIndex(lane));
  for (const shape of [[64, 3, 3], [64, 9], [8, 8, 9], [4, 2, 2, 36], [576]]) {
    expect(I.flatten(I.unflatten(n, shape), shape).key).toBe(n.key);
  }
});

test('indices of reshapes, slices and flips keep their values and stay in their ranges', () => {
  const size = fc.integer({ min: 1, max: 7 });
  const shapes = fc.array(size, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(shapes, fc.array(fc.nat(6), { minLength: 1, maxLength: 6 }), (shape, choices) => {
      const axes = shape.map((n) => I.newAxis(n));
      let index: I.Index[] = axes.map((a) => I.atomIndex(a));
      let current = [...shape];
      for (const choice of choices) {
        const count = current.reduce((a, b) => a * b, 1);
        if (choice < 3) {
          const divisor = [2, 3, 5].find((d, i) => i >= choice && count % d === 0) ?? 1;
          const next = [divisor, count / divisor];
          index = I.unflatten(I.flatten(index, current), next);
          current = next;
        } else if (choice < 5) {
          const d = choice % current.length; // flip
          index = index.map((x, i) => (i === d ? I.addConstant(I.scaleIndex(x, -1), current[i] - 1) : x));
        } else index = index.map((x, i) => (i === 0 ? I.modIndex(I.addConstant(x, 1), current[0]) : x)); // roll
      }
      const plain = (at: ReadonlyMap<I.Axis, number>): number[] => {
        let position = axes.map((a) => at.get(a) as number);
        let sizes = [...shape];
        for (const choice of choices) {
          const count = sizes.reduce((a, b) => a * b, 1);
          if (choice < 3) {
            const divisor = [2, 3, 5].find((d, i) => i >= choice && count % d === 0) ?? 1;
            const flat = position.reduce((sum, p, i) => sum * sizes[i] + p, 0);
            sizes = [divisor, count / divisor];
            position = [Math.floor(flat / sizes[1]), flat % sizes[1]];
          } else if (choice < 5) {
            const d = choice % sizes.length;
            position = position.map((p, i) => (i === d ? sizes[i] - 1 - p : p));
          } else position = position.map((p, i) => (i === 0 ? (p + 1) % sizes[0] : p));
        }
        return position;
      };
      const total = shape.reduce((a, b) => a * b, 1);
      for (let flat = 0; flat < total; flat++) {
        let rest = flat;
        const at = new Map<I.Axis, number>();
        for (let i = axes.length - 1; i >= 0; i--) {
          at.set(axes[i], rest % shape[i]);
          rest = Math.floor(rest / shape[i]);
        }
        const values = index.map((x) => evaluate(x, at));
        expect(values.map((v) => v + 0)).toEqual(plain(at));
        index.forEach((x, i) => {
          expect(values[i]).toBeGreaterThanOrEqual(x.min);
          expect(values[i]).toBeLessThanOrEqual(x.max);
        });
      }
    }),
    { numRuns: 500 },
  );
});
