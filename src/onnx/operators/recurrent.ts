// Recurrent layers: RNN, GRU, LSTM, in one or both directions. The usual ones are nabla's own recurrences; those with other
// activations, peepholes or a clip are written out step by step.

import { type Cell, elmanCell, gruCell, lstmCell, recurrence } from '../../tensor/library.js';
import { cat, stack, where } from '../../tensor/functions.js';
import { zeros } from '../../tensor/creation.js';
import { elu, leakyRelu } from '../../nn/functional.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type HostArray, allocate } from '../host/array.js';
import type { Call, Operators, Result } from './operator.js';
import { asInt, byRange, integerProduct } from './quantised.js';

type Activation = (x: Tensor) => Tensor;

interface Kind {
  readonly name: 'RNN' | 'GRU' | 'LSTM';
  readonly gates: number;
  readonly activations: readonly string[];
  /** Where each gate of nabla's order is in ONNX's. */
  readonly order: readonly number[];
}

const KINDS: Readonly<Record<Kind['name'], Kind>> = {
  RNN: { name: 'RNN', gates: 1, activations: ['Tanh'], order: [0] },
  // z, r, h → r, z, n
  GRU: { name: 'GRU', gates: 3, activations: ['Sigmoid', 'Tanh'], order: [1, 0, 2] },
  // i, o, f, c → i, f, g, o
  LSTM: { name: 'LSTM', gates: 4, activations: ['Sigmoid', 'Tanh', 'Tanh'], order: [0, 2, 3, 1] },
};

interface Sequence {
  /** [time, batch, inputs] */
  readonly x: Tensor;
  readonly hidden: number;
  /** [time, batch, 1]: where a sequence has not ended; undefined if all have the whole length. */
  readonly valid: Tensor | undefined;
  readonly clip: number | undefined;
}

function activationOf(call: Call, name: string, alpha: number | undefined, beta: number | undefined): Activation {
  switch (name.toLowerCase()) {
    case 'sigmoid':
      return (x) => x.sigmoid();
    case 'tanh':
      return (x) => x.tanh();
    case 'relu':
      return (x) => x.relu();
    case 'affine':
      return (x) => x.mul(alpha ?? 1).add(beta ?? 0);
    case 'leakyrelu':
      return (x) => leakyRelu(x, alpha ?? 0.01);
    case 'thresholdedrelu':
      return (x) => where(x.gt(alpha ?? 1), x, 0);
    case 'scaledtanh':
      return (x) =>
        x
          .mul(beta ?? 1)
          .tanh()
          .mul(alpha ?? 1);
    case 'hardsigmoid':
      return (x) =>
        x
          .mul(alpha ?? 0.2)
          .add(beta ?? 0.5)
          .maximum(0)
          .minimum(1);
    case 'elu':
      return (x) => elu(x, alpha ?? 1);
    case 'softsign':
      return (x) => x.div(x.abs().add(1));
    case 'softplus':
      return (x) => x.softplus();
    default:
      return call.fail(`the activation '${name}' is not known`);
  }
}

/** How many parameters an activation takes from each list. */
const TAKES: Readonly<Record<string, readonly [alpha: boolean, beta: boolean]>> = {
  affine: [true, true],
  leakyrelu: [true, false],
  thresholdedrelu: [true, false],
  scaledtanh: [true, true],
  hardsigmoid: [true, true],
  elu: [true, false],
};

function activationsOf(call: Call, kind: Kind, directions: number): { names: string[]; functions: Activation[] }[] {
  const given = call.texts('activations') ?? Array.from({ length: directions }, () => kind.activations).flat();
  const [alphas, betas] = [[...(call.floats('activation_alpha') ?? [])], [...(call.floats('activation_beta') ?? [])]];
  const functions = given.map((name) => {
    const [takesAlpha, takesBeta] = TAKES[name.toLowerCase()] ?? [false, false];
    return activationOf(call, name, takesAlpha ? alphas.shift() : undefined, takesBeta ? betas.shift() : undefined);
  });
  const each = kind.activations.length;
  return Array.from({ length: directions }, (_, i) => ({
    names: given.slice(i * each, (i + 1) * each).map((name) => name.toLowerCase()),
    functions: functions.slice(i * each, (i + 1) * each),
  }));
}

