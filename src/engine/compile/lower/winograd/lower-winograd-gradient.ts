// The weight gradient of a convolution of 3×3 as 16 products of matrices over all tiles (winograd.ts):
//   sums [position][O][C] = Σ over tiles of Z [position][O][tile] · V [position][tile][C],  Z = A dy Aᵀ, V = Bᵀ x B.
// Threads share position rows (4 positions each) of blocks of input channels. For a block of tiles a thread transforms dy,
// its tiles side by side in a vector, and x, its channels side by side: rows of the image are combined first, transposed
// in registers, then combined along the row.

import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr } from '../../../loop/loop.js';
import { MANY_BLOCKS } from '../contraction/contraction-ends.js';
import { type Contraction, outside } from '../../indices/contraction.js';
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
import { splitRange } from '../kernel/parallel.js';
import { derive } from '../../graph/rewrite.js';
import { transposeVectors } from '../kernel/transpose.js';
import { FIRST, SECOND, SIGN, leafLike, ofGradient, ofInput } from './winograd-tiles.js';

/** Tiles of a block; a longer strip is a block of its own. */
const BLOCK_TILES = 256;
/** Input channels that share one transform of dy. */
const BLOCK_CHANNELS = 64;

export function lowerWinogradGradient(group: Group, lowering: Lowering): KernelBuilder {
  const node = group.members[0] as Node<'winogradGradient'>;
  const k = new KernelBuilder(lowering.context, lowering.target.lanes);
  const output = lowering.output(node as Node);
  if (output !== undefined && node.size > 0) new GradientLowering(k, node, output, lowering).lower();
  return k;
}

class GradientLowering {
  private readonly k: KernelBuilder;
  private readonly lowering: Lowering;
  private readonly node: Node<'winogradGradient'>;
  private readonly output: Buffer;

  private readonly W: number;
  private readonly out: number;
  private readonly batch: number;
  private readonly tiles: readonly [number, number];
  private readonly strips: number;
  private readonly stripsOfBlock: number;
  private readonly blocks: number;
  /** Tiles of a block. */
  private readonly depth: number;
  private readonly columns: number;
  private readonly panels: number;
  private readonly panelsOfUnit: number;
  private readonly positionZ: number;
  private readonly panelV: number;
  private readonly positionV: number;
  private readonly Z: Buffer;
  private readonly V: Buffer;
  /** One combined row of the image, channels side by side. */
  private readonly line: Buffer;
  private readonly vectorsOfLine: number;
  /** What the sums of very many blocks have lost by rounding. */
  private readonly lost: Buffer | undefined;

  private readonly strip: Axis;
  private readonly block = newAxis(1 << 20);
  /** Block of channels, and row of positions. */
  private readonly unit: Axis;

  constructor(k: KernelBuilder, node: Node<'winogradGradient'>, output: Buffer, lowering: Lowering) {
    this.k = k;
    this.node = node;
    this.output = output;
    this.lowering = lowering;
    const { lanes, tileVectors } = lowering.target;
    const [x, dy] = node.src;
    const [batch, out, height, width] = dy.shape;
    this.W = lanes;
    this.out = out;
    this.batch = batch;
    this.tiles = [Math.ceil(height / 2), Math.ceil(width / 2)];
    this.strips = batch * this.tiles[0];
    const most = Math.max(1, Math.floor(BLOCK_TILES / this.tiles[1]));
    this.blocks = Math.ceil(this.strips / most);
    this.stripsOfBlock = Math.ceil(this.strips / this.blocks);
    this.depth = this.stripsOfBlock * this.tiles[1];
    this.columns = lanes * tileVectors;
    this.panels = x.shape[1] / this.columns;
    this.panelsOfUnit = Math.min(this.panels, Math.max(1, BLOCK_CHANNELS / this.columns));
    this.positionZ = out * this.depth + lanes;
    this.panelV = this.depth * this.columns;
    this.positionV = this.panelsOfUnit * this.panelV + lanes;
    this.vectorsOfLine = Math.ceil((2 * this.tiles[1] + 2) / lanes);
    this.Z = lowering.scratch('Z', 4 * this.positionZ);
    this.V = lowering.scratch('V', 4 * this.positionV);
    this.line = lowering.scratch('line', this.vectorsOfLine * lanes * lanes);
    if (this.blocks > MANY_BLOCKS) this.lost = lowering.scratch('lost', node.size);
    this.strip = newAxis(this.strips);
    this.unit = newAxis(4 * Math.ceil(this.panels / this.panelsOfUnit));
  }

