// Operators with a derivative of their own, written in tensors.

import { checkFunction, checkList, checkText } from '../engine/ir/arguments.js';
import { type OptionNames, checkNeededOptions } from '../engine/ir/options.js';
import * as build from '../engine/ir/build.js';
import { GradError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type Shape, formatShape, sameShape } from '../engine/ir/shape.js';
import { type AnyTensor, type Tensor, wrap, checkTensor } from './tensor.js';

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
  /** Whether `backward` does more than compute, so that it is called where the gradient is known to be 0 as well. Default false. */
  readonly hasEffect?: boolean;
}

const CUSTOM_OP: OptionNames<CustomOp> = { name: true, forward: true, backward: true, hasEffect: true };

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
        { name: op.name, backward, hasEffect: op.hasEffect === true },
      ),
    );
  };
}
