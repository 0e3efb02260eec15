// Whole matrices of derivatives, and products with second ones: jacobian, jacrev, jacfwd, hessian, hvp, vhp. The derivative along one
// direction is a graph; all directions are that graph over a batch of unit vectors (vmap.ts), not a graph for each.

import { checkFunction, checkWhole } from '../engine/ir/arguments.js';
import { gradient } from '../engine/grad/backward.js';
import * as build from '../engine/ir/build.js';
import { ArgumentError, GradError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { placeholder, trace } from '../engine/ir/placeholder.js';
import { type Shape, formatShape, sameShape } from '../engine/ir/shape.js';
import {
  type ArgumentNumbers,
  checkArgumentNumbers,
  checkScalar,
  gradientsOf,
  one,
  pushForward,
  variablesOf,
  withAux,
} from './autograd.js';
import { type AnyTensor, type Tensor, checkTensor, wrap } from './tensor.js';
import type { TreeLike } from './trees.js';
import { overBatch } from './vmap.js';

export interface JacobianOptions {
  /** The argument, or the list of arguments, that derivatives are taken with respect to. Default 0. */
  readonly argnums?: ArgumentNumbers;
  /** The function returns [value, aux], and the Jacobian comes with `aux`: { jacobian, aux }. Default false. */
  readonly hasAux?: boolean;
  /** So many rows (jacrev) or columns (jacfwd) at once, for large functions. By default all of them. */
  readonly chunkSize?: number;
}

const JACOBIAN_OPTIONS: OptionNames<JacobianOptions> = { argnums: true, hasAux: true, chunkSize: true };

/** unit vectors as tensors of a shape: [size, …shape] */
function units(shape: Shape, dtype: Node['dtype']): Node {
  const size = shape.reduce((product, n) => product * n, 1);
  const [row, column] = [build.reshape(build.iota(size), [size, 1]), build.reshape(build.iota(size), [1, size])];
  return build.reshape(build.cast(build.binary('eq', row, column), dtype), [size, ...shape]);
}

const standLike = (node: Node): Node => placeholder(node.device ?? 'cpu', node.dtype, node.shape, true);

/** d value / d wrt, each [..value's shape, ..its shape], a row for each element of the value: reverse mode. */
function byRows(value: Node, wrt: readonly Node[], chunkSize?: number): Node[] {
  const seed = standLike(value);
  const rows = trace(() => gradientsOf(value, seed, wrt));
  const all = trace(() => overBatch(seed, units(value.shape, value.dtype), rows, chunkSize));
  return all.map((g, i) => build.reshape(g, [...value.shape, ...wrt[i].shape]));
}

/** The same, a column for each element of what is differentiated: forward mode. */
function byColumns(value: Node, wrt: readonly Node[], chunkSize?: number): Node[] {
  return wrt.map((x) => {
    const tangent = standLike(x);
    const [columns] = trace(() => {
      const column = pushForward(value, [x])([tangent]);
      return overBatch(tangent, units(x.shape, x.dtype), [column], chunkSize);
    });
    const behind = [...columns.shape.keys()].slice(1);
    return build.reshape(build.permute(columns, [...behind, 0]), [...value.shape, ...x.shape]);
  });
}

type JacobianOf<A extends readonly unknown[], N> = N extends number ? TreeLike<A[N]> : TreeLike<A[number]>[];

/**
 * The function of the same arguments that gives all partial derivatives, [..result's shape, ..argument's shape], by reverse mode: the cost
 * grows with the size of the result. An argument that is a list or object of tensors gives one of the same form. PyTorch:
 * torch.func.jacrev.
 */
export function jacrev<A extends readonly Tensor[]>(
  fn: (...inputs: A) => AnyTensor,
  options?: { readonly chunkSize?: number },
): (...inputs: A) => Tensor;
export function jacrev<A extends readonly unknown[], const N extends ArgumentNumbers = 0>(
  fn: (...inputs: A) => AnyTensor,
  options?: { readonly argnums?: N; readonly hasAux?: false; readonly chunkSize?: number },
): (...inputs: A) => JacobianOf<A, N>;
export function jacrev<A extends readonly unknown[], Aux, const N extends ArgumentNumbers = 0>(
  fn: (...inputs: A) => readonly [AnyTensor, Aux],
  options: { readonly argnums?: N; readonly hasAux: true; readonly chunkSize?: number },
): (...inputs: A) => { jacobian: JacobianOf<A, N>; aux: Aux };
export function jacrev(
  fn: (...inputs: never[]) => unknown,
  options: JacobianOptions = {},
): (...inputs: readonly unknown[]) => unknown {
  return jacobianBy('jacrev', byRows, fn, options);
}

/**
 * As `jacrev`, by forward mode: the cost grows with the size of the arguments, so that it is the cheaper one where the result is larger than
 * they are. PyTorch: torch.func.jacfwd.
 */
export function jacfwd<A extends readonly Tensor[]>(
  fn: (...inputs: A) => AnyTensor,
  options?: { readonly chunkSize?: number },
): (...inputs: A) => Tensor;
export function jacfwd<A extends readonly unknown[], const N extends ArgumentNumbers = 0>(
  fn: (...inputs: A) => AnyTensor,
  options?: { readonly argnums?: N; readonly hasAux?: false; readonly chunkSize?: number },
): (...inputs: A) => JacobianOf<A, N>;
export function jacfwd<A extends readonly unknown[], Aux, const N extends ArgumentNumbers = 0>(
  fn: (...inputs: A) => readonly [AnyTensor, Aux],
  options: { readonly argnums?: N; readonly hasAux: true; readonly chunkSize?: number },
): (...inputs: A) => { jacobian: JacobianOf<A, N>; aux: Aux };
export function jacfwd(
  fn: (...inputs: never[]) => unknown,
  options: JacobianOptions = {},
): (...inputs: readonly unknown[]) => unknown {
  return jacobianBy('jacfwd', byColumns, fn, options);
}

function jacobianBy(
  op: string,
  matrices: typeof byRows,
  fn: (...inputs: never[]) => unknown,
  options: JacobianOptions,
): (...inputs: readonly unknown[]) => unknown {
  checkFunction(op, fn);
  checkOptions(op, options, JACOBIAN_OPTIONS);
  const { argnums = 0, hasAux = false, chunkSize } = options;
  checkArgumentNumbers(op, argnums);
  if (chunkSize !== undefined) checkWhole(op, 'chunkSize', chunkSize, 1);
  return (...inputs) => {
    const { given, nodes, asArguments } = variablesOf(op, inputs, argnums);
    const result = (fn as (...given: readonly unknown[]) => unknown)(...given);
    const { value, aux } = withAux(op, result, hasAux);
    checkTensor(value, op, 'what the function returned');
    const found = matrices((value as AnyTensor).node, nodes, chunkSize);
    const jacobian = asArguments(found.map((g) => wrap<number[], 'float32'>(g)));
    return hasAux ? { jacobian, aux } : jacobian;
  };
}

/** All partial derivatives at x: result [..y shape, ..x shape]. As a function of x see `jacrev` and `jacfwd`. */
export function jacobian(fn: (x: Tensor) => AnyTensor, x: Tensor): Tensor {
  checkFunction('jacobian', fn);
  const { given, nodes } = variablesOf('jacobian', [x], 0);
  const y = fn(given[0] as Tensor);
  checkTensor(y, 'jacobian', 'what the function returned');
  return wrap(byRows(y.node, nodes)[0]);
}

/** Second derivatives of a scalar function at x: result [..x shape, ..x shape]. PyTorch: torch.autograd.functional.hessian. */
export function hessian(fn: (x: Tensor) => AnyTensor, x: Tensor): Tensor {
  checkFunction('hessian', fn);
  const { given, nodes } = variablesOf('hessian', [x], 0);
  const y = fn(given[0] as Tensor);
  checkScalar(y, 'hessian');
  const [slope] = gradientsOf(y.node, one(y), nodes);
  return wrap(byRows(slope, nodes)[0]);
}

/**
 * The value of a scalar function, and its Hessian times vectors of the inputs' shapes, without the matrix: for one input, or for a list of
 * them. PyTorch: torch.autograd.functional.hvp.
 */
export function hvp(fn: (x: Tensor) => AnyTensor, x: Tensor, v: Tensor): { value: Tensor<[]>; product: Tensor };
export function hvp(
  fn: (...inputs: Tensor[]) => AnyTensor,
  inputs: readonly Tensor[],
  vectors: readonly Tensor[],
): { value: Tensor<[]>; product: Tensor[] };
export function hvp(
  fn: (...inputs: Tensor[]) => AnyTensor,
  inputs: Tensor | readonly Tensor[],
  vectors: Tensor | readonly Tensor[],
): { value: Tensor<[]>; product: unknown } {
  return productWithHessian('hvp', fn, inputs, vectors);
}

/** As `hvp`, with the vectors on the left: the same numbers, since second derivatives are symmetric. PyTorch: torch.autograd.functional.vhp. */
export function vhp(fn: (x: Tensor) => AnyTensor, x: Tensor, v: Tensor): { value: Tensor<[]>; product: Tensor };
export function vhp(
  fn: (...inputs: Tensor[]) => AnyTensor,
  inputs: readonly Tensor[],
  vectors: readonly Tensor[],
): { value: Tensor<[]>; product: Tensor[] };
export function vhp(
  fn: (...inputs: Tensor[]) => AnyTensor,
  inputs: Tensor | readonly Tensor[],
  vectors: Tensor | readonly Tensor[],
): { value: Tensor<[]>; product: unknown } {
  return productWithHessian('vhp', fn, inputs, vectors);
}

/** The gradient of ⟨gradient, vectors⟩. */
function productWithHessian(
  op: string,
  fn: (...inputs: Tensor[]) => AnyTensor,
  inputs: Tensor | readonly Tensor[],
  vectors: Tensor | readonly Tensor[],
): { value: Tensor<[]>; product: unknown } {
  checkFunction(op, fn);
  const isList = Array.isArray(inputs);
  const [points, directions] = [inputs, vectors].map((t) => (Array.isArray(t) ? t : [t]) as Tensor[]);
  if (isList !== Array.isArray(vectors) || points.length !== directions.length)
    throw new ArgumentError(
      `${op}: ${points.length} inputs and ${directions.length} vectors. Give one tensor for each input, and lists for a list.`,
    );
  const all = points.map((_, i) => i);
  const { given, nodes } = variablesOf(op, points, all);
  directions.forEach((v, i) => {
    checkTensor(v, op, isList ? `vector ${i}` : 'the vector');
    if (!sameShape(v.shape, points[i].shape))
      throw new GradError(
        `${op}: vector ${i} has shape ${formatShape(v.shape)}, its input ${formatShape(points[i].shape)}. Give one of the input's shape.`,
      );
  });
  const value = fn(...(given as Tensor[]));
  checkScalar(value, op);
  const slopes = gradient([value.node], [one(value)], nodes);
  const outputs = slopes.flatMap((g) => (g === undefined ? [] : [g]));
  const seeds = slopes.flatMap((g, i) => (g === undefined ? [] : [directions[i].node]));
  const product = gradient(outputs, seeds, nodes).map((g, i) =>
    wrap<number[], 'float32'>(g ?? build.filled(0, nodes[i].shape, nodes[i].dtype)),
  );
  return { value: value as Tensor<[]>, product: isList ? product : product[0] };
}
