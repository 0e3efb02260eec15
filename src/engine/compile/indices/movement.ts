// Movement operators as index maps: which element of which operand an output element is.
// Input: a movement node and the index of one of its elements. Output: one or more places to read, each with the
// conditions under which it is the one (a padded element has a condition and no alternative: it is zero).
// `gather` is not here: its index is a value, which only the kernel builder can compute.

import { InternalError } from '../../ir/errors.js';
import { type Node, isOp } from '../../ir/node.js';
import { type Shape, sizeOf } from '../../ir/shape.js';
import {
  type Index,
  ZERO,
  addConstant,
  addIndex,
  constantIndex,
  divIndex,
  flatten,
  modIndex,
  scaleIndex,
  unflatten,
} from './index-expr.js';

/** Holds while 0 ≤ index < size. */
export interface Guard {
  readonly index: Index;
  readonly size: number;
}

export interface Read {
  readonly src: Node;
  readonly index: readonly Index[];
  readonly guards: readonly Guard[];
}

/** A condition that can fail; undefined if it always holds. */
function guard(index: Index, size: number): Guard | undefined {
  return index.min >= 0 && index.max < size ? undefined : { index, size };
}

/** True if the condition can never hold. */
function impossible(g: Guard): boolean {
  return g.index.max < 0 || g.index.min >= g.size;
}

function some(...guards: (Guard | undefined)[]): Guard[] {
  return guards.filter((g) => g !== undefined);
}

/** Index into an operand that is broadcast to the shape that `index` runs over. */
export function broadcastIndex(index: readonly Index[], shape: Shape): Index[] {
  const lead = index.length - shape.length;
  return shape.map((n, i) => (n === 1 ? ZERO : index[i + lead]));
}

/**
 * The places that element `index` of a movement node may come from, in order: the first whose guards hold is read;
 * if none holds the element is zero. Reads that can never happen are left out.
 */
export function readsOf(node: Node, index: readonly Index[]): Read[] {
  if (isOp(node, 'reshape')) {
    return [{ src: node.src[0], index: reshapeIndex(index, node.shape, node.src[0].shape), guards: [] }];
  }
  if (isOp(node, 'permute')) {
    const inner = new Array<Index>(index.length);
    node.arg.axes.forEach((axis, i) => (inner[axis] = index[i]));
    return [{ src: node.src[0], index: inner, guards: [] }];
  }
  if (isOp(node, 'expand')) return [{ src: node.src[0], index: broadcastIndex(index, node.src[0].shape), guards: [] }];
  if (isOp(node, 'slice')) {
    const { start, step } = node.arg;
    return [
      { src: node.src[0], index: index.map((x, i) => addConstant(scaleIndex(x, step[i]), start[i])), guards: [] },
    ];
  }
  if (isOp(node, 'pad')) {
    const { lo } = node.arg;
    const inner = index.map((x, i) => addConstant(x, -lo[i]));
    const guards = some(...inner.map((x, i) => guard(x, node.src[0].shape[i])));
    return guards.some(impossible) ? [] : [{ src: node.src[0], index: inner, guards }];
  }
  if (isOp(node, 'window')) return readsOfWindow(node, index);
  if (isOp(node, 'fold')) return readsOfFold(node, index);
  if (isOp(node, 'concat')) return readsOfConcat(node, index);
  throw new InternalError(`compile: ${node.op} is not a movement operator.`);
}

/**
 * Axes that stay among themselves keep their index apart: of [4, 6, 5] → [4, 2, 3, 5] only the 6 is taken to pieces, without
 * a detour through a flat position.
 */
function reshapeIndex(index: readonly Index[], from: Shape, to: Shape): Index[] {
  const out = to.map(() => ZERO);
  if (sizeOf(to) === 0) return out;
  let [i, j] = [0, 0];
  while (j < to.length) {
    const [firstFrom, firstTo] = [i, j];
    let [a, b] = [from[i++] ?? 1, to[j++]];
    while (a !== b) {
      if (a < b) a *= from[i++];
      else b *= to[j++];
    }
    const own = from.slice(firstFrom, i);
    const parts = to.slice(firstTo, j);
    // An index that may lie outside (its loads are guarded) stays one: a remainder would hide where neighbours lie.
    const isOpen = index.slice(firstFrom, i).some((x, d) => x.min < 0 || x.max >= own[d]);
    unflatten(flatten(index.slice(firstFrom, i), own), parts, isOpen).forEach((x, d) => (out[firstTo + d] = x));
  }
  return out;
}

