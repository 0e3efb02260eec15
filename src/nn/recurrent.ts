// Recurrent networks over sequences (RNN, LSTM, GRU) and their single steps (RNNCell, LSTMCell, GRUCell).
//   A sequence and the states at its start in, the hidden state at every time and the states at its end out.
// Here are parameters, layouts and options; the walk through time is src/tensor/recurrence.ts.

import { arange, zeros } from '../tensor/creation.js';
import { cat, stack, where } from '../tensor/functions.js';
import {
  ArgumentError,
  type Cell,
  checkOptions,
  DTypeError,
  elmanCell,
  formatShape,
  gruCell,
  lstmCell,
  type OptionNames,
  recurrence,
  recurrentStep,
  type Shape,
  ShapeError,
  shown,
} from '../tensor/library.js';
import type { Multiply } from '../tensor/shape-types/arithmetic.js';
import type { Exact, OptionOf } from '../tensor/shape-types/options.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { checkProbability, dropout } from '../tensor/dropout.js';
import * as init from './init.js';
import { checkCount, checkFloat, checkLast } from './layer.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';
import type { ReplaceLast, SequenceArg, StepArg } from './shape-types/last-dimension.js';

export interface RecurrentOptions {
  /** Networks on top of each other, each reading the hidden states of the one below. Default 1. */
  readonly numLayers?: number;
  /** Default true. */
  readonly bias?: boolean;
  /** Sequences are [N, T, …] instead of [T, N, …]. Default false. */
  readonly batchFirst?: boolean;
  /** Probability of dropout on the outputs of every layer but the last. Default 0. */
  readonly dropout?: number;
  /** A second network reads the sequence from its end; its outputs stand behind those of the first. Default false. */
  readonly bidirectional?: boolean;
}

const RECURRENT_OPTIONS: OptionNames<RecurrentOptions> = {
  numLayers: true,
  bias: true,
  batchFirst: true,
  dropout: true,
  bidirectional: true,
};

export interface RNNOptions extends RecurrentOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

const RNN_OPTIONS: OptionNames<RNNOptions> = {
  numLayers: true,
  nonlinearity: true,
  bias: true,
  batchFirst: true,
  dropout: true,
  bidirectional: true,
};

export interface SequenceOptions {
  /**
   * How many steps of each sequence count, [N] (int32). Behind its end a sequence keeps its state and its outputs are 0;
   * backwards it starts at its own end. PyTorch: pack_padded_sequence.
   */
  readonly lengths?: Tensor<readonly [number], 'int32'>;
}

const SEQUENCE_OPTIONS: OptionNames<SequenceOptions> = { lengths: true };

/** The parameters of one direction of one layer. */
interface Direction {
  readonly weightIh: Parameter;
  readonly weightHh: Parameter;
  readonly biasIh?: Parameter;
  readonly biasHh?: Parameter;
}

/** All parameters start uniform in ±1/√hiddenSize. */
function makeDirection(cell: Cell, inputSize: number, hiddenSize: number, bias: boolean): Direction {
  const bound = 1 / Math.sqrt(hiddenSize);
  const rows = cell.gates * hiddenSize;
  const weight = (...shape: number[]): Parameter => new Parameter(init.uniform(shape, -bound, bound));
  const weights = { weightIh: weight(rows, inputSize), weightHh: weight(rows, hiddenSize) };
  return bias ? { ...weights, biasIh: weight(rows), biasHh: weight(rows) } : weights;
}

/** What the input gives to the gates, and the bias that has to stay with the hidden part. */
function inputPart(cell: Cell, x: Tensor, { weightIh, biasIh, biasHh }: Direction): { gates: Tensor; bias?: Tensor } {
  const gates = x.matmul(weightIh.transpose(0, 1));
  if (biasIh === undefined || biasHh === undefined) return { gates };
  // A GRU multiplies the hidden part of its candidate; elsewhere both biases can be added at once.
  if (cell === gruCell) return { gates: gates.add(biasIh), bias: biasHh };
  return { gates: gates.add(biasIh.add(biasHh)) };
}

type Features<H extends number, O> =
  OptionOf<O, 'bidirectional', false, boolean> extends false
    ? H
    : OptionOf<O, 'bidirectional', false, boolean> extends true
      ? Multiply<H, 2>
      : number;

