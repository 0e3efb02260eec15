// Kernels that walk one axis in order: cumulative sums, and scatter-add, whose targets are known only at run time.
// Neither needs atomics: threads share the other axes, and each walks its own part alone.
// Input: a group of one such node. Output: the kernel's statements.

import type { Node } from '../ir/node.js';
import * as L from '../loop/loop.js';
import type { Buffer } from '../loop/loop.js';
import type { Group } from './group.js';
import { type Axis, type Index, addIndex, atomIndex, dynamic, flatten, newAxis, scaleIndex } from './index-expr.js';
import { KernelBuilder, VALUE_TYPE } from './kernel-builder.js';
import type { Lowering } from './lower-group.js';
import { splitRange } from './parallel.js';

const SERIAL_WORK = 4096;

/** Shares the positions of `axes` among the threads and binds the axes to this thread's one at a time. */
export function overPositions(k: KernelBuilder, axes: readonly Axis[], work: number, inside: () => void): void {
  const live = axes.filter((a) => a.size !== 1);
  const count = live.reduce((n, a) => n * a.size, 1);
  const range = splitRange(k, count, work < SERIAL_WORK, 1);
  k.loop('row', range.from, range.to, 1, undefined, (row) => {
    k.bindAxes(live, row);
    inside();
  });
}

export function lowerCumsum(group: Group, lowering: Lowering): KernelBuilder {
  const [node] = group.members;
  const { axis } = node.arg as { axis: number };
  const out = lowering.output(node) as Buffer;
  const k = new KernelBuilder(lowering.context, lowering.target.lanes);
  const index = group.axes.map((a) => atomIndex(a));
  if (node.size === 0) return k;
  overPositions(
    k,
    group.axes.filter((_, i) => i !== axis),
    node.size,
    () => {
      const zero = L.literal(0, VALUE_TYPE[node.dtype]);
      const total = k.define('total', zero, true);
      k.loop('at', L.int(0), L.int(node.shape[axis]), 1, group.axes[axis], () => {
        const value = k.value(node.src[0], index);
        k.emit(L.set(total, L.add(total, value.expr)));
        k.store(out, flatten(index, node.shape), { expr: total, depth: k.depth }, node.dtype);
      });
    },
  );
  return k;
}

/** First the base is copied, then (after a barrier) the sources are added. */
export function lowerScatterAdd(group: Group, lowering: Lowering, part: 'copy' | 'add'): KernelBuilder {
  const [node] = group.members;
  return part === 'copy' ? copyBase(node, lowering) : addSources(node as Node<'scatterAdd'>, lowering);
}

function copyBase(node: Node, lowering: Lowering): KernelBuilder {
  const k = new KernelBuilder(lowering.context, lowering.target.lanes);
  const out = lowering.output(node) as Buffer;
  const [base] = node.src;
  const { lanes } = lowering.target;
  const last = node.shape.length - 1;
  const axes = node.shape.map((n) => newAxis(n));
  if (node.size === 0) return k;
  const inner = axes[last];
  overPositions(k, axes.slice(0, -1), node.size, () => {
    const whole = inner.size - (inner.size % lanes);
    const outer = axes.slice(0, -1).map((a) => atomIndex(a));
    const put = (index: readonly Index[]) => k.store(out, flatten(index, node.shape), k.value(base, index), node.dtype);
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
function addSources(node: Node<'scatterAdd'>, lowering: Lowering): KernelBuilder {
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
    const flat = flatten(target, node.shape);
    const old = k.loadNow(out, flat, node.size, []);
    const value = k.value(src, index);
    const isVector = old.lanes > 1 && index.some((x) => x.key.includes(k.laneAxis.key));
    const sum = isVector ? L.add(old, L.splat(value.expr, lanes)) : L.add(L.extract(old, 0), value.expr);
    k.store(out, flat, { expr: sum, depth: k.depth }, node.dtype);
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
  const remaining = axes.filter((a) => a !== shared);
  walk(remaining, () => {
    if (!alongLast) {
      k.loop('at', range.from, range.to, 1, shared, () => addAt(index));
      return;
    }
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
