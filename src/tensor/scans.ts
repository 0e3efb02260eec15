// Running results along an axis for combinations other than sums, on graph nodes, as compositions: within blocks each step joins every
// element with the one 1, 2, 4, … before it (Hillis and Steele 1986), then the totals of the blocks are scanned the same way and joined in.
// Some five walks over memory, whatever the length.

import { gradient } from '../engine/grad/backward.js';
import * as build from '../engine/ir/build.js';
import type { Node } from '../engine/ir/node.js';
import { normalizeDim } from '../engine/ir/shape.js';
import { asNumber } from './operands.js';
import { positions } from './reductions.js';

/**
 * What two stretches that follow one another give together; several nodes are one value. Associative. Labels belong to positions: those of
 * the last one of each stretch.
 */
export type Combine = (
  before: readonly Node[],
  after: readonly Node[],
  labelsBefore: readonly Node[],
  labelsAfter: readonly Node[],
) => readonly Node[];

const BLOCK = 16;

/** At each position of the axis, all up to it combined. */
export function scan(
  parts: readonly Node[],
  axis: number,
  combine: Combine,
  labels: readonly Node[] = [],
): readonly Node[] {
  return scanStored(parts.map(inMemory), axis, combine, labels.map(inMemory)).map((out) =>
    out.requiresGrad ? inMemory(out) : out,
  );
}

/**
 * The same numbers, computed once, and so is their gradient: a running sum of one term has memory of its own. Each element is read many
 * times, and what it is made of (a lookup, say) would be computed again each time.
 */
function inMemory(x: Node): Node {
  if (x.storage !== undefined || x.op === 'leaf' || x.size === 0) return x;
  return build.reshape(build.cumsum(build.reshape(x, [x.size, 1]), 1), x.shape);
}

function scanStored(parts: readonly Node[], axis: number, combine: Combine, labels: readonly Node[]): readonly Node[] {
  const n = parts[0].shape[axis] ?? 1;
  if (n > 2 * BLOCK && parts[0].size > 0) return scanBlocks(parts, axis, combine, labels);
  let done = parts;
  const place = positions(parts[0].shape.length, axis, n);
  for (let step = 1; step < n; step *= 2) {
    const lo = parts[0].shape.map((_, i) => (i === axis ? step : 0));
    const before = (part: Node): Node =>
      build.pad(
        build.sliceAxis(part, axis, 0, n - step),
        lo,
        lo.map(() => 0),
      );
    const joined = combine(done.map(before), done, labels.map(before), labels);
    const isJoined = build.binary('le', build.constant(step, 'int32') as Node, place);
    done = done.map((part, i) => build.where(isJoined, joined[i], part));
  }
  return done;
}

function scanBlocks(parts: readonly Node[], axis: number, combine: Combine, labels: readonly Node[]): readonly Node[] {
  const { shape } = parts[0];
  const n = shape[axis];
  const count = Math.ceil(n / BLOCK);
  const apart = [...shape.slice(0, axis), count, BLOCK, ...shape.slice(axis + 1)];
  const none = shape.map(() => 0);
  // What is put in behind the last element comes before none.
  const inBlocks = (part: Node): Node =>
    build.reshape(build.pad(part, none, none.with(axis, count * BLOCK - n)), apart);
  const lastOf = (part: Node): Node =>
    build.reshape(build.sliceAxis(part, axis + 1, BLOCK - 1, BLOCK), shape.with(axis, count));
  const blockLabels = labels.map(inBlocks);
  const inner = scanStored(parts.map(inBlocks), axis + 1, combine, blockLabels);
  const lastLabels = blockLabels.map(lastOf);
  const outer = scanStored(inner.map(lastOf), axis, combine, lastLabels);
  const later = apart.with(axis, count - 1);
  const before = (part: Node): Node =>
    build.expand(build.reshape(build.sliceAxis(part, axis, 0, count - 1), later.with(axis + 1, 1)), later);
  const rest = (part: Node): Node => build.sliceAxis(part, axis, 1, count);
  const after = combine(outer.map(before), inner.map(rest), lastLabels.map(before), blockLabels.map(rest));
  return inner.map((part, i) => {
    const whole = build.concat([build.sliceAxis(part, axis, 0, 1), after[i]], axis);
    return build.sliceAxis(build.reshape(whole, shape.with(axis, count * BLOCK)), axis, 0, n);
  });
}

/**
 * A running result of one walk over memory, and the gradient of the same scan as a composition: right with zeros among the factors and far
 * below the largest exponent, and differentiated again like any other.
 */
export function running(op: 'mul' | 'logaddexp', x: Node, axis: number, combine: (a: Node, b: Node) => Node): Node {
  const value = build.running(op, x, axis);
  if (!x.requiresGrad || x.shape.length === 0) return x.requiresGrad ? x : value;
  const backward = (g: unknown): (Node | null)[] => {
    const variable = build.variable(x);
    const [composed] = scan([variable], axis, ([a], [b]) => [combine(a, b)]);
    return [gradient([composed], [g as Node], [variable])[0] ?? null];
  };
  return build.custom(value, [x], { name: op === 'mul' ? 'cumprod' : 'logcumsumexp', backward });
}

export function cumprod(x: Node, dim: number): Node {
  return running('mul', asNumber(x), normalizeDim(dim, x.shape.length, 'cumprod'), build.mul);
}
