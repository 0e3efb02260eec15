// Every contraction as one form: C[batch, m, n] = Σ_k A[batch, m, k] · B[batch, n, k], where m, n and k are lists of axes
// and A and B are elements of operands at an index (with conditions, where padding is read). Matrix products and the
// three directions of convolution differ only in this table; tiling (lower-contraction.ts) sees none of them.
// Patches of a convolution are never stored: B's index is the window arithmetic itself.

import { InternalError } from '../../ir/errors.js';
import { type Node, isOp } from '../../ir/node.js';
import type { ConvSpec } from '../../ir/op.js';
import { type Index, addConstant, addIndex, constantIndex, scaleIndex } from './index-expr.js';
import { type Guard, broadcastIndex } from './movement.js';

/** k is walked whole up to this length, else in blocks, with the sums so far in memory. */
export const WHOLE_K = 768;

export interface Element {
  readonly node: Node;
  readonly index: readonly Index[];
  readonly guards: readonly Guard[];
}

type Ix = readonly Index[];

export interface Contraction {
  readonly batch: readonly number[];
  readonly m: readonly number[];
  readonly n: readonly number[];
  readonly k: readonly number[];
  a(batch: Ix, m: Ix, k: Ix): Element;
  b(batch: Ix, n: Ix, k: Ix): Element;
  /** Index of the result's element. */
  place(batch: Ix, m: Ix, n: Ix): Index[];
}

/** One form for the whole result, or several that compute a part of it each. */
export function contractionsOf(node: Node): Contraction[] {
  if (node.op === 'matmul') return [matmulForm(node)];
  if (isOp(node, 'conv')) return [convForm(node)];
  if (isOp(node, 'convInput')) return isOneWindow(node) ? [oneWindowForm(node)] : convInputForms(node);
  if (isOp(node, 'convWeight')) return [convWeightForm(node)];
  throw new InternalError(`compile: ${node.op} is not a contraction.`);
}

/** A and B exchanged: the vector axis runs along m instead of n. */
export function transposed(c: Contraction): Contraction {
  return {
    batch: c.batch,
    m: c.n,
    n: c.m,
    k: c.k,
    a: (batch, m, k) => c.b(batch, m, k),
    b: (batch, n, k) => c.a(batch, n, k),
    place: (batch, m, n) => c.place(batch, n, m),
  };
}

function matmulForm(node: Node): Contraction {
  const [a, b] = node.src;
  const rank = node.shape.length;
  const lead = node.shape.slice(0, rank - 2);
  const k = a.shape[a.shape.length - 1];
  // A matrix shared by the whole batch: the batch is just more rows.
  const shared = b.shape.slice(0, -2).every((n) => n === 1);
  const batch = shared ? [] : lead;
  const m = shared ? [...lead, node.shape[rank - 2]] : [node.shape[rank - 2]];
  return {
    batch,
    m,
    n: [node.shape[rank - 1]],
    k: [k],
    a: (g, i, [at]) => ({ node: a, index: broadcastIndex([...g, ...i, at], a.shape), guards: [] }),
    b: (g, [j], [at]) => ({
      node: b,
      index: shared
        ? [...b.shape.slice(0, -2).map(() => constantIndex(0)), at, j]
        : broadcastIndex([...g, at, j], b.shape),
      guards: [],
    }),
    place: (g, i, j) => [...g, ...i, ...j],
  };
}

/** Position in the input of kernel tap `tap` at output position `out`. */
function tapPosition(out: Index, tap: Index, spec: ConvSpec, d: number): Index {
  return addConstant(addIndex(scaleIndex(out, spec.stride[d]), scaleIndex(tap, spec.dilation[d])), -spec.lo[d]);
}

/** The condition that an index lies inside, where it may not. */
export function outside(index: Index, size: number): Guard[] {
  return index.min >= 0 && index.max < size ? [] : [{ index, size }];
}

/** Channel `c` of group `g` (the batch axis of a grouped convolution). */
function channel(g: Ix, perGroup: number, c: Index): Index {
  return g.length === 0 ? c : addIndex(scaleIndex(g[0], perGroup), c);
}

/** An element of x under the window: x[b, c, out·stride − lo + tap·dilation]. */
function windowElement(x: Node, spec: ConvSpec, b: Index, c: Index, out: Ix, tap: Ix): Element {
  const at = out.map((o, d) => tapPosition(o, tap[d], spec, d));
  return { node: x, index: [b, c, ...at], guards: at.flatMap((p, d) => outside(p, x.shape[d + 2])) };
}

function convForm(node: Node<'conv'>): Contraction {
  const [x, w] = node.src;
  const spec = node.arg;
  const perOut = node.shape[1] / spec.groups;
  const perIn = w.shape[1];
  return {
    batch: spec.groups === 1 ? [] : [spec.groups],
    m: [perOut],
    n: [node.shape[0], ...node.shape.slice(2)],
    k: [perIn, ...w.shape.slice(2)],
    a: (g, [o], [c, ...tap]) => ({ node: w, index: [channel(g, perOut, o), c, ...tap], guards: [] }),
    b: (g, [b, ...out], [c, ...tap]) => windowElement(x, spec, b, channel(g, perIn, c), out, tap),
    place: (g, [o], [b, ...out]) => [b, channel(g, perOut, o), ...out],
  };
}

