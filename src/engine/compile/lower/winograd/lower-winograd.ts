// Convolutions of 3×3 as 16 products of matrices (winograd.ts). Each thread has its own tiles; for a block of them:
//   transform the input          → V [position][panel][channel][tiles of a panel]
//   multiply by the weights      → M [position][panel][out channel][tiles of a panel]
//   transform what they sum to, interleave the two columns of each tile, and finish like any contraction.
// A strip is a run of tiles in one row of tiles of an image; a panel holds as many whole strips as fit. A vector is
// written whole: what is too much at its end, the next strip overwrites.

import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr } from '../../../loop/loop.js';
import { type Contraction, outside } from '../../indices/contraction.js';
import { finish } from '../kernel/epilogue.js';
import type { Group } from '../../plan/group.js';
import {
  type Axis,
  type Index,
  addConstant,
  addIndex,
  atomIndex,
  newAxis,
  scaleIndex,
  unflatten,
} from '../../indices/index-expr.js';
import { KernelBuilder } from '../kernel/kernel-builder.js';
import { contractAlone } from '../contraction/lower-contraction.js';
import type { Lowering } from '../kernel/lowering.js';
import type { Guard } from '../../indices/movement.js';
import { type Range, splitRange } from '../kernel/parallel.js';
import { derive } from '../../graph/rewrite.js';
import { bothWays, leafLike, ofInput, ofOutput } from './winograd-tiles.js';

/** With fewer panels than this threads would have unequal shares of them. */
const FEW_PANELS = 8;
/** Output channels that such threads take at a time. */
const CHUNKS = [36, 32, 48, 24, 40];
/** Bytes that V and M of one block may have. */
const LARGEST_BLOCK = 4 << 20;

export function lowerWinograd(group: Group, node: Node<'winograd'>, lowering: Lowering): KernelBuilder {
  const k = new KernelBuilder(lowering.context, lowering.target.lanes);
  if (node.size > 0) new WinogradLowering(k, group, node, lowering).lower();
  return k;
}

class WinogradLowering {
  private readonly k: KernelBuilder;
  private readonly lowering: Lowering;
  private readonly node: Node<'winograd'>;
  private readonly members: readonly Node[];

  private readonly W: number;
  private readonly channels: number;
  private readonly out: number;
  /** Tiles of the whole result along both axes, and of one strip. */
  private readonly tiles: readonly [number, number];
  private readonly parts: number;
  private readonly length: number;
  private readonly strips: number;
  private readonly stripsOfPanel: number;
  private readonly columns: number;
  private readonly panels: number;
  private readonly blockPanels: number;
  /** Few tiles: every thread transforms all of them, and has its own chunks of the output channels. */
  private readonly sharesChannels: boolean;
  private readonly chunk: number;
  /** Columns of a panel that are multiplied. */
  private readonly used: number;
  /** Elements from one panel, and one position, to the next, in V and M. */
  private readonly panelV: number;
  private readonly positionV: number;
  private readonly positionM: number;
  private readonly V: Buffer;
  private readonly M: Buffer;

  private readonly strip: Axis;
  /** First panel of the block. */
  private readonly first: Axis;

  constructor(k: KernelBuilder, group: Group, node: Node<'winograd'>, lowering: Lowering) {
    this.k = k;
    this.lowering = lowering;
    this.node = node;
    this.members = group.members;
    const { lanes, tileVectors, l2Bytes } = lowering.target;
    this.W = lanes;
    const [batch, out, height, width] = node.shape;
    this.channels = node.src[0].shape[1];
    this.out = out;
    this.tiles = [Math.ceil(height / 2), Math.ceil(width / 2)];
    this.columns = lanes * tileVectors;
    this.parts = Math.ceil(this.tiles[1] / this.columns);
    this.length = Math.ceil(this.tiles[1] / this.parts);
    this.strips = batch * this.tiles[0] * this.parts;
    this.stripsOfPanel = Math.floor(this.columns / this.length);
    this.panels = Math.ceil(this.strips / this.stripsOfPanel);
    const panelBytes = 4 * 16 * (this.channels + out) * this.columns;
    const aim = Math.max(l2Bytes, 4 * node.src[1].size);
    const most = Math.max(1, Math.floor(LARGEST_BLOCK / panelBytes));
    const chunk = CHUNKS.find((n) => out % n === 0);
    this.sharesChannels = this.panels < FEW_PANELS && this.panels <= most && chunk !== undefined;
    this.chunk = this.sharesChannels ? (chunk as number) : out;
    this.blockPanels = this.sharesChannels ? this.panels : Math.min(this.panels, most, Math.ceil(aim / panelBytes));
    const used = Math.min(this.strips, this.stripsOfPanel) * this.length;
    this.used = this.panels === 1 ? Math.ceil(used / lanes) * lanes : this.columns;
    this.panelV = this.channels * this.columns + lanes;
    // Sixteen streams whose distance is a power of two would meet in the same lines of the cache.
    this.positionV = this.blockPanels * this.panelV + lanes;
    this.positionM = this.blockPanels * out * this.columns + lanes;
    this.V = lowering.scratch('V', 16 * this.positionV);
    this.M = lowering.scratch('M', 16 * this.positionM);
    this.strip = newAxis(this.strips);
    this.first = newAxis(this.panels);
  }