  lower(): void {
    const { k } = this;
    const range = splitRange(k, this.unit.size, false, 1);
    k.loop('unit', range.from, range.to, 1, this.unit, () => {
      const [channels, positions] = unflatten(atomIndex(this.unit), [this.unit.size / 4, 4]);
      const row = k.define('row', k.integer(positions).expr);
      const first = scaleIndex(channels, this.panelsOfUnit);
      const left = L.sub(L.int(this.panels), k.integer(first).expr);
      const panels = k.define('panels', L.binary('min', L.int(this.panelsOfUnit), left));
      k.loop('block', L.int(0), L.int(this.blocks), 1, this.block, (block) => {
        const from = k.define('from', L.mul(block, L.int(this.stripsOfBlock)));
        const end = L.binary('min', L.add(from, L.int(this.stripsOfBlock)), L.int(this.strips));
        const to = k.define('to', end);
        this.transformGradient(row, from, to);
        this.transformInput(row, first, panels, from, to);
        this.multiply(positions, first, panels, L.compare('eq', block, L.int(0)));
      });
    });
  }

  /** `values`[row], where that is one of few numbers. */
  private pick(row: Expr, values: readonly number[], literal: (n: number) => Expr): Expr {
    return this.k.define(
      'pick',
      values.reduceRight((rest: Expr | undefined, value, i) => {
        const own = literal(value);
        return rest === undefined ? own : L.select(L.compare('eq', row, L.int(i)), own, rest);
      }, undefined) as Expr,
    );
  }

  private place(): { batch: Index; row: Index; tile: Index } {
    const [batch, row] = unflatten(atomIndex(this.strip), [this.batch, this.tiles[0]]);
    const first = scaleIndex(atomIndex(this.block), this.stripsOfBlock);
    const inBlock = addIndex(atomIndex(this.strip), scaleIndex(first, -1));
    return { batch, row, tile: scaleIndex(inBlock, this.tiles[1]) };
  }

  private masked(node: Node, index: readonly Index[], axes: readonly [Index, Index]): Expr {
    const guards = axes.flatMap((at, d) => outside(at, node.shape[d + 2]));
    const value = this.k.value(node, [...index, ...axes], guards);
    return L.splat(guards.length === 0 ? value.expr : this.k.masked(value, guards), this.W);
  }

  /** One row of positions of Z = A dy Aᵀ: the sum of both rows of a tile with factors 1, 0 or -1. */
  private transformGradient(row: Expr, from: Expr, to: Expr): void {
    const { k, W } = this;
    const [, dy] = this.node.src;
    const upper = L.splat(this.pick(row, [1, 1, 1, 0], L.float), W);
    const lower = L.splat(this.pick(row, [0, 1, -1, -1], L.float), W);
    const channel = newAxis(this.out);
    k.loop('o', L.int(0), L.int(this.out), 1, channel, () => {
      const start = scaleIndex(atomIndex(channel), this.depth);
      k.loop('s', from, to, 1, this.strip, () => {
        const { batch, row: tileRow, tile } = this.place();
        for (let v = 0; v < this.tiles[1]; v += W) {
          const pair = [0, 1].map((j) => {
            const x = addConstant(scaleIndex(atomIndex(k.laneAxis), 2), 2 * v + j);
            const [a, b] = [0, 1].map((i) =>
              this.masked(dy, [batch, atomIndex(channel)], [addConstant(scaleIndex(tileRow, 2), i), x]),
            );
            return k.define('z', L.fma(lower, b, L.mul(upper, a)));
          });
          ofGradient(pair).forEach((value, j) => {
            const at = addIndex(start, addConstant(tile, j * this.positionZ + v));
            k.emit(L.store(this.Z, k.integer(at).expr, value));
          });
        }
      });
      if (this.blocks * this.stripsOfBlock === this.strips) return;
      // The last block may have fewer tiles: the others count as zero.
      const rest = newAxis(this.depth);
      const used = L.mul(L.sub(to, from), L.int(this.tiles[1]));
      k.loop('z', used, L.int(this.depth), 1, rest, () => {
        for (let j = 0; j < 4; j++) {
          const at = addIndex(start, addConstant(atomIndex(rest), j * this.positionZ));
          k.emit(L.store(this.Z, k.integer(at).expr, L.float(0)));
        }
      });
    });
  }

