// The graph of one trace as ONNX nodes, before names are given to its constants: sizes and numbers stand in it as they are, so that the
// drafts of several traces can be compared (finish.ts), and weights as the leaves that they were.

import { type AnyTensor, type Tensor } from '../../tensor/tensor.js';
import type { Node } from '../../tensor/graph-trace.js';
import type { DType } from '../../tensor/library.js';
import type { OnnxProblem } from '../error.js';
import type { AttributeOut } from '../wire/writer.js';

/** What a node reads: a value by its name ('' for one that is left out), or what becomes an initialiser. */
export type Input =
  | string
  | { readonly kind: 'number'; readonly value: number; readonly dtype: DType }
  /** Whole numbers as a list, int64. `isShape`: of Reshape, where one of them may be left open. */
  | { readonly kind: 'sizes'; readonly sizes: readonly number[]; readonly isShape: boolean }
  /** 0, 1, …, size − 1 */
  | { readonly kind: 'count'; readonly size: number }
  | { readonly kind: 'weight'; readonly node: Node }
  | Made;

/** An initialiser that is made of several tensors: the gates of a recurrent layer in ONNX's order. */
export interface Made {
  readonly kind: 'made';
  readonly name: string;
  readonly from: readonly AnyTensor[];
  readonly dims: readonly number[];
  /** Of the dtype of what it is made of. */
  readonly make: (numbers: readonly ArrayLike<number>[]) => readonly number[];
}

export interface DraftNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeOut>>;
}

export type Attributes = Readonly<Record<string, AttributeOut>>;

export const sizes = (list: readonly number[]): Input => ({ kind: 'sizes', sizes: list, isShape: false });
export const shape = (list: readonly number[]): Input => ({ kind: 'sizes', sizes: list, isShape: true });
export const number = (value: number, dtype: DType): Input => ({ kind: 'number', value, dtype });

export const int = (value: number): AttributeOut => ({ int: value });
export const float = (value: number): AttributeOut => ({ float: value });
export const ints = (list: readonly number[]): AttributeOut => ({ ints: list });
export const string = (value: string): AttributeOut => ({ string: value });

/** What the rows of layers and operators write to. */
export class Draft {
  readonly nodes: DraftNode[] = [];
  readonly problems: OnnxProblem[] = [];
  readonly opset: number;
  /** The module that nodes are named after, by its path. */
  path = '';
  private readonly values = new Map<Node, Input>();
  private readonly names = new Set<string>();
  private readonly later: (node: Node) => Input | undefined;

  /** `later` gives values that are written only when somebody reads them. */
  constructor(opset: number, later: (node: Node) => Input | undefined) {
    this.opset = opset;
    this.later = later;
  }

  /** A name that no node has yet: the path, and the operator. */
  private nameFor(op: string): string {
    const base = `/${this.path === '' ? '' : `${this.path.replaceAll('.', '/')}/`}${op}`;
    let name = base;
    for (let i = 1; this.names.has(name); i++) name = `${base}_${i}`;
    this.names.add(name);
    return name;
  }

  /** Writes a node; the names of its results. */
  addAll(op: string, inputs: readonly Input[], count: number, attributes: Attributes = {}): string[] {
    const name = this.nameFor(op);
    const outputs = Array.from({ length: count }, (_, i) => `${name}_output_${i}`);
    this.nodes.push({ op, name, inputs, outputs, attributes });
    return outputs;
  }

  add(op: string, inputs: readonly Input[], attributes: Attributes = {}): string {
    return this.addAll(op, inputs, 1, attributes)[0];
  }

  /** A reduction that keeps its axes: they are an input from opset 18 on, for sums from 13 on. */
  reduce(op: string, x: Input, axes: readonly number[]): string {
    if (op === 'ReduceSum' || this.opset >= 18) return this.add(op, [x, sizes(axes)], { keepdims: int(1) });
    return this.add(op, [x], { axes: ints(axes), keepdims: int(1) });
  }

  /** Notes what cannot be exported; the name that stands in its place. */
  refuse(operator: string, why: string): string {
    const node = this.path === '' ? undefined : this.path;
    if (!this.problems.some((p) => p.node === node && p.operator === operator && p.why === why))
      this.problems.push({ node, operator, opset: undefined, why });
    return '';
  }

  has(node: Node): boolean {
    return this.values.has(node);
  }

  put(node: Node, value: Input): void {
    this.values.set(node, value);
  }

  of(node: Node): Input {
    let value = this.values.get(node);
    if (value === undefined) {
      value = this.later(node) ?? this.refuse(node.op, 'ONNX has no operator for it');
      this.values.set(node, value);
    }
    return value;
  }

  ofTensor(tensor: AnyTensor): Input {
    return this.of(tensor.node);
  }

  /** A parameter or buffer, as an initialiser. */
  weight(tensor: Tensor): Input {
    return { kind: 'weight', node: tensor.node };
  }
}
