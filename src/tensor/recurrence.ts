// Recurrent networks over a whole sequence: one operator whose derivative is written by hand (backpropagation through
// time), so that the graph holds a few nodes a step and the gradient of the recurrent weight is one matmul over all steps
// instead of one a step.
//   A cell says what one step does and how a gradient goes back through it; `recurrence` walks the steps in both directions
//   of time. Everything is made of graph nodes, so that it can be differentiated again.
// Gates come in two parts, from the input and from the hidden state: the candidate of a GRU treats them differently.
// Must not know: modules, layers, options.

import * as build from '../engine/ir/build.js';
import type { Node } from '../engine/ir/node.js';
import { type AnyTensor, type Tensor, wrap } from './tensor.js';

/** The gradients that one step hands on. */
interface StepGradients {
  readonly inputGates: Node;
  readonly hiddenGates: Node;
  /** To the states before the step, apart from what flows through `hiddenGates`; undefined for nothing. */
  readonly before: readonly (Node | undefined)[];
}

/** States are [batch, hidden], the hidden state first; gates are [batch, gates · hidden]. */
export interface Cell {
  readonly name: string;
  readonly gates: number;
  readonly states: number;
  step(inputGates: Node, hiddenGates: Node, before: readonly Node[]): Node[];
  stepBack(
    gradients: readonly Node[],
    inputGates: Node,
    hiddenGates: Node,
    before: readonly Node[],
    after: readonly Node[],
  ): StepGradients;
}

const { add, mul, sub } = build;
const one = build.constant(1) as Node;
const zero = build.constant(0) as Node;
const sigmoid = (x: Node): Node => build.unary('sigmoid', x);
const tanh = (x: Node): Node => build.unary('tanh', x);
/** g times the slope of a sigmoid whose value is y. */
const throughSigmoid = (g: Node, y: Node): Node => mul(g, mul(y, sub(one, y)));
const throughTanh = (g: Node, y: Node): Node => mul(g, sub(one, mul(y, y)));

/** [batch, count · hidden] → count times [batch, hidden]. */
function parts(gates: Node, count: number): Node[] {
  const hidden = gates.shape[1] / count;
  return Array.from({ length: count }, (_, i) => build.sliceAxis(gates, 1, i * hidden, (i + 1) * hidden));
}

/** h' = f(gates), f being tanh or relu (Elman 1990). */
export function elmanCell(nonlinearity: 'tanh' | 'relu'): Cell {
  return {
    name: 'rnn',
    gates: 1,
    states: 1,
    step: (x, h) => [build.unary(nonlinearity, add(x, h))],
    stepBack([g], _x, _h, _before, [h]) {
      const gates = nonlinearity === 'tanh' ? throughTanh(g, h) : build.where(build.binary('lt', zero, h), g, zero);
      return { inputGates: gates, hiddenGates: gates, before: [undefined] };
    },
  };
}

/** c' = f·c + i·g, h' = o·tanh(c'); gates in the order i, f, g, o (Hochreiter and Schmidhuber 1997, as PyTorch). */
export const lstmCell: Cell = {
  name: 'lstm',
  gates: 4,
  states: 2,
  step(x, h, [, c]) {
    const [i, f, g, o] = parts(add(x, h), 4);
    const next = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)));
    return [mul(sigmoid(o), tanh(next)), next];
  },
  stepBack([gh, gc], x, h, [, c], [, next]) {
    const gates = parts(add(x, h), 4);
    const [i, f, o] = [sigmoid(gates[0]), sigmoid(gates[1]), sigmoid(gates[3])];
    const g = tanh(gates[2]);
    const t = tanh(next);
    const cell = add(gc, throughTanh(mul(gh, o), t));
    const all = build.concat(
      [
        throughSigmoid(mul(cell, g), i),
        throughSigmoid(mul(cell, c), f),
        throughTanh(mul(cell, i), g),
        throughSigmoid(mul(gh, t), o),
      ],
      1,
    );
    return { inputGates: all, hiddenGates: all, before: [undefined, mul(cell, f)] };
  },
};

/** h' = (1 − z)·n + z·h with n = tanh(xₙ + r·hₙ); gates in the order r, z, n (Cho et al. 2014, as PyTorch). */
export const gruCell: Cell = {
  name: 'gru',
  gates: 3,
  states: 1,
  step(x, h, [before]) {
    const { z, n } = gruGates(x, h);
    return [add(n, mul(z, sub(before, n)))];
  },
  stepBack([g], x, h, [before]) {
    const { r, z, n, candidate } = gruGates(x, h);
    const gn = throughTanh(mul(g, sub(one, z)), n);
    const gz = throughSigmoid(mul(g, sub(before, n)), z);
    const gr = throughSigmoid(mul(gn, candidate), r);
    return {
      inputGates: build.concat([gr, gz, gn], 1),
      hiddenGates: build.concat([gr, gz, mul(gn, r)], 1),
      before: [mul(g, z)],
    };
  },
};

function gruGates(x: Node, h: Node): Record<'r' | 'z' | 'n' | 'candidate', Node> {
  const [xr, xz, xn] = parts(x, 3);
  const [hr, hz, candidate] = parts(h, 3);
  const r = sigmoid(add(xr, hr));
  return { r, z: sigmoid(add(xz, hz)), n: tanh(add(xn, mul(r, candidate))), candidate };
}

const transposed = (matrix: Node): Node => build.permute(matrix, [1, 0]);

