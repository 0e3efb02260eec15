// One tile of a streamed product (stream.ts) in memory of the thread's own: computed by a contraction of its own, and read
// like a stored node.
// Input: a streamed product, the size of the tile, where it starts. Output: statements, and the tile known to the builder.

import * as L from '../../../loop/loop.js';
import type { Buffer, Expr } from '../../../loop/loop.js';
import type { Contraction } from '../../indices/contraction.js';
import { type Index, addIndex, atomIndex, newAxis, scaleIndex } from '../../indices/index-expr.js';
import { elementOf } from './dtype-values.js';
import type { KernelBuilder } from './kernel-builder.js';
import type { Lowering } from './lowering.js';
import { broadcastIndex } from '../../indices/movement.js';
import { derive } from '../../graph/rewrite.js';
import type { Stream } from '../../plan/stream.js';

/** Loads may run beyond the last row by as much. */
const SLACK = 64;

export class StreamTile {
  readonly rows: number;
  readonly columns: number;
  private readonly stream: Stream;
  private readonly lowering: Lowering;
  private readonly buffer: Buffer;

  /** At most `rows` × `columns`. */
  constructor(stream: Stream, rows: number, columns: number, lowering: Lowering) {
    const [height, width] = stream.node.shape.slice(-2);
    this.stream = stream;
    this.lowering = lowering;
    this.rows = Math.min(rows, height);
    this.columns = Math.min(columns, width);
    this.buffer = lowering.scratch('scores', this.rows * this.columns + SLACK, elementOf(stream.node.dtype));
  }

  /** Computes the tile at or, near the end of an axis, before [row, column], so that it lies inside the product. */
  compute(k: KernelBuilder, row: Expr, column: Expr): void {
    const { node, index } = this.stream;
    const [height, width] = node.shape.slice(-2);
    const start = (at: Expr, size: number, extent: number): Index => {
      const axis = newAxis(extent);
      k.bindAxis(axis, k.define('start', size === extent ? L.int(0) : L.binary('min', at, L.int(extent - size))));
      return atomIndex(axis);
    };
    const top = start(row, this.rows, height);
    const left = start(column, this.columns, width);
    const [a, b] = node.src;
    const batch = index.slice(0, -2);
    const inner = a.shape[a.shape.length - 1];
    const form: Contraction = {
      batch: [],
      m: [this.rows],
      n: [this.columns],
      k: [inner],
      a: (_, [i], [e]) => ({ node: a, index: broadcastIndex([...batch, addIndex(top, i), e], a.shape), guards: [] }),
      b: (_, [j], [e]) => ({ node: b, index: broadcastIndex([...batch, e, addIndex(left, j)], b.shape), guards: [] }),
      place: (_, [i], [j]) => [i, j],
    };
    const tile = derive(node, 'matmul', node.src, null, [this.rows, this.columns]);
    this.lowering.contract(k, tile, form, this.buffer);
    k.placeTile(node, this.buffer, (at) => {
      const [i, j] = at.slice(-2);
      return addIndex(scaleIndex(addIndex(i, scaleIndex(top, -1)), this.columns), addIndex(j, scaleIndex(left, -1)));
    });
  }
}