/** Throws unless the states are a list of tensors. */
function checkStates(name: string, states: readonly Tensor[] | undefined): void {
  if (states === undefined) return;
  if (!Array.isArray(states))
    throw new ArgumentError(`${name}: the initial states are ${shown(states)}. Pass a list of tensors: [h0, c0].`);
  for (const state of states) checkTensor(state, name, 'an initial state');
}

abstract class Recurrent<In extends number, H extends number> extends Module {
  readonly inputSize: In;
  readonly hiddenSize: H;
  readonly options: Required<RecurrentOptions>;
  protected readonly cell: Cell;
  private readonly directions: readonly (readonly Direction[])[];

  constructor(cell: Cell, inputSize: In, hiddenSize: H, options: RecurrentOptions = {}) {
    super();
    const { numLayers = 1, bias = true, batchFirst = false, dropout: p = 0, bidirectional = false } = options;
    const { name } = this.constructor;
    checkCount(inputSize, 1, `${name}: inputSize`);
    checkCount(hiddenSize, 1, `${name}: hiddenSize`);
    checkCount(numLayers, 1, `${name}: numLayers`);
    checkProbability(p, `${name}: dropout`);
    if (p > 0 && numLayers === 1) {
      throw new ArgumentError(
        `${name}: dropout ${p} acts between layers, and there is one. Use numLayers of 2 or more.`,
      );
    }
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.options = { numLayers, bias, batchFirst, dropout: p, bidirectional };
    this.cell = cell;
    const ways = bidirectional ? 2 : 1;
    this.directions = Array.from({ length: numLayers }, (_, layer) => {
      const size = layer === 0 ? inputSize : hiddenSize * ways;
      return Array.from({ length: ways }, () => makeDirection(cell, size, hiddenSize, bias));
    });
  }

  /** PyTorch's names: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_ih_l0_reverse, … */
  override *fields(): Iterable<readonly [string, unknown]> {
    for (const [layer, ways] of this.directions.entries()) {
      for (const [way, direction] of ways.entries()) {
        const suffix = `_l${layer}${way === 1 ? '_reverse' : ''}`;
        yield [`weight_ih${suffix}`, direction.weightIh];
        yield [`weight_hh${suffix}`, direction.weightHh];
        yield [`bias_ih${suffix}`, direction.biasIh];
        yield [`bias_hh${suffix}`, direction.biasHh];
      }
    }
  }

  /** x as the caller has it; `initial` [layers · directions, N, hidden] for each state. */
  protected run(
    x: Tensor,
    initial: readonly Tensor[] | undefined,
    options: SequenceOptions,
  ): { output: Tensor; states: Tensor[] } {
    checkOptions(this.constructor.name, options, SEQUENCE_OPTIONS);
    const { lengths } = options;
    const { name } = this.constructor;
    checkFloat(name, x);
    if (x.rank !== 2 && x.rank !== 3)
      throw new ShapeError(`${name}: input ${formatShape(x.shape)}: needs 2 or 3 dimensions`, [x.shape]);
    checkLast(name, x.shape, this.inputSize, 'inputSize');
    const unbatched = x.rank === 2;
    const batchFirst = this.options.batchFirst && !unbatched;
    const sequence = unbatched ? x.unsqueeze(1) : batchFirst ? x.transpose(0, 1) : x;
    const [time, batch] = sequence.shape;
    if (time === 0) throw new ShapeError(`${name}: input ${formatShape(x.shape)}: no steps`, [x.shape]);
    const starts = this.startStates(initial, batch, unbatched);
    const valid = lengths === undefined ? undefined : this.validSteps(lengths, time, batch);
    // Whatever padding holds counts nowhere, not as 0 · NaN in a gradient either.
    const counted = valid === undefined ? sequence : where(valid, sequence, 0);
    const { output, states } = this.layers(counted, starts, valid);
    const masked = valid === undefined ? output : where(valid, output, 0);
    return {
      output: unbatched ? masked.squeeze(1) : batchFirst ? masked.transpose(0, 1) : masked,
      states: unbatched ? states.map((state) => state.squeeze(1)) : states,
    };
  }