/** x [time, …] → [1, …] at one time, and the same without the 1. */
const at = (x: Node, time: number): Node => build.reshape(build.sliceAxis(x, 0, time, time + 1), x.shape.slice(1));

const stack = (steps: readonly Node[]): Node =>
  build.concat(
    steps.map((step) => build.reshape(step, [1, ...step.shape])),
    0,
  );

function hiddenGates(h: Node, weight: Node, bias: Node | undefined): Node {
  const gates = build.matmul(h, transposed(weight));
  return bias === undefined ? gates : add(gates, bias);
}

export interface RecurrenceInputs {
  /** What the input gives to the gates, for all steps: [time, batch, gates · hidden]. */
  readonly inputGates: AnyTensor;
  /** [gates · hidden, hidden] */
  readonly weight: AnyTensor;
  /** [gates · hidden], added to the hidden part of the gates. */
  readonly bias?: AnyTensor;
  /** The states at the start, each [batch, hidden]. */
  readonly initial: readonly AnyTensor[];
}

/** The steps of a cell. `valid` [time, batch, 1] (bool): where false, states stay as they were. */
export function recurrence(
  cell: Cell,
  inputs: RecurrenceInputs,
  options: { readonly reverse?: boolean; readonly valid?: AnyTensor } = {},
): { readonly hidden: Tensor; readonly states: Tensor[] } {
  const { reverse = false } = options;
  const [gates, weight, bias] = [inputs.inputGates.node, inputs.weight.node, inputs.bias?.node];
  const initial = inputs.initial.map((state) => state.node);
  const valid = options.valid?.node;
  const length = gates.shape[0];
  const order = Array.from({ length }, (_, i) => (reverse ? length - 1 - i : i));

  const steps: { time: number; x: Node; h: Node; before: Node[]; after: Node[] }[] = [];
  let states = initial;
  for (const time of order) {
    const before = states;
    const x = at(gates, time);
    const h = hiddenGates(before[0], weight, bias);
    const after = cell.step(x, h, before);
    steps.push({ time, x, h, before, after });
    states = valid === undefined ? after : after.map((state, i) => build.where(at(valid, time), state, before[i]));
  }
  const hidden = steps.map((_, i) => (i + 1 < length ? steps[i + 1].before[0] : states[0]));
  // One operator has one result: the hidden states of all times, then the final values of the other states.
  const value = stack([...(reverse ? hidden.reverse() : hidden), ...states.slice(1)]);

  const backward = (gradient: unknown): (Node | null)[] => {
    const g = gradient as Node;
    let carried: (Node | undefined)[] = initial.map((_, i) => (i === 0 ? undefined : at(g, length + i - 1)));
    const inputSteps = new Array<Node>(length);
    const hiddenSteps = new Array<Node>(length);
    for (const { time, x, h, before, after } of steps.toReversed()) {
      const own = at(g, time);
      const whole = carried.map((c, i) => (i === 0 ? (c === undefined ? own : add(own, c)) : c)) as Node[];
      const mask = valid === undefined ? undefined : at(valid, time);
      const arriving = mask === undefined ? whole : whole.map((c) => build.where(mask, c, zero));
      const back = cell.stepBack(arriving, x, h, before, after);
      inputSteps[time] = back.inputGates;
      hiddenSteps[time] = back.hiddenGates;
      carried = back.before.map((direct, i) => {
        const ways = [
          direct,
          i === 0 ? build.matmul(back.hiddenGates, weight) : undefined,
          mask === undefined ? undefined : build.where(mask, zero, whole[i]),
        ].filter((way) => way !== undefined);
        return ways.length === 0 ? undefined : ways.reduce(add);
      });
    }
    const toInput = stack(inputSteps);
    const toHidden = inputSteps.every((step, i) => step === hiddenSteps[i]) ? toInput : stack(hiddenSteps);
    const [rest, first] = [sliceTime(value, reverse ? 1 : 0, reverse ? length : length - 1), stack([initial[0]])];
    const past = build.concat(reverse ? [rest, first] : [first, rest], 0);
    const flat = (t: Node): Node => build.reshape(t, [length * t.shape[1], t.shape[2]]);
    const toWeight = build.matmul(transposed(flat(toHidden)), flat(past));
    const toBias = bias === undefined ? [] : [build.reshape(build.sum(flat(toHidden), [0]), bias.shape)];
    return [toInput, toWeight, ...toBias, ...(carried as Node[])];
  };
  const sources = [gates, weight, ...(bias === undefined ? [] : [bias]), ...initial];
  const all = build.custom(value, sources, { name: cell.name, backward });
  const last = at(all, reverse ? 0 : length - 1);
  return {
    hidden: wrap(sliceTime(all, 0, length)),
    states: [wrap(last), ...initial.slice(1).map((_, i) => wrap<number[], 'float32'>(at(all, length + i)))],
  };
}

function sliceTime(x: Node, from: number, to: number): Node {
  return build.sliceAxis(x, 0, from, to);
}

/** One step of a cell; the gradient is the graph's. */
export function recurrentStep(cell: Cell, inputs: RecurrenceInputs): Tensor[] {
  const initial = inputs.initial.map((state) => state.node);
  const h = hiddenGates(initial[0], inputs.weight.node, inputs.bias?.node);
  return cell.step(inputs.inputGates.node, h, initial).map((state) => wrap(state));
}
