// An operand that is computed from streamed products (stream.ts): a tile of each, for the block of rows and of k that comes next.

import type { Expr } from '../../../loop/loop.js';
import * as L from '../../../loop/loop.js';
import { ZERO, atomIndex, dependsOn, scaleIndex } from '../../indices/index-expr.js';
import { type Stream, streamsBelow } from '../../plan/stream.js';
import type { KernelBuilder } from '../kernel/kernel-builder.js';
import type { Lowering } from '../kernel/lowering.js';
import { StreamTile } from '../kernel/stream-tile.js';
import type { ContractionFrame } from './contraction-frame.js';

export class StreamedOperand {
  private readonly k: KernelBuilder;
  private readonly f: ContractionFrame;
  private readonly streams: readonly Stream[];
  private readonly tiles: readonly StreamTile[];

  /** `blockRows` tiles of rows are computed at once. */
  constructor(k: KernelBuilder, f: ContractionFrame, lowering: Lowering, blockRows: number) {
    this.k = k;
    this.f = f;
    const { node, index } = f.a(scaleIndex(atomIndex(f.tileAxis), f.rows), f.inner());
    this.streams = [...streamsBelow(node, index, lowering.isMaterialised).values()];
    this.tiles = this.streams.map((s) => {
      const [m, kk] = [blockRows * f.rows, f.blockK];
      return this.isTurned(s) ? new StreamTile(s, kk, m, lowering) : new StreamTile(s, m, kk, lowering);
    });
  }

  /** Do the columns of a streamed product run along m? */
  private isTurned({ index }: Stream): boolean {
    return dependsOn(index[index.length - 1], this.f.tileAxis);
  }

  /** The part of the products that the tiles from `from` on read in this block of k. */
  compute(from: Expr): void {
    const { k, f } = this;
    if (this.streams.length === 0) return;
    const row = k.define('row', L.mul(from, L.int(f.rows)));
    const [start] = f.kIndex(f.innerK.map(() => ZERO));
    const column = k.define('column', k.integer(start).expr);
    this.streams.forEach((s, i) => {
      if (this.isTurned(s)) this.tiles[i].compute(k, column, row);
      else this.tiles[i].compute(k, row, column);
    });
  }
}
