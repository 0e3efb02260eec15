// Scatter-add, whose targets are known only at run time. It needs no atomics: threads share an axis other than the scattered one, and each
// walks its own part alone.
// Input: a group of one such node. Output: the kernel's statements.

import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr } from '../../../loop/loop.js';
import type { Group } from '../../plan/group.js';
import {
  type Axis,
  type Index,
  addConstant,
  addIndex,
  atomIndex,
  dynamic,
  flatten,
  newAxis,
  scaleIndex,
} from '../../indices/index-expr.js';
import { KernelBuilder } from '../kernel/kernel-builder.js';
import { plus } from '../kernel/compensated-sums.js';
import type { Lowering } from '../kernel/lowering.js';
import { splitRange } from '../kernel/parallel.js';
import { SERIAL_WORK, overPositions } from './lower-scan.js';

type ScatterNode = Node<'scatterAdd'> | Node<'scatterSums'>;

/** First the base is copied, then (after a barrier) the sources are added. */
export function lowerScatterAdd(group: Group, lowering: Lowering, part: 'copy' | 'add'): KernelBuilder {
  const [node] = group.members;
  return part === 'copy' ? copyBase(node, lowering) : addSources(node as ScatterNode, lowering);
}

function copyBase(node: Node, lowering: Lowering): KernelBuilder {
  const k = new KernelBuilder(lowering.context, lowering.target.lanes);
  const out = lowering.output(node) as Buffer;
  const [base] = node.src;
  const { lanes } = lowering.target;
  const last = base.shape.length - 1;
  const axes = base.shape.map((n) => newAxis(n));
  if (node.size === 0) return k;
  const inner = axes[last];
  overPositions(k, axes.slice(0, -1), node.size, () => {
    const whole = inner.size - (inner.size % lanes);
    const outer = axes.slice(0, -1).map((a) => atomIndex(a));
    const put = (index: readonly Index[]) => {
      const flat = flatten(index, base.shape);
      k.store(out, flat, k.value(base, index), node.dtype);
      if (node.op === 'scatterSums')
        k.store(out, addConstant(flat, base.size), { expr: L.float(0), depth: 0 }, node.dtype);
    };
    if (whole > 0) {
      const counter = newAxis(whole / lanes);
      k.loop(
        'v',
        L.int(0),
        L.int(whole),
        lanes,
        counter,
        () => {
          put([...outer, addIndex(scaleIndex(atomIndex(counter), lanes), atomIndex(k.laneAxis))]);
        },
        lanes,
      );
    }
    if (whole < inner.size)
      k.loop('v', L.int(whole), L.int(inner.size), 1, inner, () => put([...outer, atomIndex(inner)]));
  });
  return k;
}

/**
 * out[.., index[i], ..] += src[i]. Threads share an axis other than the scattered one, so no two write the same place;
 * if there is none, one thread does it all.
 */
function addSources(node: ScatterNode, lowering: Lowering): KernelBuilder {
  const k = new KernelBuilder(lowering.context, lowering.target.lanes);
  const out = lowering.output(node) as Buffer;
  const [base, positions, src] = node.src;
  const { axis } = node.arg;
  const { lanes } = lowering.target;
  const axes = src.shape.map((n) => newAxis(n));
  if (src.size === 0) return k;
  const others = axes.map((a, i) => ({ a, i })).filter(({ a, i }) => i !== axis && a.size !== 1);
  const last = axes.length - 1;
  const alongLast = axis !== last && axes[last].size >= lanes;

  const addAt = (index: readonly Index[]) => {
    const at = k.value(positions, index);
    const safe = k.checkedIndex(node as Node, at, base.shape[axis], []);
    const target = [...index];
    target[axis] = atomIndex(dynamic(safe, base.shape[axis], `s(${index.map((x) => x.key).join()})`));
    const flat = flatten(target, base.shape);
    const isVector = index.some((x) => x.key.includes(k.laneAxis.key));
    const soFar = (at: Index): Expr => {
      const found = k.loadNow(out, at, node.size, []);
      return isVector ? found : L.extract(found, 0);
    };
    const put = (at: Index, expr: Expr) => k.store(out, at, { expr, depth: k.depth }, node.dtype);
    const value = L.splat(k.value(src, index).expr, isVector ? lanes : 1);
    if (node.op === 'scatterAdd') {
      const { combine = 'add' } = node.arg;
      put(flat, combine === 'set' ? value : L.binary(combine, soFar(flat), value));
      return;
    }
    const beside = addConstant(flat, base.size);
    const { sum, lost } = plus(k, k.define('old', soFar(flat)), k.define('lost', soFar(beside)), value);
    put(flat, sum);
    put(beside, lost);
  };

  const index = axes.map((a) => atomIndex(a));
  const walk = (rest: readonly Axis[], inside: () => void): void => {
    if (rest.length === 0) inside();
    else if (rest[0].size === 1) walk(rest.slice(1), inside);
    else k.loop('at', L.int(0), L.int(rest[0].size), 1, rest[0], () => walk(rest.slice(1), inside));
  };
  if (others.length === 0) {
    k.emit(
      L.when(
        L.compare('eq', k.tid, L.int(0)),
        k.block(() => walk([axes[axis]], () => addAt(index))),
      ),
    );
    return k;
  }
  const shared = alongLast ? axes[last] : (others.reduce((a, b) => (b.a.size > a.a.size ? b : a)).a as Axis);
  const range = splitRange(k, shared.size, src.size < SERIAL_WORK, alongLast ? 4 * lanes : 1);
  if (!alongLast) {
    // In the order of memory; positions of the scattered axis, which may meet, keep theirs in any case.
    const before = axes.slice(0, axes.indexOf(shared));
    const behind = axes.slice(before.length + 1);
    walk(before, () => k.loop('at', range.from, range.to, 1, shared, () => walk(behind, () => addAt(index))));
    return k;
  }
  const remaining = axes.filter((a) => a !== shared);
  walk(remaining, () => {
    // Vectors along the last axis: the index is the same for a whole row where it was broadcast.
    const span = L.sub(range.to, range.from);
    const whole = k.define('whole', L.add(range.from, L.sub(span, L.binary('rems', span, L.int(lanes)))));
    const counter = newAxis(Math.ceil(shared.size / lanes));
    const uniform = isUniformAlong(positions, last);
    if (uniform) {
      k.loop(
        'v',
        range.from,
        whole,
        lanes,
        counter,
        () => {
          addAt([...index.slice(0, -1), addIndex(scaleIndex(atomIndex(counter), lanes), atomIndex(k.laneAxis))]);
        },
        lanes,
      );
    }
    k.loop('at', uniform ? whole : range.from, range.to, 1, shared, () => addAt(index));
  });
  return k;
}

/** Is the index the same for all elements of `axis`? */
function isUniformAlong(positions: Node, axis: number): boolean {
  if (positions.op !== 'expand') return false;
  const inner = positions.src[0];
  const own = axis - (positions.shape.length - inner.shape.length);
  return own < 0 || inner.shape[own] === 1;
}
