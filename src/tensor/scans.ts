// Running results along an axis for combinations other than sums, on graph nodes, as compositions: within blocks each step joins every
// element with the one 1, 2, 4, … before it (Hillis and Steele 1986), then the totals of the blocks are scanned the same way and joined in.
// Some five walks over memory, whatever the length.

import * as build from '../engine/ir/build.js';
import type { Node } from '../engine/ir/node.js';
import { normalizeDim } from '../engine/ir/shape.js';
import { asNumber } from './operands.js';

/** What two stretches that follow one another give together; several nodes are one value. Associative. */
export type Combine = (before: readonly Node[], after: readonly Node[]) => readonly Node[];

const BLOCK = 16;

/** At each position of the axis, all up to it combined. */
export function scan(parts: readonly Node[], axis: number, combine: Combine): readonly Node[] {
  const n = parts[0].shape[axis] ?? 1;
  if (n > 2 * BLOCK && parts[0].size > 0) return scanBlocks(parts, axis, combine);
  let done = parts;
  for (let step = 1; step < n; step *= 2) {
    const before = done.map((part) => build.sliceAxis(part, axis, 0, n - step));
    const after = done.map((part) => build.sliceAxis(part, axis, step, n));
    const joined = combine(before, after);
    done = done.map((part, i) => build.concat([build.sliceAxis(part, axis, 0, step), joined[i]], axis));
  }
  return done;
}

function scanBlocks(parts: readonly Node[], axis: number, combine: Combine): readonly Node[] {
  const { shape } = parts[0];
  const n = shape[axis];
  const count = Math.ceil(n / BLOCK);
  const apart = [...shape.slice(0, axis), count, BLOCK, ...shape.slice(axis + 1)];
  const behind = shape.map((_, i) => (i === axis ? count * BLOCK - n : 0));
  // What is put in behind the last element comes before none.
  const blocks = parts.map((part) =>
    build.reshape(
      build.pad(
        part,
        shape.map(() => 0),
        behind,
      ),
      apart,
    ),
  );
  const inner = scan(blocks, axis + 1, combine);
  const totals = inner.map((part) =>
    build.reshape(build.sliceAxis(part, axis + 1, BLOCK - 1, BLOCK), shape.with(axis, count)),
  );
  const outer = scan(totals, axis, combine);
  const later = apart.with(axis, count - 1);
  const before = outer.map((part) =>
    build.expand(build.reshape(build.sliceAxis(part, axis, 0, count - 1), later.with(axis + 1, 1)), later),
  );
  const after = combine(
    before,
    inner.map((part) => build.sliceAxis(part, axis, 1, count)),
  );
  return inner.map((part, i) => {
    const whole = build.concat([build.sliceAxis(part, axis, 0, 1), after[i]], axis);
    return build.sliceAxis(build.reshape(whole, shape.with(axis, count * BLOCK)), axis, 0, n);
  });
}

export function cumprod(x: Node, dim: number): Node {
  const axis = normalizeDim(dim, x.shape.length, 'cumprod');
  return scan([asNumber(x)], axis, ([a], [b]) => [build.mul(a, b)])[0];
}