  lower(): void {
    if (this.sharesChannels) this.byChannels();
    else this.byPanels();
  }

  private byPanels(): void {
    const { k } = this;
    const range = splitRange(k, this.panels, false, 1);
    k.loop('block', range.from, range.to, this.blockPanels, this.first, (from) => {
      const to = k.define('to', L.binary('min', L.add(from, L.int(this.blockPanels)), range.to));
      const strips = this.stripsOfPanel;
      const fromStrip = k.define('from', L.mul(from, L.int(strips)));
      const toStrip = k.define('to', L.binary('min', L.mul(to, L.int(strips)), L.int(this.strips)));
      this.transformInput(fromStrip, toStrip);
      this.multiply(L.sub(to, from), { from: L.int(0), to: L.int(1) });
      this.transformOutput(fromStrip, toStrip, { from: L.int(0), to: L.int(this.out) });
    });
  }

  private byChannels(): void {
    const { k, chunk } = this;
    const range = splitRange(k, this.out / chunk, false, 1);
    const body = k.block(() => {
      k.bindAxis(this.first, L.int(0));
      const [from, to] = [L.int(0), L.int(this.strips)];
      this.transformInput(from, to);
      this.multiply(L.int(this.panels), range);
      const channels = { from: L.mul(range.from, L.int(chunk)), to: k.define('to', L.mul(range.to, L.int(chunk))) };
      this.transformOutput(from, to, channels);
    });
    k.emit(L.when(L.compare('lt', range.from, range.to), body));
  }

  /** Image, row of tiles and first tile of the strip, and where it lies in the block. */
  private place(): { batch: Index; row: Index; start: Index; panel: Index; column: Index } {
    const { k, parts, length } = this;
    const [batch, row, part] = unflatten(atomIndex(this.strip), [this.node.shape[0], this.tiles[0], parts]);
    let start = scaleIndex(part, length);
    if (parts > 1 && this.tiles[1] % length !== 0) {
      // The last part starts earlier, so that it is whole: some tiles are computed twice.
      const last = this.tiles[1] - length;
      const axis = newAxis(last + 1);
      k.bindAxis(axis, k.define('start', L.binary('min', k.integer(start).expr, L.int(last))));
      start = atomIndex(axis);
    }
    const [panel, at] = unflatten(atomIndex(this.strip), [this.panels, this.stripsOfPanel]);
    const inBlock = addIndex(panel, scaleIndex(atomIndex(this.first), -1));
    return { batch, row, start, panel: inBlock, column: scaleIndex(at, length) };
  }

  private vectorsOfStrip(): number[] {
    return Array.from({ length: Math.ceil(this.length / this.W) }, (_, v) => v * this.W);
  }

  /** V = Bᵀ x B of all channels of the strips [from, to). */
  private transformInput(from: Expr, to: Expr): void {
    const { k, node } = this;
    const [x] = node.src;
    const [, , height, width] = x.shape;
    const { lo } = node.arg;
    const channel = newAxis(this.channels);
    k.loop('c', L.int(0), L.int(this.channels), 1, channel, () => {
      k.loop('s', from, to, 1, this.strip, () => {
        const { batch, row, start, panel, column } = this.place();
        for (const v of this.vectorsOfStrip()) {
          const tile = addIndex(addConstant(start, v), atomIndex(k.laneAxis));
          const square = [0, 1, 2, 3].map((i) =>
            [0, 1, 2, 3].map((j) => {
              const y = addConstant(scaleIndex(row, 2), i - lo[0]);
              const at = addConstant(scaleIndex(tile, 2), j - lo[1]);
              const guards = [outside(y, height), outside(at, width)].flat();
              const value = k.value(x, [batch, atomIndex(channel), y, at], guards);
              return L.splat(guards.length === 0 ? value.expr : k.masked(value, guards), this.W);
            }),
          );
          const origin = addIndex(
            addIndex(scaleIndex(panel, this.panelV), scaleIndex(atomIndex(channel), this.columns)),
            addConstant(column, v),
          );
          bothWays(k, square, ofInput).forEach((line, i) =>
            line.forEach((value, j) => {
              const at = addConstant(origin, (4 * i + j) * this.positionV);
              k.emit(L.store(this.V, k.integer(at).expr, value));
            }),
          );
        }
      });
    });
  }

