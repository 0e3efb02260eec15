// Every contraction as one form: C[batch, m, n] = Σ_k A[batch, m, k] · B[batch, n, k], where m, n and k are lists of axes
// and A and B are elements of operands at an index (with conditions, where padding is read). Matrix products and the
// three directions of convolution differ only in this table; tiling (lower-contraction.ts) sees none of them.
// Patches of a convolution are never stored: B's index is the window arithmetic itself.

import { InternalError } from '../ir/errors.js';
import { type Node, isOp } from '../ir/node.js';
import type { ConvSpec } from '../ir/op.js';
import { type Index, addConstant, addIndex, constantIndex, divIndex, modIndex, scaleIndex } from './index-expr.js';
import { type Guard, broadcastIndex } from './movement.js';

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

export function contractionOf(node: Node): Contraction {
  if (node.op === 'matmul') return matmulForm(node);
  if (isOp(node, 'conv')) return convForm(node);
  if (isOp(node, 'convInput')) return convInputForm(node);
  if (isOp(node, 'convWeight')) return convWeightForm(node);
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

function outside(index: Index, size: number): Guard[] {
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

/**
 * Input position i receives from output position (i + lo − tap·dilation) / stride where that is whole. Positions are
 * split into residue and quotient, i = stride·q + r, so that neighbouring lanes (q) read neighbouring outputs.
 */
function convInputForm(node: Node<'convInput'>): Contraction {
  const [dy, w] = node.src;
  const spec = node.arg;
  const perOut = w.shape[0] / spec.groups;
  const perIn = w.shape[1];
  const sizes = node.shape.slice(2);
  const split = sizes.map((n, d) => (spec.stride[d] > 1 && n % spec.stride[d] === 0 ? spec.stride[d] : 1));
  const rank = sizes.length;
  const position = (n: Ix, d: number): Index => addIndex(scaleIndex(n[1 + rank + d], split[d]), n[1 + d]);
  return {
    batch: spec.groups === 1 ? [] : [spec.groups],
    m: [perIn],
    n: [node.shape[0], ...split, ...sizes.map((n, d) => n / split[d])],
    k: [perOut, ...w.shape.slice(2)],
    a: (g, [c], [o, ...tap]) => ({ node: w, index: [channel(g, perOut, o), c, ...tap], guards: [] }),
    b: (g, n, [o, ...tap]) => {
      const guards: Guard[] = [];
      const at = sizes.map((_, d) => {
        const shifted = addConstant(addIndex(position(n, d), scaleIndex(tap[d], -spec.dilation[d])), spec.lo[d]);
        const out = divIndex(shifted, spec.stride[d]);
        guards.push(...outside(modIndex(shifted, spec.stride[d]), 1), ...outside(out, dy.shape[d + 2]));
        return out;
      });
      return { node: dy, index: [n[0], channel(g, perOut, o), ...at], guards };
    },
    place: (g, [c], n) => [n[0], channel(g, perIn, c), ...sizes.map((_, d) => position(n, d))],
  };
}
