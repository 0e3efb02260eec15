// Where the operands of a contraction lie, as far as the inner loop can read them in place: A row by row, B vector by vector,
// both with one distance between neighbouring k. What is reached through padding, windows or a computation must be packed.
// Input: the coordinates of a contraction. Output: distances in memory; no code.

import { elementOf } from '../kernel/dtype-values.js';
import { OP_CLASS } from '../../../ir/op.js';
import type { Node } from '../../../ir/node.js';
import type { Element } from '../../indices/contraction.js';
import type { ContractionFrame } from './contraction-frame.js';
import {
  type Index,
  addConstant,
  atomIndex,
  coefficientOf,
  constantIndex,
  distance,
  flatten,
  scaleIndex,
} from '../../indices/index-expr.js';
import { readsOf } from '../../indices/movement.js';
import type { IsMaterialised } from '../../indices/trace.js';

/** Elements between neighbours from which each of them lies in a part of memory of its own. */
const FAR_STRIDE = 256;
/** Tiles of rows up to which B is not packed where its rows are contiguous. */
export const FEW_TILES = 4;

export class Operands {
  private readonly f: ContractionFrame;
  private readonly isMaterialised: IsMaterialised;
  /** The rows of B are the panels that the inner loop reads. */
  private readonly isPacked: boolean;

  constructor(f: ContractionFrame, isMaterialised: IsMaterialised, isPacked: boolean) {
    this.f = f;
    this.isMaterialised = isMaterialised;
    this.isPacked = isPacked;
  }

  /** Where an operand's element is stored, if it is reached through unconditional views alone. */
  direct(element: Element): { node: Node; flat: Index } | undefined {
    let { node, index, guards } = element;
    while (guards.length === 0) {
      if (node.op === 'leaf' || this.isMaterialised(node)) {
        return elementOf(node.dtype) === this.f.type ? { node, flat: flatten(index, node.shape) } : undefined;
      }
      if (OP_CLASS[node.op] === 'identity') node = node.src[0];
      else if (OP_CLASS[node.op] === 'movement' && node.op !== 'gather' && node.op !== 'concat') {
        const reads = readsOf(node, index);
        if (reads.length !== 1) return undefined;
        ({ src: node, index, guards } = { src: reads[0].src, index: reads[0].index, guards: reads[0].guards });
      } else return undefined;
    }
    return undefined;
  }

  /** Distance between neighbouring k in A where A is read in place; undefined where it must be packed. */
  strideOfA(): number | undefined {
    const stride = this.strideOfRow(0);
    for (let r = 1; r < this.f.rows; r++) if (this.strideOfRow(r) !== stride) return undefined;
    return stride;
  }

  /** The same for row `r` of every tile. */
  private strideOfRow(r: number): number | undefined {
    const row = addConstant(scaleIndex(atomIndex(this.f.tileAxis), this.f.rows), r);
    const stride = this.strideAlongK(this.f.a(row, this.f.inner()));
    if (stride === undefined || stride === 1 || this.f.M * this.f.K <= 4096) return stride;
    // A far stride wastes a cache line, then a page, an element: pack where each row is used often enough.
    const reads = stride >= FAR_STRIDE ? 2 : 8;
    return this.f.panels >= reads ? undefined : stride;
  }

  /** Distance between neighbouring k in B where B is read in place: a few tiles of rows would not repay its packing. */
  strideOfB(): number | undefined {
    const { f } = this;
    if ((f.tileAxis.size > FEW_TILES && !this.isPacked) || f.N % f.W !== 0) return undefined;
    const whole = Math.floor(f.N / f.columns) * f.columns;
    const panel = scaleIndex(atomIndex(f.panelAxis), f.columns);
    const ofPanels = whole > 0 ? this.strideOfColumns(panel, f.columns) : undefined;
    if (whole === f.N) return ofPanels;
    const ofRest = this.strideOfColumns(constantIndex(whole), f.N - whole);
    return whole === 0 || ofPanels === ofRest ? ofRest : undefined;
  }

  /** The same for columns from `first` on; undefined unless all `count` are there and neighbours in memory. */
  private strideOfColumns(first: Index, count: number): number | undefined {
    const { f } = this;
    const start = this.direct(f.b(first, f.inner()));
    for (let j = 0; j * f.W < count; j++) {
      const at = this.direct(f.b(addConstant(first, j * f.W), f.inner()));
      if (!at || !start || distance(at.flat, start.flat) !== j * f.W) return undefined;
      // All lanes: the first one may lie inside where others lie in the padding, or in the next image.
      const lanes = this.direct(f.b(f.column(j, first), f.inner()));
      if (lanes === undefined || coefficientOf(lanes.flat, this.f.k.laneAxis) !== 1) return undefined;
    }
    return this.strideAlongK(f.b(first, f.inner()));
  }

  /** Distance in memory between neighbouring k of an operand; undefined where it is computed or has none. */
  private strideAlongK(element: Element): number | undefined {
    const found = this.direct(element);
    if (found === undefined) return undefined;
    let stride: number | undefined;
    let reach = 1;
    for (let i = this.f.innerK.length - 1; i >= 0; i--) {
      const { size } = this.f.innerK[i];
      if (size === 1) continue;
      const c = coefficientOf(found.flat, this.f.innerK[i]);
      if (c === undefined) return undefined;
      stride ??= c;
      if (c !== stride * reach) return undefined;
      reach *= size;
    }
    return stride ?? 1;
  }
}
