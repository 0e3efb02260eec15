// Derivatives as functions, in the manner of JAX: grad, valueAndGrad, vjp, jvp, linearize. Everything is composed from reverse mode on
// the graph, so that derivatives can be nested, and mapped over batches (vmap.ts).

import { checkFunction, checkList } from '../engine/ir/arguments.js';
import { gradient } from '../engine/grad/backward.js';
import * as build from '../engine/ir/build.js';
import { ArgumentError, GradError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { formatShape, sameShape, shown } from '../engine/ir/shape.js';
import { leafLike } from './leaf-like.js';
import { type AnyTensor, type Tensor, wrap, checkTensor } from './tensor.js';
import { mapLeaves, withLeaves } from './trees.js';

type Fn = (...inputs: Tensor[]) => AnyTensor;

/** Variables that stand for the inputs and require gradients, so that the function's graph can be differentiated. */
function variables(op: string, inputs: readonly AnyTensor[]): Tensor[] {
  checkList(op, 'the list of inputs', inputs, 'tensors');
  inputs.forEach((t, i) => checkTensor(t, op, inputs.length === 1 ? 'the input' : `input ${i}`));
  return inputs.map((t) => leafLike(t));
}

export function checkScalar(y: unknown, op: string): asserts y is AnyTensor {
  checkTensor(y, op, 'what the function returned');
  const { size, shape } = y as AnyTensor;
  if (size !== 1)
    throw new GradError(
      `${op}: the function returned shape ${formatShape(shape)}, not one number. Reduce it with sum() or mean().`,
    );
}

/** The gradients, zeros where there is none. */
export function gradientsOf(y: Node, seed: Node, wrt: readonly Node[]): Node[] {
  return gradient([y], [seed], [...wrt]).map((g, i) => g ?? build.filled(0, wrt[i].shape, wrt[i].dtype));
}

export function one(y: AnyTensor): Node {
  return build.expand(build.constant(1) as Node, y.shape);
}

// ---------------------------------------------------------------- arguments that are differentiated

/** Which arguments derivatives are taken of. */
export type ArgumentNumbers = number | readonly number[];

/** The variables of a call: its inputs with variables in the place of the tensors that are differentiated. */
export interface Variables {
  readonly given: readonly unknown[];
  readonly nodes: readonly Node[];
  /** Results, one for each variable, in the form of the argument, or of the list of arguments. */
  asArguments(results: readonly AnyTensor[]): unknown;
}

/** Throws unless these are positions of arguments; `count` is how many there are, if that is known. */
export function checkArgumentNumbers(op: string, argnums: ArgumentNumbers, count = Infinity): void {
  const list = typeof argnums === 'number' ? [argnums] : argnums;
  checkList(op, 'argnums', list, 'numbers of arguments');
  for (const n of list) {
    if (Number.isInteger(n) && n >= 0 && n < count) continue;
    throw new ArgumentError(
      `${op}: argnums has ${shown(n)}${count === Infinity ? '' : `, and there are ${count} arguments`}. Use numbers of arguments, from 0 on.`,
    );
  }
}

export function variablesOf(op: string, inputs: readonly unknown[], argnums: ArgumentNumbers): Variables {
  checkArgumentNumbers(op, argnums, inputs.length);
  const chosen = typeof argnums === 'number' ? [argnums] : argnums;
  const nodes: Node[] = [];
  const given = [...inputs];
  for (const i of new Set(chosen)) {
    const before = nodes.length;
    given[i] = mapLeaves(inputs[i], (t) => {
      const variable = leafLike(t);
      nodes.push(variable.node);
      return variable;
    });
    if (nodes.length === before) checkTensor(inputs[i], op, inputs.length === 1 ? 'the input' : `input ${i}`);
  }
  return {
    given,
    nodes,
    asArguments(results) {
      const form = typeof argnums === 'number' ? inputs[argnums] : chosen.map((i) => inputs[i]);
      return withLeaves(form, results);
    },
  };
}

/** The result of a function that may return what is not differentiated beside it: [result, aux]. */
export function withAux(op: string, result: unknown, hasAux: boolean): { value: unknown; aux: unknown } {
  if (!hasAux) return { value: result, aux: undefined };
  if (!Array.isArray(result) || result.length !== 2)
    throw new ArgumentError(`${op}: with hasAux the function returns a list of two, [value, aux].`);
  return { value: result[0], aux: result[1] };
}

// ---------------------------------------------------------------- gradients

export interface GradOptions {
  /** The argument, or the list of arguments, that gradients are taken with respect to. Default 0. */
  readonly argnums?: ArgumentNumbers;
  /** The function returns [value, aux], and the gradient comes with `aux`: { grads, aux }. Default false. */
  readonly hasAux?: boolean;
}

const GRAD_OPTIONS: OptionNames<GradOptions> = { argnums: true, hasAux: true };

/** The value of a scalar function and its gradients with respect to all inputs, which are tensors, lists or objects of tensors. */
export function valueAndGrad<A extends readonly Tensor[]>(
  fn: (...inputs: A) => AnyTensor,
): (...inputs: A) => { value: Tensor<[]>; grads: Tensor[] };
export function valueAndGrad<A extends readonly unknown[]>(
  fn: (...inputs: A) => AnyTensor,
): (...inputs: A) => { value: Tensor<[]>; grads: A };
export function valueAndGrad(
  fn: (...inputs: never[]) => AnyTensor,
): (...inputs: readonly unknown[]) => { value: Tensor<[]>; grads: unknown } {
  checkFunction('valueAndGrad', fn);
  return (...inputs) => {
    const all = inputs.map((_, i) => i);
    const { value, grads } = differentiate('valueAndGrad', fn, inputs, all, false);
    return { value, grads };
  };
}

function differentiate(
  op: string,
  fn: (...inputs: never[]) => unknown,
  inputs: readonly unknown[],
  argnums: ArgumentNumbers,
  hasAux: boolean,
): { value: Tensor<[]>; grads: unknown; aux: unknown } {
  const { given, nodes, asArguments } = variablesOf(op, inputs, argnums);
  const result = (fn as (...given: readonly unknown[]) => unknown)(...given);
  const { value, aux } = withAux(op, result, hasAux);
  checkScalar(value, op);
  const grads = gradientsOf(value.node, one(value), nodes).map((g) => wrap<number[], 'float32'>(g));
  return { value: value as Tensor<[]>, grads: asArguments(grads), aux };
}

/**
 * The gradient of a scalar function with respect to its first input, which is a tensor, or a list or object of tensors: the gradient has
 * the same form. `argnums` chooses other inputs; a list of them gives a list. PyTorch: torch.func.grad.
 */
export function grad<A extends readonly Tensor[]>(fn: (...inputs: A) => AnyTensor): (...inputs: A) => A[0];
export function grad<A extends readonly unknown[]>(fn: (...inputs: A) => AnyTensor): (...inputs: A) => A[0];
export function grad<A extends readonly unknown[], const N extends number>(
  fn: (...inputs: A) => AnyTensor,
  options: { readonly argnums: N; readonly hasAux?: false },
): (...inputs: A) => A[N];
export function grad<A extends readonly unknown[]>(
  fn: (...inputs: A) => AnyTensor,
  options: { readonly argnums: readonly number[]; readonly hasAux?: false },
): (...inputs: A) => A[number][];
export function grad<A extends readonly unknown[], Aux, const N extends number = 0>(
  fn: (...inputs: A) => readonly [AnyTensor, Aux],
  options: { readonly argnums?: N; readonly hasAux: true },
): (...inputs: A) => { grads: A[N]; aux: Aux };
export function grad(
  fn: (...inputs: never[]) => unknown,
  options: GradOptions = {},
): (...inputs: readonly unknown[]) => unknown {
  checkFunction('grad', fn);
  checkOptions('grad', options, GRAD_OPTIONS);
  const { argnums = 0, hasAux = false } = options;
  checkArgumentNumbers('grad', argnums);
  return (...inputs) => {
    const { grads, aux } = differentiate('grad', fn, inputs, argnums, hasAux);
    return hasAux ? { grads, aux } : grads;
  };
}

// ---------------------------------------------------------------- products with the Jacobian

/** Vector-Jacobian products: `pull(v)` is vᵀ·J for each input. PyTorch: torch.func.vjp. */
export function vjp(fn: Fn, ...inputs: Tensor[]): { value: AnyTensor; pull: (v: AnyTensor) => Tensor[] } {
  checkFunction('vjp', fn);
  const vars = variables('vjp', inputs);
  const value = fn(...vars);
  checkTensor(value, 'vjp', 'what the function returned');
  return {
    value,
    pull(v) {
      checkTensor(v, 'vjp', 'the vector');
      if (!sameShape(v.shape, value.shape))
        throw new GradError(
          `vjp: vector ${formatShape(v.shape)} does not have the shape ${formatShape(value.shape)} of the result.`,
        );
      const wrt = vars.map((x) => x.node);
      return gradientsOf(value.node, v.node, wrt).map((g) => wrap(g));
    },
  };
}

/** Jacobian-vector product: how the result moves when the inputs move along `tangents`. PyTorch: torch.func.jvp. */
export function jvp(
  fn: Fn,
  inputs: readonly Tensor[],
  tangents: readonly AnyTensor[],
): { value: AnyTensor; tangent: Tensor } {
  checkFunction('jvp', fn);
  const vars = variables('jvp', inputs);
  checkList('jvp', 'the list of tangents', tangents, 'tensors');
  checkTangents('jvp', inputs, tangents);
  const value = fn(...vars);
  checkTensor(value, 'jvp', 'what the function returned');
  const push = pushForward(
    value.node,
    vars.map((x) => x.node),
  );
  return { value, tangent: wrap(push(tangents.map((t) => t.node))) };
}

/**
 * The function at one point, and its linear approximation there: `push(...tangents)` is J · tangents, for any number of them without
 * calling the function again. PyTorch: torch.func.linearize.
 */
export function linearize(
  fn: Fn,
  ...inputs: Tensor[]
): { value: AnyTensor; push: (...tangents: AnyTensor[]) => Tensor } {
  checkFunction('linearize', fn);
  const vars = variables('linearize', inputs);
  const value = fn(...vars);
  checkTensor(value, 'linearize', 'what the function returned');
  const push = pushForward(
    value.node,
    vars.map((x) => x.node),
  );
  return {
    value,
    push(...tangents) {
      checkTangents('linearize', inputs, tangents);
      return wrap(push(tangents.map((t) => t.node)));
    },
  };
}

function checkTangents(op: string, inputs: readonly Tensor[], tangents: readonly AnyTensor[]): void {
  if (inputs.length !== tangents.length)
    throw new ArgumentError(`${op}: ${inputs.length} inputs and ${tangents.length} tangents. Give one for each.`);
  tangents.forEach((t, i) => {
    checkTensor(t, op, `tangent ${i}`);
    if (!sameShape(t.shape, inputs[i].shape))
      throw new GradError(
        `${op}: tangent ${i} has shape ${formatShape(t.shape)}, its input ${formatShape(inputs[i].shape)}. Give one of the input's shape.`,
      );
  });
}

/**
 * Forward mode by differentiating twice: vᵀJ is linear in v, so its derivative along the tangents is J · tangents. The graph of the
 * first derivative is no part of the result: only what the second one uses of it is computed.
 */
export function pushForward(value: Node, wrt: readonly Node[]): (tangents: readonly Node[]) => Node {
  const v = leafLike(wrap(build.filled(0, value.shape, value.dtype))).node;
  const pulled = gradient([value], [v], wrt);
  return (tangents) => {
    const outputs = pulled.flatMap((g) => (g === undefined ? [] : [g]));
    const seeds = pulled.flatMap((g, i) => (g === undefined ? [] : [tangents[i]]));
    const [tangent] = gradient(outputs, seeds, [v]);
    return tangent ?? build.filled(0, value.shape, value.dtype);
  };
}
