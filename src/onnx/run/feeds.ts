// What a caller gives for the inputs of a graph: checked against what the graph declares, and made what it needs.

import { type DType, formatShape, shown } from '../../tensor/library.js';
import { type AnyTensor, Tensor } from '../../tensor/tensor.js';
import { OnnxError, type OnnxProblem, problemsError } from '../error.js';
import type { Graph, GraphValue } from '../graph/graph.js';
import { type HostArray, allocate, sizeOf } from '../host/array.js';
import { type ElementType, isFloatType, typeOfDType } from '../wire/elements.js';
import type { Given } from './session.js';
import type { Weights } from './weights.js';

type Numbers = ArrayLike<number> | ArrayLike<bigint> | readonly boolean[];

/** Numbers in row-major order, with their shape: a vector unless given. */
export interface OnnxNumbers {
  readonly data: Numbers;
  readonly shape?: readonly number[];
}

/** What may be given for an input. */
export type OnnxFeed = AnyTensor | OnnxNumbers | number | bigint | boolean;

/**
 * In the order of the graph's inputs, and then of weights that are inputs too, undefined for one that is not given. Throws an OnnxError
 * that says all that does not fit.
 */
export function givenOf(
  op: string,
  graph: Graph,
  feeds: Readonly<Record<string, OnnxFeed>>,
  weights: Weights,
): (Given | undefined)[] {
  if (typeof feeds !== 'object' || feeds === null || feeds instanceof Tensor)
    throw new OnnxError(
      `${op}: inputs are given by their names: ${op}({ ${graph.inputs.map(({ name }) => JSON.stringify(name)).join(', ')} }).`,
    );
  const problems: OnnxProblem[] = [];
  const problem = (why: string): void =>
    void problems.push({ node: undefined, operator: undefined, opset: undefined, why });
  const given = [...graph.inputs, ...graph.defaults].map((input, i): Given | undefined => {
    const feed = Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined;
    if (feed === undefined) {
      if (i < graph.inputs.length) problem(`the input ${JSON.stringify(input.name)} ${declared(input)} is missing`);
      return undefined;
    }
    try {
      const value = valueOf(feed, input, weights);
      checkShape(value.shape, input);
      return value;
    } catch (error) {
      problem(`the input ${JSON.stringify(input.name)} ${(error as Error).message}`);
      return undefined;
    }
  });
  const known = new Set([...graph.inputs, ...graph.defaults].map(({ name }) => name));
  for (const name of Object.keys(feeds))
    if (!known.has(name)) problem(`the model has no input ${JSON.stringify(name)}`);
  if (problems.length > 0) throw problemsError(`${op}: the inputs do not fit the model:`, problems);
  return given;
}

const declared = ({ type, shape }: GraphValue): string =>
  `(${type ?? 'of any type'}${shape === undefined ? '' : ` [${shape.map((n) => n ?? '?').join(', ')}]`})`;

function checkShape(shape: readonly number[], input: GraphValue): void {
  if (input.shape === undefined) return;
  const fits =
    shape.length === input.shape.length &&
    shape.every((n, i) => {
      const wanted = input.shape?.[i];
      return typeof wanted !== 'number' || wanted === n;
    });
  if (!fits) throw new Error(`is ${formatShape(shape)}, the graph takes ${declared(input)}`);
}

function valueOf(feed: OnnxFeed, input: GraphValue, weights: Weights): Given {
  if (feed instanceof Tensor) return fitted(feed, input, weights);
  const isOne = typeof feed === 'number' || typeof feed === 'bigint' || typeof feed === 'boolean';
  const numbers: OnnxNumbers | null = isOne ? { data: [Number(feed)], shape: onlyShape(input) } : feed;
  const data = numbers?.data;
  if (typeof data !== 'object' || data === null || typeof data.length !== 'number')
    throw new Error(`is ${shown(feed)}. Give a tensor, a number or { data, shape }`);
  const shape = numbers?.shape ?? [data.length];
  if (!Array.isArray(shape) || !shape.every((n) => Number.isInteger(n) && n >= 0))
    throw new Error(
      `has the shape ${Array.isArray(shape) ? formatShape(shape) : shown(shape)}. Give a list of whole numbers, 0 or more`,
    );
  if (sizeOf(shape) !== data.length) throw new Error(`has ${data.length} numbers for the shape ${formatShape(shape)}`);
  return hostOf(data, shape, input.type ?? guessed(data));
}

/** A number for an input of one element, whatever its rank. */
const onlyShape = ({ shape }: GraphValue): number[] => (shape ?? []).map(() => 1);

const guessed = (data: Numbers): ElementType =>
  data instanceof BigInt64Array ? 'int64' : data instanceof Int32Array ? 'int32' : 'float32';

function hostOf(data: Numbers, shape: readonly number[], type: ElementType): HostArray {
  if (data instanceof Float32Array && type === 'float32') return { type, shape, data };
  const out = allocate(type, shape);
  const isWhole = !isFloatType(type);
  for (let i = 0; i < out.data.length; i++) {
    const value = Number(data[i]);
    if (Number.isNaN(value) && typeof data[i] !== 'number') throw new Error(`has ${shown(data[i])} at ${i}, no number`);
    if (isWhole && !Number.isInteger(value)) throw new Error(`is ${type} and has ${value} at ${i}`);
    out.data[i] = type === 'bool' ? Number(value !== 0) : value;
  }
  return out;
}

/** A tensor of a dtype that holds what the graph asks for is converted; a fraction does not become a whole number. */
function fitted(t: AnyTensor, { type }: GraphValue, weights: Weights): AnyTensor {
  const wanted: DType = weights.dtypeOf(type ?? typeOfDType(t.dtype));
  if (t.dtype === wanted) return t;
  const isFloat = t.dtype.includes('float');
  if (isFloat && !wanted.includes('float'))
    throw new Error(`is ${t.dtype}, the graph takes ${type}. Convert it with to('${wanted}')`);
  return t.to(wanted);
}
