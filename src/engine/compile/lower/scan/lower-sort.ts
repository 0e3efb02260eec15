// argsort: a stable bottom-up merge sort of each row, in memory of the thread's own. Rows are shared by the threads.
// Input: a group of one argsort node. Output: the kernel's statements.

import { isFloat } from '../../../ir/dtype.js';
import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr, Var } from '../../../loop/loop.js';
import type { Group } from '../../plan/group.js';
import { atomIndex, flatten } from '../../indices/index-expr.js';
import { elementOf } from '../kernel/dtype-values.js';
import { KernelBuilder } from '../kernel/kernel-builder.js';
import type { Lowering } from '../kernel/lowering.js';
import { overPositions } from './lower-scan.js';

export function lowerArgsort(group: Group, lowering: Lowering): KernelBuilder {
  const node = group.members[0] as Node<'argsort'>;
  const { axis, descending } = node.arg;
  const k = new KernelBuilder(lowering.context, lowering.target.lanes);
  if (node.size === 0) return k;
  const n = node.shape[axis];
  const isReal = isFloat(node.src[0].dtype);
  const keys = lowering.scratch('keys', n, elementOf(node.src[0].dtype));
  const one = lowering.scratch('one', n, 'i32');
  const two = lowering.scratch('two', n, 'i32');
  const out = lowering.output(node) as Buffer;
  const index = group.axes.map((a) => atomIndex(a));

  /** Must the element with key `b` (later in the row) come before the one with key `a`? */
  const before = (b: Expr, a: Expr): Expr => {
    if (!isReal) return descending ? L.compare('lt', a, b) : L.compare('lt', b, a);
    const [bIsNaN, aIsNaN] = [L.compare('ne', b, b), L.compare('ne', a, a)];
    if (descending) return L.binary('and', L.unary('not', aIsNaN), L.binary('or', bIsNaN, L.compare('lt', a, b)));
    return L.binary('and', L.unary('not', bIsNaN), L.binary('or', aIsNaN, L.compare('lt', b, a)));
  };

  overPositions(
    k,
    group.axes.filter((_, i) => i !== axis),
    node.size,
    () => {
      k.loop('i', L.int(0), L.int(n), 1, group.axes[axis], (i) => {
        k.emit(L.store(keys, i, k.value(node.src[0], index).expr));
        k.emit(L.store(one, i, i));
      });
      let from = one;
      let to = two;
      for (let width = 1; width < n; width *= 2) {
        mergeRuns(k, { from, to, keys, n, width, before });
        [from, to] = [to, from];
      }
      k.loop('i', L.int(0), L.int(n), 1, group.axes[axis], (i) => {
        const value = k.define('order', L.load(from, i));
        k.store(out, flatten(index, node.shape), { expr: value, depth: k.depth }, 'int32');
      });
    },
  );
  return k;
}

interface Merge {
  readonly from: Buffer;
  readonly to: Buffer;
  readonly keys: Buffer;
  readonly n: number;
  readonly width: number;
  readonly before: (b: Expr, a: Expr) => Expr;
}

/** Merges neighbouring sorted runs of `width` from one array of positions into the other. */
function mergeRuns(k: KernelBuilder, { from, to, keys, n, width, before }: Merge): void {
  k.loop('run', L.int(0), L.int(n), 2 * width, undefined, (run: Var) => {
    const middle = k.define('middle', L.binary('min', L.add(run, L.int(width)), L.int(n)));
    const end = k.define('end', L.binary('min', L.add(run, L.int(2 * width)), L.int(n)));
    const left = k.define('left', run, true);
    const right = k.define('right', middle, true);
    k.loop('at', run, end, 1, undefined, (at) => {
      // Reads of an exhausted side are clamped into the array; the conditions decide.
      const a = k.define('a', L.load(from, L.binary('min', left, L.int(n - 1))));
      const b = k.define('b', L.load(from, L.binary('min', right, L.int(n - 1))));
      const rightFirst = before(k.define('kb', L.load(keys, b)), k.define('ka', L.load(keys, a)));
      const hasLeft = L.compare('lt', left, middle);
      const hasRight = L.compare('lt', right, end);
      const takeRight = k.define(
        'takeRight',
        L.binary('and', hasRight, L.binary('or', L.unary('not', hasLeft), rightFirst)),
      );
      k.emit(L.store(to, at, L.select(takeRight, b, a)));
      k.emit(L.set(left, L.add(left, L.select(takeRight, L.int(0), L.int(1)))));
      k.emit(L.set(right, L.add(right, L.select(takeRight, L.int(1), L.int(0)))));
    });
  });
}
