// What is left to do with the results of a contraction: the element-wise members of its group, W elements at a time.

import type { Node } from '../ir/node.js';
import type { Buffer, Expr } from '../loop/loop.js';
import { type Index, flatten, unflatten } from './index-expr.js';
import type { KernelBuilder, Value } from './kernel-builder.js';
import type { Lowering } from './lower-group.js';
import type { Guard } from './movement.js';

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
    const flat = flatten(index, member.shape);
    pending.push(() => storeVector(k, buffer, flat, value, member.dtype, lanes));
  }
  for (const store of pending) store();
  k.unbind(node);
}
