// What is left to do with the results of a contraction: the element-wise members of its group, W elements at a time.
// `finish` does it; `touched` says beforehand which memory it will read and write.

import type { Node } from '../../../ir/node.js';
import type { Buffer, Expr } from '../../../loop/loop.js';
import { type Index, flatten, isDynamic, unflatten } from '../../indices/index-expr.js';
import type { KernelBuilder } from './kernel-builder.js';
import type { Value } from './scopes.js';
import type { Lowering } from './lowering.js';
import type { Guard } from '../../indices/movement.js';
import { positionOf } from '../../plan/place-parts.js';
import { trace } from '../../indices/trace.js';

/** Stores the first `lanes` of a vector. */
export function storeVector(
  k: KernelBuilder,
  buffer: Buffer,
  flat: Index,
  value: Value,
  dtype: Node['dtype'],
  lanes: number,
): void {
  if (lanes >= k.lanes) k.store(buffer, flat, value, dtype);
  else k.storeLanes(buffer, flat, value, dtype, lanes);
}

/**
 * Everything that `members` make of the results `acc` of `node`, whose index is `place`; the first `lanes` of them are
 * real, and `guards` say so to loads.
 */
export function finish(
  k: KernelBuilder,
  lowering: Lowering,
  members: readonly Node[],
  node: Node,
  acc: Expr,
  place: readonly Index[],
  guards: readonly Guard[],
  lanes: number,
): void {
  k.bind(node, acc);
  const position = flatten(place, node.shape);
  const pending: (() => void)[] = [];
  for (const member of members) {
    const buffer = lowering.output(member);
    if (buffer === undefined) continue;
    const index = member === node ? place : unflatten(position, member.shape);
    const value = k.value(member, index, guards);
    const flat = positionOf(lowering.places, member, index);
    pending.push(() => storeVector(k, buffer, flat, value, member.dtype, lanes));
  }
  for (const store of pending) store();
  k.unbind(node);
}

export interface Touched {
  readonly buffer: Buffer;
  readonly flat: Index;
  readonly isWritten: boolean;
}

/** Where `finish` for the element at `place` writes and reads, in arrays of at least so many elements. */
export function touched(
  lowering: Lowering,
  members: readonly Node[],
  node: Node,
  place: readonly Index[],
  least: number,
): Touched[] {
  const found = new Map<string, Touched>();
  const touch = (n: Node, index: readonly Index[], buffer: Buffer | undefined, isWritten: boolean) => {
    const flat = positionOf(lowering.places, n, index);
    if (buffer === undefined || n.size < least || isDynamic(flat)) return;
    if (flat.min < 0 || flat.max >= buffer.size) return;
    found.set(`${buffer.id}:${flat.key}`, { buffer, flat, isWritten });
  };
  const position = flatten(place, node.shape);
  for (const member of members) {
    const index = member === node ? place : unflatten(position, member.shape);
    touch(member, index, lowering.output(member), true);
    if (member === node) continue;
    trace(member, index, lowering.isMaterialised, {
      materialised(n, at) {
        if (n === member) return true;
        if (!members.includes(n)) touch(n, at, lowering.context.buffer(n), false);
        return false;
      },
    });
  }
  return [...found.values()];
}
