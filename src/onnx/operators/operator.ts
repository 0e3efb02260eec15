// What an operator is: a row of a table. And a call of one: its inputs and attributes, as its function asks for them.

import { type DType, formatShape, shown } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { Graph, GraphNode } from '../graph/graph.js';
import type { HostArray } from '../host/array.js';
import { Value } from '../run/value.js';
import type { ElementType } from '../wire/elements.js';

/** What a function may give for an output; a tensor has the type of the first input, where its dtype is that one's. */
export type Result = AnyTensor | HostArray | Value | undefined;

/** A value that has to be read before the operator can go on. */
export class NeedsHost {
  readonly value: Value;
  constructor(value: Value) {
    this.value = value;
  }
}

/** What only a run knows. */
export interface Environment {
  /** On the device, converted if need be. */
  tensorOf(value: Value): Tensor;
  /** What holds an element type: another one after model.to(dtype). */
  dtypeOf(type: ElementType): DType;
  readonly device: string;
  /** Whether both branches of an If are computed sooner than that its condition is read. */
  readonly selects: boolean;
  /** Whether layers that act in training only are to act. */
  readonly isTraining: boolean;
  /** Keeps what is made of constants from one run to the next. */
  remember<T extends object>(array: HostArray, what: string, make: () => T): T;
  /** What a node has given whose inputs are constants, and is the same in every run. */
  staticsOf(node: GraphNode): readonly Result[] | undefined;
  keepStatic(node: GraphNode, results: readonly Result[]): void;
}

/** An operator that runs graphs of its own: asks for values to be read by yielding them. */
export type Flow = (
  call: Call,
  run: (graph: Graph, inputs: ReadonlyMap<string, Value>) => Generator<Value, Value[], void>,
) => Generator<Value, readonly Result[], void>;

export interface Operator {
  /** The fewest and the most inputs. */
  readonly inputs: readonly [least: number, most: number];
  /** The opset of its domain that it came with, if after 7. */
  readonly since?: number;
  /** The opset that it is gone from. */
  readonly until?: number;
  /** Inputs that say how to compute and not of what: never learned. */
  readonly settings?: readonly number[];
  /** Inputs that are kept with the model and not learned. */
  readonly statistics?: readonly number[];
  /** Inputs that are learned even if they are a single number. */
  readonly weights?: readonly number[];
  /** What nabla lacks for this node, before anything is run. */
  readonly refuses?: (node: GraphNode) => string | undefined;
  /** On the host, where all inputs are known there; undefined where that is not possible. */
  readonly host?: (call: Call) => Result | readonly Result[];
  readonly run?: (call: Call) => Result | readonly Result[];
  readonly flow?: Flow;
}

export type Operators = Readonly<Record<string, Operator>>;

/** Something that a node asks for and nabla has not, found while it runs. */
export class Unsupported extends Error {}

export class Call {
  readonly node: GraphNode;
  readonly values: readonly (Value | undefined)[];
  readonly environment: Environment;

  constructor(node: GraphNode, values: readonly (Value | undefined)[], environment: Environment) {
    this.node = node;
    this.values = values;
    this.environment = environment;
  }

  get opset(): number {
    return this.node.opset;
  }

  /** How many outputs are asked for: names of some may be empty. */
  get outputs(): number {
    return this.node.outputs.length;
  }

  wants(output: number): boolean {
    return (this.node.outputs[output] ?? '') !== '';
  }

  fail(why: string): never {
    throw new Unsupported(why);
  }

  // -------------------------------------------------------------- inputs

  has(i: number): boolean {
    return this.values[i] !== undefined;
  }

  value(i: number): Value {
    return this.values[i] ?? this.fail(`input ${i} is left out`);
  }

  type(i: number): ElementType {
    return this.value(i).type;
  }

  shape(i: number): readonly number[] {
    return this.value(i).shape;
  }

  rank(i: number): number {
    return this.value(i).shape.length;
  }

  tensor(i: number): Tensor {
    return this.environment.tensorOf(this.value(i));
  }