  private layers(
    sequence: Tensor,
    starts: readonly (readonly Tensor[])[],
    valid: AnyTensor | undefined,
  ): { output: Tensor; states: Tensor[] } {
    const ends: Tensor[][] = [];
    let output = sequence;
    for (const [layer, ways] of this.directions.entries()) {
      if (layer > 0 && this.training) output = dropout(output, this.options.dropout);
      const results = ways.map((direction, way) => {
        const { gates, bias } = inputPart(this.cell, output, direction);
        const inputs = { inputGates: gates, weight: direction.weightHh, bias, initial: starts[ends.length + way] };
        return recurrence(this.cell, inputs, { reverse: way === 1, valid });
      });
      for (const { states } of results) ends.push(states);
      output =
        results.length === 1
          ? results[0].hidden
          : cat(
              results.map(({ hidden }) => hidden),
              2,
            );
    }
    return {
      output,
      states: Array.from({ length: this.cell.states }, (_, i) => stack(ends.map((end) => end[i]))),
    };
  }

  /** For each layer and direction its states [N, hidden]; zeros unless given. */
  private startStates(initial: readonly Tensor[] | undefined, batch: number, unbatched: boolean): Tensor[][] {
    const count = this.directions.length * this.directions[0].length;
    const shape = unbatched ? [count, this.hiddenSize] : [count, batch, this.hiddenSize];
    checkStates(this.constructor.name, initial);
    if (initial !== undefined && initial.length !== this.cell.states) {
      throw new ArgumentError(
        `${this.constructor.name}: ${initial.length} initial states, needs ${this.cell.states}. Give all of them, or none.`,
      );
    }
    initial?.forEach((state) => {
      if (formatShape(state.shape) === formatShape(shape)) return;
      throw new ShapeError(
        `${this.constructor.name}: initial state ${formatShape(state.shape)} is not ${formatShape(shape)}`,
        [state.shape, shape],
      );
    });
    const zero = zeros([batch, this.hiddenSize]);
    return Array.from({ length: count }, (_, i) =>
      Array.from({ length: this.cell.states }, (_state, k) =>
        initial === undefined ? zero : initial[k].slice(0, i, i + 1).reshape([batch, this.hiddenSize] as Shape),
      ),
    );
  }

  /** [time, batch, 1]: whether a step lies before the end of its sequence. */
  private validSteps(lengths: AnyTensor, time: number, batch: number): Tensor<Shape, 'bool'> {
    const { name } = this.constructor;
    if (lengths.dtype !== 'int32')
      throw new DTypeError(`${name}: lengths are ${lengths.dtype}. Convert with to('int32').`, [lengths.dtype]);
    if (lengths.rank !== 1 || lengths.shape[0] !== batch) {
      throw new ShapeError(`${name}: lengths ${formatShape(lengths.shape)} for a batch of ${batch}`, [lengths.shape]);
    }
    const steps = arange(time).reshape([time, 1, 1]);
    return steps.lt(lengths.reshape([1, batch, 1]));
  }

  protected override describe(): string {
    const { numLayers, bias, batchFirst, dropout: p, bidirectional } = this.options;
    const options = [
      numLayers > 1 ? `numLayers: ${numLayers}` : '',
      bias ? '' : 'bias: false',
      batchFirst ? 'batchFirst: true' : '',
      p > 0 ? `dropout: ${p}` : '',
      bidirectional ? 'bidirectional: true' : '',
    ].filter((text) => text !== '');
    return `${this.inputSize}, ${this.hiddenSize}${options.length > 0 ? `, { ${options.join(', ')} }` : ''}`;
  }
}

/**
 * Elman's network: h_t = tanh(W_ih·x_t + b_ih + W_hh·h_{t−1} + b_hh), or relu. `forward(x, h0?)` → `[output, h]`:
 * x [T, N, inputSize] ([N, T, …] with batchFirst, [T, inputSize] without a batch) → output [T, N, hidden · directions] and
 * the last h [layers · directions, N, hidden]; h0 has the shape of h and is zero by default. PyTorch: nn.RNN.
 */
export class RNN<const In extends number, const H extends number, const O extends RNNOptions = {}> extends Recurrent<
  In,
  H
