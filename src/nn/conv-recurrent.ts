// ConvLSTM (Shi et al. 2015): an LSTM over sequences of images, whose states are images and whose gates are convolutions.
//   [T, N, C, H, W] and the states at the start in, the hidden state at every time and the states at the end out.

import { zeros } from '../tensor/creation.js';
import { stack } from '../tensor/functions.js';
import { checkOptions, formatShape, type OptionNames, sameShape, type Shape, ShapeError } from '../tensor/library.js';
import type {
  Guard,
  HasRank,
  ShapeError as ShapeErrorType,
  ShapeText,
  SizesDiffer,
  SizeText,
} from '../tensor/shape-types/shape.js';
import type { ConvArg, ConvShape } from '../tensor/shape-types/window.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';
import { Conv2d, type ConvOptions } from './conv.js';
import { checkChannels, checkCount } from './layer.js';
import { Module } from './module.js';

export interface ConvLSTMCellOptions {
  /** Default true. */
  readonly bias?: boolean;
}

const CONV_LSTM_CELL_OPTIONS: OptionNames<ConvLSTMCellOptions> = { bias: true };

export interface ConvLSTMOptions extends ConvLSTMCellOptions {
  /** Networks on top of each other, each reading the hidden states of the one below. Default 1. */
  readonly numLayers?: number;
  /** Sequences are [N, T, C, H, W] instead of [T, N, C, H, W]. Default false. */
  readonly batchFirst?: boolean;
}

const CONV_LSTM_OPTIONS: OptionNames<ConvLSTMOptions> = { numLayers: true, batchFirst: true, bias: true };

/** i, f, g and o from a [N, 4 · hidden, H, W], then the next states. */
function gated(gates: Tensor, c: Tensor): [h: Tensor, c: Tensor] {
  const [input, forget, candidate, output] = gates.chunk(4, 1);
  const next = forget.sigmoid().mul(c).add(input.sigmoid().mul(candidate.tanh()));
  return [output.sigmoid().mul(next.tanh()), next];
}

/**
 * One step: `forward(x, [h, c]?)` → the next `[h, c]`, x [N, inChannels, H, W], states [N, hiddenChannels, H, W], zeros unless
 * given. The gates i, f, g, o are conv_ih(x) + conv_hh(h), both padded to keep the size; no peephole connections.
 */
export class ConvLSTMCell<const In extends number, const H extends number> extends Module {
  readonly convIh: Conv2d<number, number, number, ConvOptions>;
  readonly convHh: Conv2d<number, number, number, ConvOptions>;
  readonly inChannels: In;
  readonly hiddenChannels: H;

  constructor(inChannels: In, hiddenChannels: H, kernelSize: number, options: ConvLSTMCellOptions = {}) {
    checkOptions(new.target.name, options, CONV_LSTM_CELL_OPTIONS);
    super();
    checkCount(inChannels, 1, 'ConvLSTMCell: inChannels');
    checkCount(hiddenChannels, 1, 'ConvLSTMCell: hiddenChannels');
    checkCount(kernelSize, 1, 'ConvLSTMCell: kernelSize');
    const padding = 'same';
    this.convIh = new Conv2d<number, number, number, ConvOptions>(inChannels, 4 * hiddenChannels, kernelSize, {
      padding,
      bias: options.bias ?? true,
    });
    this.convHh = new Conv2d<number, number, number, ConvOptions>(hiddenChannels, 4 * hiddenChannels, kernelSize, {
      padding,
      bias: false,
    });
    this.inChannels = inChannels;
    this.hiddenChannels = hiddenChannels;
  }

  forward<S extends Shape>(
    x: Tensor<S> & ConvArg<'ConvLSTMCell', 2, S, In, 1>,
    states?: readonly [h: Tensor, c: Tensor],
  ): [h: Tensor<ConvShape<2, S, H, 1>>, c: Tensor<ConvShape<2, S, H, 1>>] {
    checkTensor(x, this.constructor.name, 'the input');
    if (x.rank !== 4)
      throw new ShapeError(`ConvLSTMCell: input ${formatShape(x.shape)}: needs [N, C, H, W]`, [x.shape]);
    checkChannels('ConvLSTMCell', x.shape, 1, this.inChannels, 'inChannels');
    const [h, c] = this.startStates('ConvLSTMCell', [x.shape[0], ...x.shape.slice(2)], states);
    const images: Tensor = x;
    return this.step(this.convIh.forward(images), h, c);
  }

  /** @internal The states at the start, [N, hidden, H, W], for sizes [N, H, W]. */
  startStates(
    name: string,
    [batch, ...sizes]: readonly number[],
    states: readonly [h: Tensor, c: Tensor] | undefined,
  ): [h: Tensor, c: Tensor] {
    const shape = [batch, this.hiddenChannels as number, ...sizes];
    for (const state of states ?? []) {
      if (sameShape(state.shape, shape)) continue;
      throw new ShapeError(`${name}: state ${formatShape(state.shape)} is not ${formatShape(shape)}`, [state.shape]);
    }
    return states === undefined ? [zeros(shape), zeros(shape)] : [states[0], states[1]];
  }

