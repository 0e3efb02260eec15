// A concatenation of many parts: a copy of each part to its place, one after the other, in several kernels where one would
// read too much. (One of few parts is an
// expression that asks for each element which part it is in, and can be fused with its users.)
// The output is seen as rows [before the axis] of the parts' columns [along the axis and after it].

import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Group } from '../../plan/group.js';
import { addConstant, addIndex, atomIndex, newAxis, scaleIndex, unflatten } from '../../indices/index-expr.js';
import { KernelBuilder } from '../kernel/kernel-builder.js';
import type { Lowering } from '../kernel/lowering.js';
import { splitRange } from '../kernel/parallel.js';
import type { Places } from '../../plan/place-parts.js';
import { partsOfStack } from '../../graph/stacks.js';
import type { IsMaterialised } from '../../indices/trace.js';

/** With fewer rows the threads share the parts instead. */
const FEW_ROWS = 8;

/** Parts in one kernel, and what they are made of: compilers take more than twice as long for a kernel of twice the size. */
const MOST_PARTS = 64;
const MOST_OPERANDS = 256;

/** The numbers of the parts that each kernel copies, [from, to). */
export function sharesOfConcat(
  group: Group,
  isMaterialised: IsMaterialised,
  places: Places,
): [from: number, to: number][] {
  const [node] = group.members;
  const shares: [number, number][] = [];
  let [from, count] = [0, 0];
  let operands = new Set<Node>();
  const isPlaced = placedIn(node, places);
  node.src.forEach((part, i) => {
    if (isPlaced(i)) return;
    const own = operandsOf(part, isMaterialised);
    if (count === MOST_PARTS || (count > 0 && operands.size + own.size > MOST_OPERANDS)) {
      shares.push([from, i]);
      [from, count] = [i, 0];
      operands = new Set();
    }
    count++;
    for (const n of own) operands.add(n);
  });
  return [...shares, [from, node.src.length]];
}

/** Whether a part, by its number, is computed where it belongs. */
function placedIn(node: Node, places: Places): (i: number) => boolean {
  const parts = partsOfStack(node);
  return (i) => parts !== undefined && places.get(parts[i])?.host === node;
}

function operandsOf(part: Node, isMaterialised: IsMaterialised): Set<Node> {
  const seen = new Set([part]);
  const operands = new Set<Node>();
  for (const n of seen) {
    if (n.op === 'leaf' || n.op === 'scalar' || isMaterialised(n)) operands.add(n);
    else for (const s of n.src) seen.add(s); // a set is walked to what was added last
  }
  return operands;
}

export function lowerConcat(group: Group, lowering: Lowering, [first, end]: readonly [number, number]): KernelBuilder {
  const node = group.members[0] as Node<'concat'>;
  const out = lowering.output(node);
  const { lanes } = lowering.target;
  const k = new KernelBuilder(lowering.context, lanes);
  if (out === undefined || node.size === 0) return k;
  const { axis } = node.arg;
  const rows = node.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const width = node.size / rows;
  const byRows = rows >= FEW_ROWS;
  const range = byRows ? splitRange(k, rows, false, 1) : { from: L.int(0), to: L.int(rows) };
  const isPlaced = placedIn(node as Node, lowering.places);
  let offset = 0;
  node.src.forEach((part, i) => {
    const columns = part.size / rows;
    const start = offset;
    offset += columns;
    if (i < first || i >= end || columns === 0 || isPlaced(i)) return;
    const row = newAxis(rows);
    const copy = () =>
      k.loop('row', range.from, range.to, 1, row, () => {
        const target = addConstant(scaleIndex(atomIndex(row), width), start);
        const origin = scaleIndex(atomIndex(row), columns);
        const whole = columns - (columns % lanes);
        const vectors = newAxis(whole / lanes);
        k.loop(
          'v',
          L.int(0),
          L.int(whole),
          lanes,
          vectors,
          () => {
            const at = addIndex(scaleIndex(atomIndex(vectors), lanes), atomIndex(k.laneAxis));
            const value = k.value(part, unflatten(addIndex(origin, at), part.shape));
            k.store(out, addIndex(target, at), value, node.dtype);
          },
          lanes,
        );
        const single = newAxis(columns);
        k.loop('v', L.int(whole), L.int(columns), 1, single, () => {
          const value = k.value(part, unflatten(addIndex(origin, atomIndex(single)), part.shape));
          k.store(out, addIndex(target, atomIndex(single)), value, node.dtype);
        });
      });
    if (byRows) copy();
    else {
      k.isParallel = true;
      const turn = L.compare('eq', k.tid, L.binary('rems', L.int(i - first), k.threads));
      k.emit(L.when(turn, k.block(copy)));
    }
  });
  return k;
}