  /** One row of positions of V = Bᵀ x B, for the channels of `panels` panels from `first` on. */
  private transformInput(row: Expr, first: Index, panels: Expr, from: Expr, to: Expr): void {
    const { k, W } = this;
    const [x] = this.node.src;
    const { lo } = this.node.arg;
    const rowOf = (values: readonly number[]): Index => {
      const axis = newAxis(4);
      k.bindAxis(axis, this.pick(row, values, L.int));
      return atomIndex(axis);
    };
    const [upper, lower] = [rowOf(FIRST), rowOf(SECOND)];
    const sign = L.splat(this.pick(row, SIGN, L.float), W);
    const halves = this.columns / W;
    const vector = newAxis(this.panelsOfUnit * halves);
    k.loop('c', L.int(0), L.mul(panels, L.int(halves)), 1, vector, () => {
      const channel = scaleIndex(addIndex(scaleIndex(first, halves), atomIndex(vector)), W);
      const [panel, half] = unflatten(atomIndex(vector), [this.panelsOfUnit, halves]);
      k.loop('s', from, to, 1, this.strip, () => {
        const { batch, row: tileRow, tile } = this.place();
        const y = (which: Index) => addConstant(addIndex(scaleIndex(tileRow, 2), which), -lo[0]);
        for (let v = 0; v < this.vectorsOfLine; v++) {
          const at = addConstant(atomIndex(k.laneAxis), v * W - lo[1]);
          const rows = Array.from({ length: W }, (_, c) => {
            const [a, b] = [upper, lower].map((which) =>
              this.masked(x, [batch, addConstant(channel, c)], [y(which), at]),
            );
            return L.fma(sign, b, a);
          });
          transposeVectors(k, rows).forEach((column, i) => k.emit(L.store(this.line, L.int((v * W + i) * W), column)));
        }
        const t = newAxis(this.tiles[1]);
        k.loop('t', L.int(0), L.int(this.tiles[1]), 1, t, () => {
          const elements = [0, 1, 2, 3].map((i) => {
            const at = addConstant(scaleIndex(atomIndex(t), 2 * W), i * W);
            return k.define('x', L.load(this.line, k.integer(at).expr, W));
          });
          const origin = addIndex(
            addIndex(scaleIndex(panel, this.panelV), scaleIndex(addIndex(tile, atomIndex(t)), this.columns)),
            scaleIndex(half, W),
          );
          ofInput(elements).forEach((value, j) =>
            k.emit(L.store(this.V, k.integer(addConstant(origin, j * this.positionV)).expr, value)),
          );
        });
      });
    });
  }

  /** sums += Z · V, or = in the first block. */
  private multiply(positions: Index, first: Index, panels: Expr, isFirst: Expr): void {
    const { k, columns, depth, node } = this;
    const [left, right] = [this.Z, this.V].map((b) => leafLike(node as Node, [b.size]));
    const column = newAxis(4);
    const panel = newAxis(this.panelsOfUnit);
    const at = (p: number, q: number) => addIndex(scaleIndex(atomIndex(column), p), scaleIndex(atomIndex(panel), q));
    const form: Contraction = {
      batch: [],
      m: [this.out],
      n: [columns],
      k: [depth],
      a: (_, [o], [t]) => ({
        node: left,
        index: [addIndex(addIndex(at(this.positionZ, 0), scaleIndex(o, depth)), t)],
        guards: [],
      }),
      b: (_, [j], [t]) => ({
        node: right,
        index: [addIndex(addIndex(at(this.positionV, this.panelV), scaleIndex(t, columns)), j)],
        guards: [],
      }),
      place: (_, [o], [j]) => [
        addIndex(scaleIndex(positions, 4), atomIndex(column)),
        o,
        addIndex(scaleIndex(addIndex(first, atomIndex(panel)), columns), j),
      ],
    };
    const product = derive(node as Node, 'matmul', [left, right], null, node.shape);
    const { context } = this.lowering;
    const buffer = (n: Node) => (n === left ? this.Z : n === right ? this.V : context.buffer(n));
    const lowering = { ...this.lowering, context: { ...context, buffer } };
    const begins = k.define('begins', isFirst);
    const { lost } = this;
    k.loop('position', L.int(0), L.int(4), 1, column, () =>
      k.loop('p', L.int(0), panels, 1, panel, () =>
        contractAlone(k, product, form, this.output, lowering, { isPacked: true, isFirst: begins, lost }),
      ),
    );
  }
}
