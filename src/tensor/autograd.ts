// Derivatives as functions, in the manner of JAX: grad, vjp, jvp, jacobian, hessian, and operators with a derivative of
// their own. Everything is composed from reverse mode on the graph, so that derivatives can be nested.

import { checkFunction, checkList, checkText } from '../engine/ir/arguments.js';
import { type OptionNames, checkNeededOptions } from '../engine/ir/options.js';
import { gradient } from '../engine/grad/backward.js';
import * as build from '../engine/ir/build.js';
import { ArgumentError, GradError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type Shape, formatShape, sameShape } from '../engine/ir/shape.js';
import { leafLike } from './leaf-like.js';
import { type AnyTensor, type Tensor, wrap, checkTensor } from './tensor.js';

type Fn = (...inputs: Tensor[]) => AnyTensor;

/** Variables that stand for the inputs and require gradients, so that the function's graph can be differentiated. */
function variables(op: string, inputs: readonly AnyTensor[]): Tensor[] {
  checkList(op, 'the list of inputs', inputs, 'tensors');
  inputs.forEach((t, i) => checkTensor(t, op, inputs.length === 1 ? 'the input' : `input ${i}`));
  return inputs.map((t) => leafLike(t));
}

function checkScalar(y: AnyTensor, op: string): void {
  checkTensor(y, op, 'what the function returned');
  if (y.size !== 1)
    throw new GradError(
      `${op}: the function returned shape ${formatShape(y.shape)}, not one number. Reduce it with sum() or mean().`,
    );
}

function gradientsOf(y: AnyTensor, seed: Node, wrt: readonly Node[]): Tensor[] {
  return gradient([y.node], [seed], [...wrt]).map((g, i) => wrap(g ?? build.filled(0, wrt[i].shape, wrt[i].dtype)));
}

function one(y: AnyTensor): Node {
  return build.expand(build.constant(1) as Node, y.shape);
}

/** The value of a scalar function and its gradients with respect to all inputs. */
export function valueAndGrad<A extends readonly Tensor[]>(
  fn: (...inputs: A) => AnyTensor,
): (...inputs: A) => { value: Tensor<[]>; grads: Tensor[] } {
  checkFunction('valueAndGrad', fn);
  return differentiate('valueAndGrad', fn);
}

function differentiate<A extends readonly Tensor[]>(
  op: string,
  fn: (...inputs: A) => AnyTensor,
): (...inputs: A) => { value: Tensor<[]>; grads: Tensor[] } {
  return (...inputs) => {
    const vars = variables(op, inputs);
    const y = (fn as unknown as Fn)(...vars); // variables of the inputs' shapes
    checkScalar(y, op);
    return {
      value: y as Tensor<[]>,
      grads: gradientsOf(
        y,
        one(y),
        vars.map((v) => v.node),
      ),
    };
  };
}

/** The gradient of a scalar function with respect to its first input. */
export function grad<A extends readonly Tensor[]>(fn: (...inputs: A) => AnyTensor): (...inputs: A) => A[0] {
  checkFunction('grad', fn);
  const both = differentiate('grad', fn);
  return (...inputs) => both(...inputs).grads[0] as A[0];
}

/** Vector-Jacobian products: `pull(v)` is vᵀ·J for each input. */
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
      return gradientsOf(
        value,
        v.node,
        vars.map((x) => x.node),
      );
    },
  };
}

/** Jacobian-vector product: how the result moves when the inputs move along `tangents`. */
export function jvp(
  fn: Fn,
  inputs: readonly Tensor[],
  tangents: readonly AnyTensor[],
): { value: AnyTensor; tangent: Tensor } {
  checkFunction('jvp', fn);
  const vars = variables('jvp', inputs);
  checkList('jvp', 'the list of tangents', tangents, 'tensors');
  if (inputs.length !== tangents.length)
    throw new ArgumentError(`jvp: ${inputs.length} inputs and ${tangents.length} tangents. Give one for each.`);
  tangents.forEach((t, i) => {
    checkTensor(t, 'jvp', `tangent ${i}`);
    if (!sameShape(t.shape, inputs[i].shape))
      throw new GradError(
        `jvp: tangent ${i} has shape ${formatShape(t.shape)}, its input ${formatShape(inputs[i].shape)}. Give one of the input's shape.`,
      );
  });
  const value = fn(...vars);
  checkTensor(value, 'jvp', 'what the function returned');
  // vᵀJ is linear in v: its derivative along the tangent is J·tangent.
  const v = leafLike(wrap(build.filled(0, value.shape, value.dtype)));
  const pulled = gradient(
    [value.node],
    [v.node],
    vars.map((x) => x.node),
  );
  const outputs = pulled.flatMap((g) => (g === undefined ? [] : [g]));
  const seeds = pulled.flatMap((g, i) => (g === undefined ? [] : [tangents[i].node]));
  const [tangent] = gradient(outputs, seeds, [v.node]);
  return { value, tangent: wrap(tangent ?? build.filled(0, value.shape, value.dtype)) };
}