/** Part `index` of the first dimension, with its gates in nabla's order: on the host once and for all where it is constant. */
function gatesOf(
  call: Call,
  input: number,
  index: number,
  order: readonly number[],
  from = 0,
  count = order.length,
): Tensor {
  const known = call.known(input);
  const [, all, ...rest] = call.shape(input);
  const hidden = all / (count === order.length ? order.length : 2 * order.length);
  if (known !== undefined) {
    const made = call.environment.remember(known, `gates ${index} ${from} ${order.join()}`, (): HostArray => {
      const out = allocate(known.type, [order.length * hidden, ...rest]);
      const row = rest.reduce((a, b) => a * b, 1);
      order.forEach((gate, i) => {
        const begin = (index * all + (from + gate) * hidden) * row;
        for (let k = 0; k < hidden * row; k++) out.data[i * hidden * row + k] = known.data[begin + k];
      });
      return out;
    });
    return call.made(made);
  }
  const part: Tensor = call
    .tensor(input)
    .slice(0, index, index + 1)
    .reshape([all, ...rest]);
  const gates = order.map((gate): Tensor => part.slice(0, (from + gate) * hidden, (from + gate + 1) * hidden));
  return gates.length === 1 ? gates[0] : (cat(gates, 0) as AnyTensor as Tensor);
}

/** One direction of a layer: everything but its weights. */
interface Way {
  readonly index: number;
  readonly isReverse: boolean;
  /** [batch, hidden] each */
  readonly initial: readonly Tensor[];
  readonly names: readonly string[];
  readonly activations: readonly Activation[];
}

type Compute = (call: Call, kind: Kind, sequence: Sequence, way: Way) => Done;

function recurrent(call: Call, kind: Kind, hidden: number, compute: Compute): Result[] {
  const isBatchFirst = call.int('layout', 0) === 1;
  const direction = call.text('direction', 'forward');
  const reverses = direction === 'bidirectional' ? [false, true] : [direction === 'reverse'];
  let x = call.tensor(0);
  if (isBatchFirst) x = x.transpose(0, 1);
  const [length, batch] = x.shape;
  const activations = activationsOf(call, kind, reverses.length);
  const clip = call.hasAttribute('clip') ? call.float('clip') : undefined;
  const sequence: Sequence = { x, hidden, valid: validOf(call, length, batch), clip };
  const states = kind.name === 'LSTM' ? 2 : 1;
  const done = reverses.map((isReverse, index) => {
    const initial = Array.from({ length: states }, (_, s): Tensor => {
      if (!call.has(5 + s)) return zeros([batch, hidden], { dtype: x.dtype });
      const axis = isBatchFirst ? 1 : 0;
      return call
        .tensor(5 + s)
        .slice(axis, index, index + 1)
        .reshape([batch, hidden]);
    });
    const { names, functions } = activations[index];
    return compute(call, kind, sequence, { index, isReverse, initial, names, activations: functions });
  });
  return results(done, sequence, isBatchFirst, states);
}

/** Weights are real numbers. */
const withWeights: Compute = (call, kind, sequence, way) => {
  const { index, names } = way;
  const bias = (half: number): Tensor | undefined =>
    call.has(3) ? gatesOf(call, 3, index, kind.order, half * kind.gates, 2 * kind.gates) : undefined;
  const [w, r] = [gatesOf(call, 1, index, kind.order), gatesOf(call, 2, index, kind.order)];
  const [wb, rb] = [bias(0), bias(1)];
  const isUsual =
    sequence.clip === undefined &&
    !call.has(7) &&
    !call.flag('input_forget') &&
    (kind.name !== 'GRU' || call.flag('linear_before_reset')) &&
    (kind.name === 'RNN'
      ? names[0] === 'tanh' || names[0] === 'relu'
      : names.every((name, k) => name === kind.activations[k].toLowerCase()));
  if (isUsual) return asOne(kind, sequence, way, { w, r, wb, rb });
  const transposed: Tensor = r.transpose(0, 1);
  const order = kind.order.map((_, gate) => gate);
  const peepholes = peepholesOf(call, index, sequence.hidden);
  const candidate: Tensor = kind.name === 'GRU' ? gateOf(transposed, 2, sequence.hidden) : transposed;
  return stepByStep(call, kind, sequence, way, {
    gates: inputGates(sequence, w, wb),
    product: (h) => plus(h.matmul(transposed), rb),
    candidate: (h) => plus(h.matmul(candidate), rb && gateOf(rb, 2, sequence.hidden)),
    order,
    peepholes,
  });
};

const peepholesOf = (call: Call, index: number, hidden: number): Tensor | undefined =>
  call.has(7)
    ? call
        .tensor(7)
        .slice(0, index, index + 1)
        .reshape([3 * hidden])
    : undefined;

/** One gate of the last dimension. */
const gateOf = (t: Tensor, gate: number, hidden: number): Tensor => t.slice(-1, gate * hidden, (gate + 1) * hidden);