function readsOfWindow(node: Node<'window'>, index: readonly Index[]): Read[] {
  const { size, stride, dilation, lo } = node.arg;
  const n = size.length;
  const src = node.src[0];
  const lead = src.shape.length - n;
  const inner = index.slice(0, lead);
  const guards: Guard[] = [];
  for (let i = 0; i < n; i++) {
    const at = addConstant(
      addIndex(scaleIndex(index[lead + i], stride[i]), scaleIndex(index[lead + n + i], dilation[i])),
      -lo[i],
    );
    inner.push(at);
    guards.push(...some(guard(at, src.shape[lead + i])));
  }
  return guards.some(impossible) ? [] : [{ src, index: inner, guards }];
}

/** Parts from which a concatenation is copied part by part. */
const MANY_PARTS = 8;

export function isWideConcat(node: Node): boolean {
  return node.op === 'concat' && node.src.length >= MANY_PARTS;
}

/** Windows that do not overlap: every element lies in one window at most. */
export function isTiling(node: Node<'fold'> | Node<'window'>): boolean {
  const { size, stride, dilation } = node.arg;
  return size.every((k, i) => k <= stride[i] && dilation[i] === 1);
}

/** How many windows can contain one element, along each axis. */
export function foldTaps(node: Node<'fold'>): number[] {
  const { size, stride, dilation } = node.arg;
  return size.map((k, i) => (dilation[i] === 1 ? Math.ceil(k / stride[i]) : k));
}

/** All windows that contain an element: a fold is the sum of these reads (not the first of them). */
function readsOfFold(node: Node<'fold'>, index: readonly Index[]): Read[] {
  const { size, stride, dilation, lo } = node.arg;
  const n = size.length;
  const src = node.src[0];
  const lead = node.shape.length - n;
  const taps = foldTaps(node);
  const reads: Read[] = [];
  const count = taps.reduce((a, b) => a * b, 1);
  for (let c = 0; c < count; c++) {
    const positions: Index[] = [];
    const offsets: Index[] = [];
    const guards: Guard[] = [];
    let rest = c;
    for (let i = n - 1; i >= 0; i--) {
      const tap = rest % taps[i];
      rest = Math.floor(rest / taps[i]);
      const at = addConstant(index[lead + i], lo[i]);
      let k: Index;
      let o: Index;
      if (dilation[i] === 1) {
        k = addConstant(modIndex(at, stride[i]), tap * stride[i]);
        o = addConstant(divIndex(at, stride[i]), -tap);
      } else {
        k = constantIndex(tap);
        const shifted = addConstant(at, -tap * dilation[i]);
        o = divIndex(shifted, stride[i]);
        guards.push(...some(guard(modIndex(shifted, stride[i]), 1)));
      }
      guards.push(...some(guard(k, size[i]), guard(o, src.shape[lead + i])));
      positions.unshift(o);
      offsets.unshift(k);
    }
    if (!guards.some(impossible))
      reads.push({ src, index: [...index.slice(0, lead), ...positions, ...offsets], guards });
  }
  return reads;
}

function readsOfConcat(node: Node<'concat'>, index: readonly Index[]): Read[] {
  const { axis } = node.arg;
  const reads: Read[] = [];
  let offset = 0;
  for (const src of node.src) {
    const size = src.shape[axis];
    const inner = [...index];
    inner[axis] = addConstant(index[axis], -offset);
    offset += size;
    const g = guard(inner[axis], size);
    if (size === 0 || (g !== undefined && impossible(g))) continue;
    reads.push({ src, index: inner, guards: some(g) });
  }
  return reads;
}
