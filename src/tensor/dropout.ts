// Dropout as a function: always on; whether a model trains is a module's knowledge.

import { ArgumentError } from '../engine/ir/errors.js';
import { type Shape, shown } from '../engine/ir/shape.js';
import { rand } from './creation.js';
import { type Tensor, checkTensor } from './tensor.js';

/** Throws unless p is a probability. */
export function checkProbability(p: number, what: string): void {
  if (!(typeof p === 'number' && p >= 0 && p <= 1))
    throw new ArgumentError(`${what} is ${shown(p)}. Use a number from 0 to 1.`);
}

/** 1 with probability 1 − p, else 0. */
export function kept(shape: Shape, p: number): Tensor {
  return rand(shape).ge(p).to('float32');
}

/** One draw for each element of `shape`, which broadcasts to x. */
export function drop(x: Tensor, p: number, shape: Shape): Tensor {
  if (p === 0) return x;
  if (p === 1) return x.mul(0);
  return x.mul(kept(shape, p).mul(1 / (1 - p)));
}

/**
 * Sets each element to zero with probability `p` (default 0.5) and multiplies the others by 1 / (1 − p), with new random
 * numbers in each call. PyTorch: F.dropout in training.
 */
export function dropout<S extends Shape>(x: Tensor<S>, p = 0.5): Tensor<S> {
  checkTensor(x, 'dropout', 'the input');
  checkProbability(p, 'dropout: p');
  return drop(x, p, x.shape);
}