> {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputSize: In, hiddenSize: H, options?: O & Exact<O, RNNOptions>) {
    checkOptions(new.target.name, options, RNN_OPTIONS);
    const nonlinearity = options?.nonlinearity ?? 'tanh';
    checkNonlinearity('RNN', nonlinearity);
    super(elmanCell(nonlinearity), inputSize, hiddenSize, options);
    this.nonlinearity = nonlinearity;
  }

  forward<S extends Shape>(
    x: Tensor<S> & SequenceArg<'RNN', S, In>,
    h0?: Tensor,
    options: SequenceOptions = {},
  ): [output: Tensor<ReplaceLast<S, Features<H, O>>>, h: Tensor] {
    checkTensor(x, this.constructor.name, 'the input');
    if (h0 !== undefined) checkTensor(h0, this.constructor.name, 'the h0');
    const { output, states } = this.run(x, h0 === undefined ? undefined : [h0], options);
    return [output, states[0]];
  }
}

/**
 * Gated recurrent units (Cho et al. 2014). `forward(x, h0?)` → `[output, h]`; shapes and options as RNN's, the gates of
 * weight_ih [3·hidden, inputSize] in the order r, z, n. PyTorch: nn.GRU.
 */
export class GRU<
  const In extends number,
  const H extends number,
  const O extends RecurrentOptions = {},
> extends Recurrent<In, H> {
  constructor(inputSize: In, hiddenSize: H, options?: O & Exact<O, RecurrentOptions>) {
    checkOptions(new.target.name, options, RECURRENT_OPTIONS);
    super(gruCell, inputSize, hiddenSize, options);
  }

  forward<S extends Shape>(
    x: Tensor<S> & SequenceArg<'GRU', S, In>,
    h0?: Tensor,
    options: SequenceOptions = {},
  ): [output: Tensor<ReplaceLast<S, Features<H, O>>>, h: Tensor] {
    checkTensor(x, this.constructor.name, 'the input');
    if (h0 !== undefined) checkTensor(h0, this.constructor.name, 'the h0');
    const { output, states } = this.run(x, h0 === undefined ? undefined : [h0], options);
    return [output, states[0]];
  }
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997). `forward(x, [h0, c0]?)` → `[output, [h, c]]`; shapes and
 * options as RNN's, the gates of weight_ih [4·hidden, inputSize] in the order i, f, g, o. PyTorch: nn.LSTM.
 *
 *     const lstm = new LSTM(64, 256, { batchFirst: true });
 *     const [output, [h, c]] = lstm.forward(zeros([32, 100, 64]));   // output [32, 100, 256], h and c [1, 32, 256]
 */
export class LSTM<
  const In extends number,
  const H extends number,
  const O extends RecurrentOptions = {},
> extends Recurrent<In, H> {
  constructor(inputSize: In, hiddenSize: H, options?: O & Exact<O, RecurrentOptions>) {
    checkOptions(new.target.name, options, RECURRENT_OPTIONS);
    super(lstmCell, inputSize, hiddenSize, options);
  }

  forward<S extends Shape>(
    x: Tensor<S> & SequenceArg<'LSTM', S, In>,
    initial?: readonly [h0: Tensor, c0: Tensor],
    options: SequenceOptions = {},
  ): [output: Tensor<ReplaceLast<S, Features<H, O>>>, states: [h: Tensor, c: Tensor]] {
    checkTensor(x, this.constructor.name, 'the input');
    const { output, states } = this.run(x, initial, options);
    return [output, [states[0], states[1]]];
  }
}

function checkNonlinearity(name: string, value: string): void {
  if (value !== 'tanh' && value !== 'relu')
    throw new ArgumentError(`${name}: nonlinearity is '${value}'. Use 'tanh' or 'relu'.`);
}

export interface CellOptions {
  /** Default true. */
  readonly bias?: boolean;
}

const CELL_OPTIONS: OptionNames<CellOptions> = { bias: true };

abstract class RecurrentCell<In extends number, H extends number> extends Module {
  readonly inputSize: In;
  readonly hiddenSize: H;
  private readonly cell: Cell;
  private readonly direction: Direction;

  constructor(cell: Cell, inputSize: In, hiddenSize: H, options: CellOptions = {}) {
    super();
    const { name } = this.constructor;
    checkCount(inputSize, 1, `${name}: inputSize`);
    checkCount(hiddenSize, 1, `${name}: hiddenSize`);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.cell = cell;
    this.direction = makeDirection(cell, inputSize, hiddenSize, options.bias ?? true);
  }

  override fields(): Iterable<readonly [string, unknown]> {
    const { weightIh, weightHh, biasIh, biasHh } = this.direction;
    return Object.entries({ weight_ih: weightIh, weight_hh: weightHh, bias_ih: biasIh, bias_hh: biasHh });
  }