  /** Undefined for an input that is left out. */
  maybe(i: number): Tensor | undefined {
    return this.has(i) ? this.tensor(i) : undefined;
  }

  /** All inputs from `first` on. */
  tensors(first = 0): Tensor[] {
    return this.values.slice(first).map((_, i) => this.tensor(first + i));
  }

  host(i: number): HostArray {
    const value = this.value(i);
    if (value.host === undefined) throw new NeedsHost(value);
    return value.host;
  }

  /** What is known already. */
  known(i: number): HostArray | undefined {
    return this.values[i]?.host;
  }

  /** An input as a list of numbers. */
  numbers(i: number): number[] {
    return Array.from(this.host(i).data);
  }

  /** The only number of an input. */
  number(i: number): number {
    const { data, shape } = this.host(i);
    if (data.length !== 1) this.fail(`input ${i} is ${formatShape(shape)}, not one number`);
    return data[0];
  }

  /** A dimension of input `i`, counted from the front. */
  axis(axis: number, rank = this.rank(0)): number {
    if (!Number.isInteger(axis) || axis < -rank || axis >= Math.max(rank, 1))
      this.fail(`axis ${shown(axis)} is out of range for rank ${rank}`);
    return axis < 0 ? axis + rank : axis;
  }

  // -------------------------------------------------------------- attributes

  hasAttribute(name: string): boolean {
    return this.node.attributes.has(name);
  }

  int(name: string, otherwise?: number): number {
    const attribute = this.node.attributes.get(name);
    if (attribute?.kind === 'int') return attribute.value;
    return otherwise ?? this.lacks(name, 'a whole number');
  }

  flag(name: string, otherwise = false): boolean {
    return this.int(name, otherwise ? 1 : 0) !== 0;
  }

  float(name: string, otherwise?: number): number {
    const attribute = this.node.attributes.get(name);
    if (attribute?.kind === 'float' || attribute?.kind === 'int') return attribute.value;
    return otherwise ?? this.lacks(name, 'a number');
  }

  text(name: string, otherwise?: string): string {
    const attribute = this.node.attributes.get(name);
    if (attribute?.kind === 'string') return attribute.value;
    return otherwise ?? this.lacks(name, 'a text');
  }

  ints(name: string): readonly number[] | undefined {
    const attribute = this.node.attributes.get(name);
    return attribute?.kind === 'ints' ? attribute.value : undefined;
  }

  floats(name: string): readonly number[] | undefined {
    const attribute = this.node.attributes.get(name);
    return attribute?.kind === 'floats' ? attribute.value : undefined;
  }

  texts(name: string): readonly string[] | undefined {
    const attribute = this.node.attributes.get(name);
    return attribute?.kind === 'strings' ? attribute.value : undefined;
  }

  array(name: string): HostArray | undefined {
    return this.node.tensors.get(name);
  }

  graph(name: string): Graph {
    return this.node.graphs.get(name) ?? this.lacks(name, 'a graph');
  }

  private lacks(name: string, what: string): never {
    return this.fail(`the attribute ${name} is not ${what}`);
  }

  /** Numbers of the host on the device. */
  made(array: HostArray): Tensor {
    return this.environment.tensorOf(Value.ofHost(array));
  }

  // -------------------------------------------------------------- results

  /** A tensor whose element type is not the one of the first input. */
  as(tensor: AnyTensor, type: ElementType): Value {
    return Value.ofTensor(tensor, type, this.sources);
  }

  get sources(): ReadonlySet<number> {
    return joined(this.values);
  }
}

/** The inputs of the model that any of the values was computed from. */
export function joined(values: readonly (Value | undefined)[]): ReadonlySet<number> {
  let all: ReadonlySet<number> = EMPTY;
  for (const value of values) {
    if (value === undefined || value.sources.size === 0 || value.sources === all) continue;
    all = all.size === 0 ? value.sources : new Set([...all, ...value.sources]);
  }
  return all;
}

const EMPTY: ReadonlySet<number> = new Set();
