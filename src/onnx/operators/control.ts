// Control flow: If, Loop and Scan run graphs of their own. A condition that is known on the host picks the branch; one that has to be
// computed is read, unless nothing can be, or would have to be in each run: then both branches are computed, if they are alike.

import { stack, where } from '../../tensor/functions.js';
import type { AnyTensor } from '../../tensor/tensor.js';
import type { Graph } from '../graph/graph.js';
import { type HostArray, scalarOf } from '../host/array.js';
import { concatenated, sliced } from '../host/movement.js';
import { Value } from '../run/value.js';
import type { Call, Flow, Operators, Result } from './operator.js';

/** The value on the host; yields it to be read where it is not known. */
function* hostOf(value: Value): Generator<Value, HostArray, void> {
  if (value.host === undefined) yield value;
  return value.host as HostArray;
}

const NOTHING: ReadonlyMap<string, Value> = new Map();

const branches: Flow = function* (call, run) {
  const condition = call.value(0);
  if (condition.host === undefined && call.environment.selects) {
    const selected = selectedOf(call, run);
    if (selected !== undefined) return selected;
  }
  const chosen = (yield* hostOf(condition)).data[0] !== 0;
  return yield* run(call.graph(chosen ? 'then_branch' : 'else_branch'), NOTHING);
};

/** The results of both branches, of which the right one is taken: where neither has to read anything, and both give the same shapes. */
function selectedOf(call: Call, run: Parameters<Flow>[1]): Result[] | undefined {
  const [then, other] = ['then_branch', 'else_branch'].map((name) => run(call.graph(name), NOTHING).next());
  if (then.done !== true || other.done !== true) return undefined;
  const isAlike = then.value.every(({ type, shape }, i) => {
    const twin = other.value[i];
    return type === twin.type && shape.length === twin.shape.length && shape.every((n, axis) => n === twin.shape[axis]);
  });
  if (!isAlike) return undefined;
  const condition = call.tensor(0).to('bool').reshape([]);
  return then.value.map((value, i) => {
    const [a, b] = [value, other.value[i]].map((one) => call.environment.tensorOf(one));
    return call.as(where(condition, a, b), value.type);
  });
}

/** No graph repeats for ever. */
const MOST_STEPS = 1 << 20;

const loop: Flow = function* (call, run) {
  const body = call.graph('body');
  const limit = call.has(0) ? (yield* hostOf(call.value(0))).data[0] : Infinity;
  let isGoing = call.has(1) ? (yield* hostOf(call.value(1))).data[0] !== 0 : true;
  let carried: Value[] = call.values.slice(2).map((_, i) => call.value(i + 2));
  const count = carried.length;
  const collected: Value[][] = Array.from({ length: body.outputs.length - 1 - count }, () => []);
  for (let step = 0; step < limit && isGoing; step++) {
    if (step >= MOST_STEPS) call.fail(`it has not ended after ${MOST_STEPS} steps`);
    const given = new Map<string, Value>();
    const inputs = [Value.ofHost(scalarOf('int64', step)), Value.ofHost(scalarOf('bool', 1)), ...carried];
    body.inputs.forEach(({ name }, i) => given.set(name, inputs[i]));
    const outputs = yield* run(body, given);
    carried = outputs.slice(1, 1 + count);
    outputs.slice(1 + count).forEach((value, i) => collected[i].push(value));
    isGoing = body.outputs.length > 0 ? (yield* hostOf(outputs[0])).data[0] !== 0 : true;
  }
  return [...carried, ...collected.map((values, i) => stacked(call, values, 0, body, 1 + count + i))];
};

/** One after the other along a new dimension. */
function stacked(call: Call, values: readonly Value[], axis: number, body: Graph, output: number): Result {
  if (values.length === 0) {
    const { type, shape } = body.outputs[output];
    const sizes = (shape ?? []).map((n) => (typeof n === 'number' ? n : 0));
    return { type: type ?? 'float32', shape: [0, ...sizes], data: new Float32Array(0) };
  }
  const [first] = values;
  const at = axis < 0 ? axis + first.rank + 1 : axis;
  if (values.every((value) => value.host !== undefined)) {
    const parts = values.map(({ host }) => {
      const { shape, ...rest } = host as HostArray;
      return { ...rest, shape: [...shape.slice(0, at), 1, ...shape.slice(at)] };
    });
    return concatenated(parts, at);
  }
  const tensors = values.map((value) => call.environment.tensorOf(value));
  return call.as(stack(tensors, at), first.type);
}