  protected step(x: Tensor, states: readonly Tensor[] | undefined): Tensor[] {
    const { name } = this.constructor;
    checkStates(name, states);
    checkFloat(name, x);
    if (x.rank !== 1 && x.rank !== 2)
      throw new ShapeError(`${name}: input ${formatShape(x.shape)}: needs 1 or 2 dimensions`, [x.shape]);
    checkLast(name, x.shape, this.inputSize, 'inputSize');
    const shape = [...x.shape.slice(0, -1), this.hiddenSize];
    if (states !== undefined && states.length !== this.cell.states)
      throw new ArgumentError(
        `${name}: ${states.length} states, needs ${this.cell.states}. Give all of them, or none.`,
      );
    states?.forEach((state) => {
      if (formatShape(state.shape) === formatShape(shape)) return;
      throw new ShapeError(`${name}: state ${formatShape(state.shape)} is not ${formatShape(shape)}`, [state.shape]);
    });
    const rows = (t: Tensor): Tensor => (t.rank === 1 ? t.unsqueeze(0) : t);
    const before = states ?? Array.from({ length: this.cell.states }, () => zeros(shape));
    const { gates, bias } = inputPart(this.cell, rows(x), this.direction);
    const inputs = { inputGates: gates, weight: this.direction.weightHh, bias, initial: before.map(rows) };
    return recurrentStep(this.cell, inputs).map((state) => state.reshape(shape));
  }

  protected override describe(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.direction.biasIh === undefined ? ', { bias: false }' : ''}`;
  }
}

export interface RNNCellOptions extends CellOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

const RNN_CELL_OPTIONS: OptionNames<RNNCellOptions> = { bias: true, nonlinearity: true };

/** One step of an RNN: x [N, inputSize] or [inputSize], h of zeros unless given → the next h. PyTorch: nn.RNNCell. */
export class RNNCell<const In extends number, const H extends number> extends RecurrentCell<In, H> {
  constructor(inputSize: In, hiddenSize: H, options: RNNCellOptions = {}) {
    checkOptions(new.target.name, options, RNN_CELL_OPTIONS);
    const { nonlinearity = 'tanh' } = options;
    checkNonlinearity('RNNCell', nonlinearity);
    super(elmanCell(nonlinearity), inputSize, hiddenSize, options);
  }

  forward<S extends Shape>(x: Tensor<S> & StepArg<'RNNCell', S, In>, h?: Tensor): Tensor<ReplaceLast<S, H>> {
    checkTensor(x, this.constructor.name, 'the input');
    if (h !== undefined) checkTensor(h, this.constructor.name, 'the h');
    return this.step(x, h && [h])[0];
  }
}

/** One step of a GRU: x [N, inputSize] or [inputSize], h of zeros unless given → the next h. PyTorch: nn.GRUCell. */
export class GRUCell<const In extends number, const H extends number> extends RecurrentCell<In, H> {
  constructor(inputSize: In, hiddenSize: H, options: CellOptions = {}) {
    checkOptions(new.target.name, options, CELL_OPTIONS);
    super(gruCell, inputSize, hiddenSize, options);
  }

  forward<S extends Shape>(x: Tensor<S> & StepArg<'GRUCell', S, In>, h?: Tensor): Tensor<ReplaceLast<S, H>> {
    checkTensor(x, this.constructor.name, 'the input');
    if (h !== undefined) checkTensor(h, this.constructor.name, 'the h');
    return this.step(x, h && [h])[0];
  }
}

/** One step of an LSTM: x [N, inputSize] or [inputSize], [h, c] of zeros unless given → the next [h, c]. PyTorch: nn.LSTMCell. */
export class LSTMCell<const In extends number, const H extends number> extends RecurrentCell<In, H> {
  constructor(inputSize: In, hiddenSize: H, options: CellOptions = {}) {
    checkOptions(new.target.name, options, CELL_OPTIONS);
    super(lstmCell, inputSize, hiddenSize, options);
  }

  forward<S extends Shape>(
    x: Tensor<S> & StepArg<'LSTMCell', S, In>,
    states?: readonly [h: Tensor, c: Tensor],
  ): [h: Tensor<ReplaceLast<S, H>>, c: Tensor<ReplaceLast<S, H>>] {
    checkTensor(x, this.constructor.name, 'the input');
    const [h, c] = this.step(x, states);
    return [h, c];
  }
}