  /** @internal `gates` is what the input gives to them. */
  step(gates: Tensor, h: Tensor, c: Tensor): [h: Tensor, c: Tensor] {
    return gated(gates.add(this.convHh.forward(h)), c);
  }

  protected override describe(): string {
    return `${this.inChannels}, ${this.hiddenChannels}, ${this.convIh.weight.shape[2]}`;
  }
}

/** (T, N, C, H, W) → (T, N, Hidden, H, W) */
type Images<S extends Shape, Hidden extends number> = S extends readonly [
  infer T extends number,
  infer N extends number,
  number,
  infer H extends number,
  infer W extends number,
]
  ? [T, N, Hidden, H, W]
  : number[];

/** Guard of a sequence of images. */
type ImagesArg<S extends Shape, In extends number> = Guard<
  HasRank<S> extends true
    ? S extends readonly [number, number, infer C extends number, number, number]
      ? SizesDiffer<C, In> extends true
        ? ShapeErrorType<`ConvLSTM: input ${ShapeText<S>}: channel dimension ${SizeText<C>} is not inChannels ${SizeText<In>}`>
        : unknown
      : ShapeErrorType<`ConvLSTM: input ${ShapeText<S>}: needs [T, N, C, H, W]`>
    : unknown
>;

/**
 * `forward(x, [h0, c0]?)` → `[output, [h, c]]`: x [T, N, inChannels, H, W] ([N, T, …] with batchFirst) → output
 * [T, N, hiddenChannels, H, W] and the last states [layers, N, hiddenChannels, H, W]. An LSTM whose matrices are convolutions
 * (Shi et al. 2015, without peephole connections); kernelSize is one number, the size of the images stays.
 */
export class ConvLSTM<const In extends number, const H extends number> extends Module {
  readonly cells: readonly ConvLSTMCell<number, H>[];
  readonly inChannels: In;
  readonly batchFirst: boolean;

  constructor(inChannels: In, hiddenChannels: H, kernelSize: number, options: ConvLSTMOptions = {}) {
    checkOptions(new.target.name, options, CONV_LSTM_OPTIONS);
    super();
    const { numLayers = 1, bias, batchFirst = false } = options;
    checkCount(inChannels, 1, 'ConvLSTM: inChannels');
    checkCount(hiddenChannels, 1, 'ConvLSTM: hiddenChannels');
    checkCount(kernelSize, 1, 'ConvLSTM: kernelSize');
    checkCount(numLayers, 1, 'ConvLSTM: numLayers');
    this.cells = Array.from(
      { length: numLayers },
      (_, layer) =>
        new ConvLSTMCell<number, H>(layer === 0 ? inChannels : hiddenChannels, hiddenChannels, kernelSize, { bias }),
    );
    this.inChannels = inChannels;
    this.batchFirst = batchFirst;
  }

  forward<S extends Shape>(
    x: Tensor<S> & ImagesArg<S, In>,
    initial?: readonly [h0: Tensor, c0: Tensor],
  ): [output: Tensor<Images<S, H>>, states: [h: Tensor, c: Tensor]] {
    checkTensor(x, this.constructor.name, 'the input');
    const text = this.batchFirst ? '[N, T, C, H, W]' : '[T, N, C, H, W]';
    if (x.rank !== 5) throw new ShapeError(`ConvLSTM: input ${formatShape(x.shape)}: needs ${text}`, [x.shape]);
    checkChannels('ConvLSTM', x.shape, 2, this.inChannels, 'inChannels');
    if (x.shape[this.batchFirst ? 1 : 0] === 0)
      throw new ShapeError(`ConvLSTM: input ${formatShape(x.shape)}: no steps`, [x.shape]);
    let sequence: Tensor = x;
    if (this.batchFirst) sequence = sequence.transpose(0, 1);
    const ends: [h: Tensor, c: Tensor][] = [];
    for (const [layer, cell] of this.cells.entries()) {
      const start = initial?.map((state) => state.index(layer) as Tensor) as [Tensor, Tensor] | undefined;
      const [hidden, end] = walk(cell as ConvLSTMCell<number, number>, sequence, start);
      ends.push(end);
      sequence = hidden;
    }
    const output = this.batchFirst ? sequence.transpose(0, 1) : sequence;
    const states = [0, 1].map((i) => stack(ends.map((end) => end[i])));
    return [output, states] as never; // the branches of a condition on its options, which stays open here
  }
}

/** One layer over time; the input's part of all gates is one convolution. */
function walk(
  cell: ConvLSTMCell<number, number>,
  sequence: Tensor,
  initial: [Tensor, Tensor] | undefined,
): [hidden: Tensor, end: [Tensor, Tensor]] {
  const [time, batch, , ...sizes] = sequence.shape;
  const images = sequence.reshape([time * batch, ...sequence.shape.slice(2)] as Shape);
  const gates = cell.convIh.forward(images);
  let [h, c] = cell.startStates('ConvLSTM', [batch, ...sizes], initial);
  const hidden: Tensor[] = [];
  for (let t = 0; t < time; t++) {
    [h, c] = cell.step(gates.slice(0, t * batch, (t + 1) * batch), h, c);
    hidden.push(h);
  }
  return [stack(hidden), [h, c]];
}