/** Weights are whole numbers of eight bits, and what they are multiplied with becomes such ones, by its own range (com.microsoft). */
const withQuantisedWeights: Compute = (call, kind, sequence, way) => {
  const { x, hidden } = sequence;
  const [length, batch, inputs] = x.shape;
  const part = (i: number): Tensor => call.tensor(i).select(0, way.index);
  const weight = (matrix: number, scale: number): { whole: Tensor; scale: Tensor } => ({
    whole: asInt(part(matrix)).sub(asInt(part(scale + 1))),
    scale: part(scale),
  });
  const [w, r] = [weight(1, 8), weight(2, 10)];
  const product = (a: Tensor, b: { whole: Tensor; scale: Tensor }): Tensor => {
    const { whole, scale } = byRange(a);
    return integerProduct(whole, b.whole).to('float32').mul(scale).mul(b.scale);
  };
  const bias = call.has(3) ? part(3) : undefined;
  const [wb, rb] = [bias?.slice(0, 0, 4 * hidden), bias?.slice(0, 4 * hidden, 8 * hidden)];
  const gates: Tensor = plus(product(x.reshape([length * batch, inputs]), w), wb).reshape([length, batch, 4 * hidden]);
  const ofHidden = (h: Tensor): Tensor => plus(product(h, r), rb);
  const peepholes = peepholesOf(call, way.index, hidden);
  return stepByStep(call, kind, sequence, way, {
    gates,
    product: ofHidden,
    candidate: ofHidden,
    order: kind.order,
    peepholes,
  });
};

interface Done {
  /** [time, batch, hidden] */
  readonly hidden: Tensor;
  /** The last ones, [batch, hidden] each. */
  readonly states: readonly Tensor[];
}

/** Y [time, directions, batch, hidden], Y_h and Y_c [directions, batch, hidden]; with the batch first in the other layout. */
function results(done: readonly Done[], { valid }: Sequence, isBatchFirst: boolean, states: number): Result[] {
  const rows = done.map(({ hidden }) => (valid === undefined ? hidden : hidden.mul(valid.to(hidden.dtype))));
  const all: Tensor = done.length === 1 ? rows[0].unsqueeze(1) : stack(rows, 1);
  const last = Array.from({ length: states }, (_, s): Tensor => {
    const parts = done.map((one) => one.states[s]);
    return parts.length === 1 ? parts[0].unsqueeze(0) : stack(parts, 0);
  });
  if (!isBatchFirst) return [all, ...last];
  return [all.permute([2, 0, 1, 3]), ...last.map((t) => t.transpose(0, 1))];
}

function validOf(call: Call, length: number, batch: number): Tensor | undefined {
  if (!call.has(4)) return undefined;
  const known = call.known(4);
  if (known !== undefined && known.data.every((n) => n === length)) return undefined;
  const places = allocate('int32', [length, 1]);
  for (let t = 0; t < length; t++) places.data[t] = t;
  const lengths = call.tensor(4).reshape([1, batch]);
  const valid = call.made(places).lt(lengths).reshape([length, batch, 1]);
  return valid as AnyTensor as Tensor;
}

/** x·Wᵀ + b for all steps at once. */
function inputGates({ x }: Sequence, w: Tensor, bias: Tensor | undefined): Tensor {
  const [length, batch, inputs] = x.shape;
  const rows: Tensor = x.reshape([length * batch, inputs]);
  const gates: Tensor = rows.matmul(w.transpose(0, 1));
  const shifted = bias === undefined ? gates : gates.add(bias);
  return shifted.reshape([length, batch, w.shape[0]]);
}

interface Weights {
  /** [gates · hidden, inputs], [gates · hidden, hidden] */
  readonly w: Tensor;
  readonly r: Tensor;
  /** [gates · hidden] */
  readonly wb: Tensor | undefined;
  readonly rb: Tensor | undefined;
}

function asOne(kind: Kind, sequence: Sequence, way: Way, { w, r, wb, rb }: Weights): Done {
  const cell: Cell =
    kind.name === 'LSTM'
      ? lstmCell
      : kind.name === 'GRU'
        ? gruCell
        : elmanCell(way.names[0] === 'relu' ? 'relu' : 'tanh');
  // the candidate of a GRU has a bias inside of its reset
  const isInside = kind.name === 'GRU';
  const outside = wb === undefined || rb === undefined || isInside ? wb : wb.add(rb);
  const gates = inputGates(sequence, w, outside);
  const valid = sequence.valid === undefined ? {} : { valid: sequence.valid };
  const bias = isInside && rb !== undefined ? { bias: rb } : {};
  const inputs = { inputGates: gates, weight: r, ...bias, initial: way.initial };
  return recurrence(cell, inputs, { reverse: way.isReverse, ...valid });
}