  /** M = weights · V, for each position and panel. */
  private multiply(panels: Expr, chunks: Range): void {
    const { k, node, columns } = this;
    const which = newAxis(this.out / this.chunk);
    const channel = (o: Index) => addIndex(scaleIndex(atomIndex(which), this.chunk), o);
    const [, weights] = node.src;
    const input = leafLike(node as Node, [this.V.size]);
    const position = newAxis(16);
    const panel = newAxis(this.blockPanels);
    const at = (p: number, q: number) => addIndex(scaleIndex(atomIndex(position), p), scaleIndex(atomIndex(panel), q));
    const form: Contraction = {
      batch: [],
      m: [this.chunk],
      n: [this.used],
      k: [this.channels],
      a: (_, [o], [c]) => ({ node: weights, index: [atomIndex(position), channel(o), c], guards: [] }),
      b: (_, [j], [c]) => ({
        node: input,
        index: [addIndex(addIndex(at(this.positionV, this.panelV), scaleIndex(c, columns)), j)],
        guards: [],
      }),
      place: (_, [o], [j]) => [
        addIndex(addIndex(at(this.positionM, this.out * columns), scaleIndex(channel(o), columns)), j),
      ],
    };
    const product = derive(node as Node, 'matmul', [weights, input], null, [this.M.size]);
    const context = {
      ...this.lowering.context,
      buffer: (n: Node) => (n === input ? this.V : this.lowering.context.buffer(n)),
    };
    const lowering = { ...this.lowering, context };
    k.loop('position', L.int(0), L.int(16), 1, position, () =>
      k.loop('chunk', chunks.from, chunks.to, 1, which, () =>
        k.loop('p', L.int(0), panels, 1, panel, () =>
          contractAlone(k, product, form, this.M, lowering, { isPacked: true }),
        ),
      ),
    );
  }

  /** Aᵀ M A of all output channels of the strips [from, to), and the members of the group. */
  private transformOutput(from: Expr, to: Expr, channels: Range): void {
    const { k, W } = this;
    const channel = newAxis(this.out);
    const low = Array.from({ length: W }, (_, i) => (i % 2) * W + (i >> 1));
    const high = low.map((i) => i + W / 2);
    k.loop('o', channels.from, channels.to, 1, channel, () => {
      k.loop('s', from, to, 1, this.strip, () => {
        const { batch, row, start, panel, column } = this.place();
        for (const v of this.vectorsOfStrip()) {
          const origin = addIndex(
            addIndex(scaleIndex(panel, this.out * this.columns), scaleIndex(atomIndex(channel), this.columns)),
            addConstant(column, v),
          );
          const square = [0, 1, 2, 3].map((i) =>
            [0, 1, 2, 3].map((j) => {
              const at = addConstant(origin, (4 * i + j) * this.positionM);
              return k.define('m', L.load(this.M, k.integer(at).expr, W));
            }),
          );
          bothWays(k, square, ofOutput).forEach(([even, odd], i) => {
            const y = addConstant(scaleIndex(row, 2), i);
            const halves = [low, high].map((pick) => k.define('y', L.shuffle(even, odd, pick)));
            const put = () =>
              halves.forEach((acc, h) => this.store(acc, [batch, atomIndex(channel), y], start, 2 * v + h * W));
            if (i === 1 && this.node.shape[2] % 2 !== 0) {
              const isInside = L.compare('lt', k.integer(y).expr, L.int(this.node.shape[2]));
              k.emit(L.when(isInside, k.block(put)));
            } else put();
          });
        }
      });
    });
  }

  /** W results of one row, `offset` columns from the start of the strip. */
  private store(acc: Expr, index: readonly Index[], start: Index, offset: number): void {
    const { k, W, node } = this;
    const width = node.shape[3];
    const columns = Math.min(2 * this.length, width);
    const put = (end: number) => {
      const lanes = Math.min(W, end - offset);
      if (lanes <= 0) return;
      const x = addIndex(addConstant(scaleIndex(start, 2), offset), atomIndex(k.laneAxis));
      const guards: Guard[] = lanes < W ? [{ index: x, size: width }] : [];
      finish(k, this.lowering, this.members, node as Node, acc, [...index, x], guards, lanes);
    };
    // An odd width ends in the middle of the last part's last tile.
    if (this.parts > 1 && width % 2 !== 0 && offset + W >= columns) {
      const isLast = L.compare('eq', k.integer(start).expr, L.int(this.tiles[1] - this.length));
      k.emit(
        L.when(
          isLast,
          k.block(() => put(columns - 1)),
          k.block(() => put(columns)),
        ),
      );
    } else put(columns);
  }
}
