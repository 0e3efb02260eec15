// A kernel that only looks whether indices are in range (check-indices.ts).
// Input: a group of one such node. Output: the kernel's statements.

import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Group } from '../../plan/group.js';
import { atomIndex } from '../../indices/index-expr.js';
import { KernelBuilder } from '../kernel/kernel-builder.js';
import type { Lowering } from '../kernel/lowering.js';
import { overPositions } from './lower-scan.js';

export function lowerCheck(group: Group, lowering: Lowering): KernelBuilder {
  const node = group.members[0] as Node<'checkIndex'>;
  const k = new KernelBuilder(lowering.context, lowering.target.lanes);
  const place = group.axes.map((a) => atomIndex(a));
  const look = () => void k.checkedIndex(node as Node, k.value(node.src[0], place), node.arg.size, []);
  const inner = group.axes.length > 1 ? group.axes[group.axes.length - 1] : undefined;
  overPositions(k, inner === undefined ? group.axes : group.axes.slice(0, -1), node.size, () => {
    if (inner === undefined || inner.size === 1) look();
    else k.loop('at', L.int(0), L.int(inner.size), 1, inner, look);
  });
  return k;
}
