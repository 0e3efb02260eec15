// Goes through a graph node by node, for inputs of given shapes: what is known on the host is computed there, the rest becomes
// a graph of lazy tensors. Where a number has to be read before it can go on, the generator yields the value and is resumed when
// its `host` is set.

import { NablaError } from '../../tensor/library.js';
import type { Graph, GraphNode } from '../graph/graph.js';
import { OnnxError, problemText } from '../error.js';
import { type HostArray, sizeOf } from '../host/array.js';
import {
  Call,
  type Environment,
  NeedsHost,
  type Operator,
  type Result,
  Unsupported,
  joined,
} from '../operators/operator.js';
import { operatorOf } from '../operators/table.js';
import { type ElementType, typeOfDType } from '../wire/elements.js';
import { type AnyTensor, Tensor } from '../../tensor/tensor.js';
import { Value } from './value.js';

/** Values by name, those of the graphs around included. */
export class Scope {
  private readonly values: Map<string, Value>;
  private readonly outer: Scope | undefined;

  constructor(values: Iterable<readonly [string, Value]>, outer?: Scope) {
    this.values = new Map(values);
    this.outer = outer;
  }

  get(name: string): Value | undefined {
    return this.values.get(name) ?? this.outer?.get(name);
  }

  /** In this graph itself. */
  has(name: string): boolean {
    return this.values.has(name);
  }

  set(name: string, value: Value): void {
    this.values.set(name, value);
  }
}

/** Larger arrays are not computed on the host: a device is faster. */
const MOST_ON_HOST = 1 << 22;

const isHostArray = (result: Result): boolean =>
  result === undefined ||
  !(result instanceof Tensor || result instanceof Value) ||
  (result instanceof Value && result.host !== undefined);

export type Reading = Generator<Value, Value[], void>;

/** The outputs of a graph. `constantOf` gives the value of a constant. */
export function* interpret(
  graph: Graph,
  inputs: Iterable<readonly [string, Value]>,
  environment: Environment,
  constantOf: (graph: Graph, name: string) => Value,
  outer?: Scope,
): Reading {
  const scope = new Scope(inputs, outer);
  for (const name of graph.constants.keys()) if (!scope.has(name)) scope.set(name, constantOf(graph, name));
  for (const node of graph.nodes) {
    const values = node.inputs.map((name) => (name === '' ? undefined : scope.get(name)));
    const isConstant = node.graphs.size === 0 && values.every((value) => value === undefined || value.isConstant);
    let results = isConstant ? environment.staticsOf(node) : undefined;
    if (results === undefined) {
      results = yield* compute(node, values, environment, (inner, given) =>
        interpret(inner, given, environment, constantOf, scope),
      );
      if (isConstant && results.every((result) => isHostArray(result))) environment.keepStatic(node, results);
    }
    const sources = joined(values);
    node.outputs.forEach((name, i) => {
      if (name === '') return;
      const result = results[i];
      if (result === undefined) throw failure(node, `it gives no output ${i}`);
      const value = valueOf(result, values[0]?.type, sources, environment);
      if (isConstant && value.host !== undefined) value.isConstant = true;
      scope.set(name, value);
    });
  }
  return graph.outputs.map(({ name }) => {
    const value = scope.get(name);
    if (value === undefined) throw new OnnxError(`onnx: nothing computes the output ${JSON.stringify(name)}.`);
    return value;
  });
}

function* compute(
  node: GraphNode,
  values: readonly (Value | undefined)[],
  environment: Environment,
  run: (graph: Graph, inputs: ReadonlyMap<string, Value>) => Reading,
): Generator<Value, readonly Result[], void> {
  const operator = operatorOf(node) as Operator;
  const call = new Call(node, values, environment);
  for (;;) {
    try {
      if (operator.flow !== undefined) return yield* operator.flow(call, run);
      return listed(computeAtOnce(operator, call));
    } catch (error) {
      if (!(error instanceof NeedsHost)) throw told(node, error);
      yield error.value;
      if (error.value.host === undefined) throw failure(node, 'a value that it needs cannot be read here');
    }
  }
}

function computeAtOnce(operator: Operator, call: Call): Result | readonly Result[] {
  if (operator.host !== undefined && isOnHost(call)) {
    const result = operator.host(call);
    if (result !== undefined) return result;
  }
  if (operator.run === undefined) {
    for (const value of call.values) if (value !== undefined && value.host === undefined) throw new NeedsHost(value);
    return call.fail('nabla computes it for whole numbers and shapes only');
  }
  return operator.run(call);
}

function isOnHost({ values }: Call): boolean {
  let size = 0;
  for (const value of values) {
    if (value === undefined) continue;
    if (value.host === undefined) return false;
    size += sizeOf(value.shape);
  }
  return size <= MOST_ON_HOST;
}

const listed = (result: Result | readonly Result[]): readonly Result[] =>
  Array.isArray(result) ? result : [result as Result];

function valueOf(
  result: AnyTensor | HostArray | Value,
  first: ElementType | undefined,
  sources: ReadonlySet<number>,
  environment: Environment,
): Value {
  if (result instanceof Value) return result;
  if (!(result instanceof Tensor)) return Value.ofHost(result, sources);
  const isFirst = first !== undefined && environment.dtypeOf(first) === result.dtype;
  return Value.ofTensor(result, isFirst ? first : typeOfDType(result.dtype), sources);
}

/** An error that names the node. */
export function failure(node: GraphNode, why: string, cause?: unknown): OnnxError {
  const problem = { node: node.name, operator: node.operator, opset: node.opset, why };
  return new OnnxError(`onnx: ${problemText(problem)}`, [problem], cause === undefined ? undefined : { cause });
}

function told(node: GraphNode, error: unknown): unknown {
  if (error instanceof OnnxError) return error;
  if (error instanceof Unsupported || error instanceof RangeError) return failure(node, `${error.message}.`);
  if (error instanceof NablaError) return failure(node, error.message, error);
  return error;
}