/** What single steps are made of. */
interface Steps {
  /** What the inputs give to the gates: [time, batch, gates · hidden] */
  readonly gates: Tensor;
  /** What a hidden state gives to them. */
  readonly product: (h: Tensor) => Tensor;
  /** What a hidden state that was reset gives to the candidate of a GRU. */
  readonly candidate: (h: Tensor) => Tensor;
  /** Where each of nabla's gates is. */
  readonly order: readonly number[];
  /** [3 · hidden] of i, o, f */
  readonly peepholes: Tensor | undefined;
}

function stepByStep(call: Call, kind: Kind, { x, hidden, valid, clip }: Sequence, way: Way, steps: Steps): Done {
  const { isReverse, activations } = way;
  const length = x.shape[0];
  const limited: Activation = (t) => (clip === undefined ? t : t.maximum(-clip).minimum(clip));
  const part = (t: Tensor, gate: number): Tensor => gateOf(t, steps.order[gate], hidden);
  let states: readonly Tensor[] = way.initial;
  const outputs: Tensor[] = new Array<Tensor>(length);
  for (let i = 0; i < length; i++) {
    const time = isReverse ? length - 1 - i : i;
    const fromInput: Tensor = steps.gates.select(0, time);
    const [h, c] = states;
    let after: readonly Tensor[];
    if (kind.name === 'RNN') after = [activations[0](limited(fromInput.add(steps.product(h))))];
    else if (kind.name === 'GRU') after = [gruStep(call, fromInput, h, steps, part, activations, limited)];
    else after = lstmStep(call, fromInput.add(steps.product(h)), c, steps, hidden, part, activations, limited);
    if (valid !== undefined) {
      const going = valid.select(0, time).to('bool');
      after = after.map((state, s): Tensor => where(going, state, states[s]));
    }
    states = after;
    outputs[time] = after[0];
  }
  return { hidden: stack(outputs, 0) as AnyTensor as Tensor, states };
}

const plus = (x: Tensor, bias: Tensor | undefined): Tensor => (bias === undefined ? x : x.add(bias));

type Part = (t: Tensor, gate: number) => Tensor;

/** Gates r, z, n. */
function gruStep(
  call: Call,
  x: Tensor,
  h: Tensor,
  steps: Steps,
  part: Part,
  [f, g]: readonly Activation[],
  limited: Activation,
): Tensor {
  const before = steps.product(h);
  const reset = f(limited(part(x, 0).add(part(before, 0))));
  const update = f(limited(part(x, 1).add(part(before, 1))));
  const isAfter = call.flag('linear_before_reset');
  const inner = isAfter ? reset.mul(part(before, 2)) : steps.candidate(reset.mul(h));
  const candidate = g(limited(part(x, 2).add(inner)));
  return candidate.add(update.mul(h.sub(candidate)));
}

/** Gates i, f, g, o. */
function lstmStep(
  call: Call,
  gates: Tensor,
  c: Tensor,
  { peepholes }: Steps,
  hidden: number,
  part: Part,
  [f, g, h]: readonly Activation[],
  limited: Activation,
): readonly Tensor[] {
  const seen = (gate: number, index: number, state: Tensor): Tensor =>
    plus(part(gates, gate), peepholes && state.mul(gateOf(peepholes, index, hidden)));
  const input = f(limited(seen(0, 0, c)));
  const forget = call.flag('input_forget') ? input.neg().add(1) : f(limited(seen(1, 2, c)));
  const next = forget.mul(c).add(input.mul(g(limited(part(gates, 2)))));
  const output = f(limited(seen(3, 1, next)));
  return [output.mul(h(next)), next];
}

const layer = (name: Kind['name']) => ({
  inputs: [3, name === 'LSTM' ? 8 : 6] as const,
  weights: [1, 2, 3, 7],
  settings: [4],
  run: (call: Call) => recurrent(call, KINDS[name], call.int('hidden_size', call.shape(2)[2]), withWeights),
});

export const RECURRENT: Operators = {
  RNN: layer('RNN'),
  GRU: layer('GRU'),
  LSTM: layer('LSTM'),
  'com.microsoft::DynamicQuantizeLSTM': {
    inputs: [12, 12],
    settings: [4, 8, 9, 10, 11],
    run: (call) => recurrent(call, KINDS.LSTM, call.int('hidden_size', call.shape(2)[1]), withQuantisedWeights),
  },
};