function convWeightForm(node: Node<'convWeight'>): Contraction {
  const [x, dy] = node.src;
  const spec = node.arg;
  const perOut = node.shape[0] / spec.groups;
  const perIn = node.shape[1];
  return {
    batch: spec.groups === 1 ? [] : [spec.groups],
    m: [perOut],
    n: [perIn, ...node.shape.slice(2)],
    k: [dy.shape[0], ...dy.shape.slice(2)],
    a: (g, [o], [b, ...out]) => ({ node: dy, index: [b, channel(g, perOut, o), ...out], guards: [] }),
    b: (g, [c, ...tap], [b, ...out]) => windowElement(x, spec, b, channel(g, perIn, c), out, tap),
    place: (g, [o], [c, ...tap]) => [channel(g, perOut, o), c, ...tap],
  };
}

/** The kernel taps that reach input positions of one residue by the stride: from, from + step, … */
interface Taps {
  readonly residue: number;
  /** Positions with this residue. */
  readonly positions: number;
  readonly count: number;
  readonly from: number;
  readonly step: number;
}

function tapsByResidue(size: number, kernel: number, spec: ConvSpec, d: number): Taps[] {
  const stride = spec.stride[d];
  return Array.from({ length: Math.min(stride, size) }, (_, residue) => {
    const taps: number[] = [];
    for (let t = 0; t < kernel; t++) if ((residue + spec.lo[d] - t * spec.dilation[d]) % stride === 0) taps.push(t);
    const [from = 0, second = from + 1] = taps;
    const positions = Math.ceil((size - residue) / stride);
    return { residue, positions, count: taps.length, from, step: second - from };
  });
}

/** Does one window cover the whole input, so that the convolution is a product of matrices? */
export function isOneWindow(node: Node<'convInput'>): boolean {
  const [dy, w] = node.src;
  const { lo, hi } = node.arg;
  const sizes = node.shape.slice(2);
  return [...lo, ...hi].every((p) => p === 0) && sizes.every((n, d) => n === w.shape[d + 2] && dy.shape[d + 2] === 1);
}

function oneWindowForm(node: Node<'convInput'>): Contraction {
  const [dy, w] = node.src;
  const { groups } = node.arg;
  const perOut = w.shape[0] / groups;
  const perIn = w.shape[1];
  const nowhere = node.shape.slice(2).map(() => constantIndex(0));
  return {
    batch: groups === 1 ? [] : [groups],
    m: [node.shape[0]],
    n: [perIn, ...node.shape.slice(2)],
    k: [perOut],
    a: (g, [b], [o]) => ({ node: dy, index: [b, channel(g, perOut, o), ...nowhere], guards: [] }),
    b: (g, [c, ...tap], [o]) => ({ node: w, index: [channel(g, perOut, o), c, ...tap], guards: [] }),
    place: (g, [b], [c, ...tap]) => [b, channel(g, perIn, c), ...tap],
  };
}

/**
 * Input position i receives from output position (i + lo − tap·dilation) / stride where that is whole. For a residue of
 * i by the stride the taps with a whole quotient are always the same: each combination of residues is a form of its own,
 * and no multiplication by a missing element is left.
 */
function convInputForms(node: Node<'convInput'>): Contraction[] {
  const [dy, w] = node.src;
  const spec = node.arg;
  const perOut = w.shape[0] / spec.groups;
  const perIn = w.shape[1];
  const sizes = node.shape.slice(2);
  const form = (parts: readonly Taps[]): Contraction => {
    const position = (q: Index, d: number) => addConstant(scaleIndex(q, spec.stride[d]), parts[d].residue);
    const tapOf = (j: Index, d: number) => addConstant(scaleIndex(j, parts[d].step), parts[d].from);
    const outOf = (q: Index, j: Index, d: number): Index => {
      const { residue, from, step } = parts[d];
      const first = (residue + spec.lo[d] - from * spec.dilation[d]) / spec.stride[d];
      return addConstant(addIndex(q, scaleIndex(j, (-step * spec.dilation[d]) / spec.stride[d])), first);
    };
    return {
      batch: spec.groups === 1 ? [] : [spec.groups],
      m: [perIn],
      n: [node.shape[0], ...parts.map((p) => p.positions)],
      k: [perOut, ...parts.map((p) => p.count)],
      a: (g, [c], [o, ...taps]) => ({ node: w, index: [channel(g, perOut, o), c, ...taps.map(tapOf)], guards: [] }),
      b: (g, [b, ...q], [o, ...taps]) => {
        const at = q.map((x, d) => outOf(x, taps[d], d));
        return {
          node: dy,
          index: [b, channel(g, perOut, o), ...at],
          guards: at.flatMap((p, d) => outside(p, dy.shape[d + 2])),
        };
      },
      place: (g, [c], [b, ...q]) => [b, channel(g, perIn, c), ...q.map(position)],
    };
  };
  let combinations: Taps[][] = [[]];
  sizes.forEach((size, d) => {
    const each = tapsByResidue(size, w.shape[d + 2], spec, d);
    combinations = combinations.flatMap((before) => each.map((taps) => [...before, taps]));
  });
  return combinations.map(form);
}

/** Is k walked in several blocks, with the sums of those before in memory? */
export function isSummedInParts(c: Contraction): boolean {
  return product(c.k) > WHOLE_K;
}

export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