/** The slice of a value at one position of an axis, without that axis. */
function sliceOf(call: Call, value: Value, axis: number, at: number): Value {
  const shape = value.shape.filter((_, i) => i !== axis);
  if (value.host !== undefined) {
    const part = sliced(
      value.host,
      value.shape.map((_, i) => (i === axis ? at : 0)),
      value.shape.map((n, i) => (i === axis ? 1 : n)),
      value.shape.map(() => 1),
    );
    return Value.ofHost({ ...part, shape }, value.sources);
  }
  return Value.ofTensor(call.environment.tensorOf(value).select(axis, at), value.type, value.sources);
}

const scan: Flow = function* (call, run) {
  const body = call.graph('body');
  // the first version had a batch, and the lengths of its sequences as an input
  if (call.opset < 9) return yield* batchedScan(call, run, body);
  const scanned = call.int('num_scan_inputs');
  const count = call.values.length - scanned;
  const inputs = call.values.map((_, i) => call.value(i));
  return yield* scanned1(call, run, body, inputs.slice(0, count), inputs.slice(count), {
    inputAxes: call.ints('scan_input_axes'),
    inputDirections: call.ints('scan_input_directions'),
    outputAxes: call.ints('scan_output_axes'),
    outputDirections: call.ints('scan_output_directions'),
  });
};

interface ScanOptions {
  readonly inputAxes?: readonly number[] | undefined;
  readonly inputDirections?: readonly number[] | undefined;
  readonly outputAxes?: readonly number[] | undefined;
  readonly outputDirections?: readonly number[] | undefined;
}

function* scanned1(
  call: Call,
  run: Parameters<Flow>[1],
  body: Graph,
  states: readonly Value[],
  sequences: readonly Value[],
  options: ScanOptions,
): Generator<Value, Result[], void> {
  const axes = sequences.map((value, i) => call.axis(options.inputAxes?.[i] ?? 0, value.rank));
  if (sequences.length === 0) return call.fail('it has nothing to go through');
  const length = sequences[0].shape[axes[0]];
  let carried: readonly Value[] = states;
  const outputs = body.outputs.length - states.length;
  const collected: Value[][] = Array.from({ length: outputs }, () => []);
  for (let step = 0; step < length; step++) {
    const parts = sequences.map((value, i) =>
      sliceOf(call, value, axes[i], options.inputDirections?.[i] === 1 ? length - 1 - step : step),
    );
    const given = new Map<string, Value>();
    body.inputs.forEach(({ name }, i) => given.set(name, i < carried.length ? carried[i] : parts[i - carried.length]));
    const made = yield* run(body, given);
    carried = made.slice(0, states.length);
    made.slice(states.length).forEach((value, i) => collected[i].push(value));
  }
  const stacks = collected.map((values, i) => {
    const ordered = options.outputDirections?.[i] === 1 ? values.toReversed() : values;
    return stacked(call, ordered, options.outputAxes?.[i] ?? 0, body, states.length + i);
  });
  return [...carried, ...stacks];
}

function* batchedScan(call: Call, run: Parameters<Flow>[1], body: Graph): Generator<Value, Result[], void> {
  if (call.has(0)) call.fail('sequences of several lengths (opset 8) are not there');
  const scanned = call.int('num_scan_inputs');
  const inputs = call.values.slice(1).map((_, i) => call.value(i + 1));
  const count = inputs.length - scanned;
  const directions = call.ints('directions');
  const rows: Result[][] = [];
  const batch = inputs[0].shape[0];
  for (let b = 0; b < batch; b++) {
    const own = inputs.map((value) => sliceOf(call, value, 0, b));
    rows.push(yield* scanned1(call, run, body, own.slice(0, count), own.slice(count), { inputDirections: directions }));
  }
  return rows[0].map((_, i) => {
    const values = rows.map((row) => asValue(call, row[i]));
    return stacked(call, values, 0, body, i);
  });
}

function asValue(call: Call, result: Result): Value {
  if (result instanceof Value) return result;
  if (result === undefined) return call.fail('a scan gives nothing');
  return 'data' in result && typeof result.data !== 'function'
    ? Value.ofHost(result as HostArray)
    : call.as(result as AnyTensor, call.type(1));
}

export const CONTROL: Operators = {
  If: { inputs: [1, 1], settings: [0], flow: branches },
  Loop: { inputs: [2, Infinity], settings: [0, 1], flow: loop },
  Scan: { inputs: [1, Infinity], flow: scan },
};