/** All partial derivatives: result [..y shape, ..x shape] for the first input. */
export function jacobian(fn: (x: Tensor) => AnyTensor, x: Tensor): Tensor {
  checkFunction('jacobian', fn);
  return rowsOf('jacobian', fn, x);
}

function rowsOf(op: string, fn: (x: Tensor) => AnyTensor, x: Tensor): Tensor {
  const [variable] = variables(op, [x]);
  const y = fn(variable);
  checkTensor(y, op, 'what the function returned');
  const flat = build.reshape(y.node, [y.size]);
  const rows: Node[] = [];
  for (let i = 0; i < y.size; i++) {
    const seed = build.cast(build.binary('eq', build.iota(y.size), build.constant(i, 'int32') as Node), y.dtype);
    const [g] = gradient([flat], [seed], [variable.node]);
    rows.push(build.reshape(g ?? build.filled(0, x.shape, x.dtype), [1, ...x.shape]));
  }
  if (rows.length === 0) return wrap(build.filled(0, [...y.shape, ...x.shape], x.dtype));
  return wrap(build.reshape(build.concat(rows, 0), [...y.shape, ...x.shape]));
}

/** Second derivatives of a scalar function: result [..x shape, ..x shape]. */
export function hessian(fn: (x: Tensor) => AnyTensor, x: Tensor): Tensor {
  checkFunction('hessian', fn);
  return rowsOf(
    'hessian',
    (v) => {
      const y = fn(v);
      checkScalar(y, 'hessian');
      const [g] = gradient([y.node], [one(y)], [v.node]);
      return wrap(g ?? build.filled(0, x.shape, x.dtype));
    },
    x,
  );
}

/** What a custom operator's forward pass leaves for its backward pass. */
export interface CustomContext<Saved extends object = Record<string, unknown>> {
  /** Tensors and numbers that the backward pass needs. Empty when `forward` is called. */
  readonly saved: Saved;
}

export interface CustomOp<
  Inputs extends readonly Tensor[] = Tensor[],
  Output extends Shape = Shape,
  Saved extends object = Record<string, unknown>,
> {
  readonly name: string;
  /** Write `ctx: CustomContext<{ t: Tensor }>` for the types of what is saved. */
  forward(ctx: CustomContext<Saved>, ...inputs: Inputs): Tensor<Output>;
  /** The gradient of the result → one gradient an input, null for none. */
  backward(ctx: CustomContext<Saved>, gradient: Tensor<Output>): readonly (AnyTensor | null)[];
}

const CUSTOM_OP: OptionNames<CustomOp> = { name: true, forward: true, backward: true };

/** An operator with a hand-written derivative. The backward pass is made of tensor operations and can be differentiated again. */
export function customOp<
  Inputs extends readonly Tensor[],
  Output extends Shape,
  Saved extends object = Record<string, unknown>,
>(op: CustomOp<Inputs, Output, Saved>): (...inputs: Inputs) => Tensor<Output> {
  checkNeededOptions('customOp', op, CUSTOM_OP, '{ name, forward, backward }');
  checkText('customOp', 'name', op.name);
  checkFunction('customOp', op.forward, 'forward');
  checkFunction('customOp', op.backward, 'backward');
  return (...inputs) => {
    inputs.forEach((t, i) => checkTensor(t, op.name, `input ${i}`));
    const ctx = { saved: {} as Saved }; // `forward` fills it
    const value = op.forward(ctx, ...inputs);
    checkTensor(value, op.name, 'what forward returned');
    const backward = (g: unknown): (Node | null)[] => {
      const grads = op.backward(ctx, wrap(g as Node));
      checkList(op.name, 'what backward returned', grads, 'gradients, one for each input');
      if (grads.length !== inputs.length) {
        throw new GradError(
          `${op.name}: backward returned ${grads.length} gradients for ${inputs.length} inputs. Return one for each, or null.`,
        );
      }
      return grads.map((t, i) => {
        if (t === null) return null;
        checkTensor(t, op.name, `gradient ${i}`);
        if (!sameShape(t.shape, inputs[i].shape)) {
          throw new GradError(
            `${op.name}: gradient ${i} has shape ${formatShape(t.shape)}, its input ${formatShape(inputs[i].shape)}.`,
          );
        }
        return t.node;
      });
    };
    return wrap(
      build.custom(
        value.node,
        inputs.map((t) => t.node),
        { name: op.name, backward },
      ),
    );
  };
}
