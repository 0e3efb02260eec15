// Products of several matrices.

import { checkList, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type Shape, formatShape } from '../engine/ir/shape.js';
import { asFloat, asNumber, promoted } from '../tensor/operands.js';
import { positions } from '../tensor/reductions.js';
import { type AnyTensor, type Tensor, nodeOf, nodesOf, wrap } from '../tensor/tensor.js';
import { inverseNodes } from './linalg/systems.js';
import { multiplied } from './multiplied.js';

/** The product of a chain of matrices, in the cheapest order; the first and the last may be vectors. PyTorch: torch.linalg.multi_dot. */
export function multiDot(tensors: readonly AnyTensor[]): Tensor<number[]> {
  return wrap(chain('multiDot', nodesOf(tensors, 'multiDot'), true));
}

/** The product of one matrix after the other, in the cheapest order. PyTorch: torch.chain_matmul. */
export function chainMatmul(tensors: readonly AnyTensor[]): Tensor<number[]> {
  return wrap(chain('chainMatmul', nodesOf(tensors, 'chainMatmul'), false));
}

function chain(op: string, nodes: readonly Node[], takesVectors: boolean): Node {
  checkList(op, 'the tensors', nodes, 'matrices');
  const count = nodes.length;
  if (count < (takesVectors ? 2 : 1))
    throw new ArgumentError(`${op}: ${count} matrices. Give at least ${takesVectors ? 'two' : 'one'}.`);
  nodes.forEach(({ shape }, i) => {
    const isEnd = takesVectors && (i === 0 || i === count - 1);
    if (shape.length === 2 || (isEnd && shape.length === 1)) return;
    throw new ShapeError(`${op}: tensor ${i} ${formatShape(shape)} is not a matrix`, [shape]);
  });
  const dtype = nodes.reduce((a, b) => promoted(a, b, op)[0]).dtype;
  const matrices = nodes.map((node, i) => {
    const x = asNumber(build.cast(node, dtype));
    if (x.shape.length === 2) return x;
    return build.reshape(x, i === 0 ? [1, x.size] : [x.size, 1]);
  });
  const made = inOrder(op, matrices);
  const shape = [...made.shape];
  if (nodes[count - 1].shape.length === 1) shape.pop();
  if (nodes[0].shape.length === 1) shape.shift();
  return build.reshape(made, shape);
}

/** Matrices from i to j are multiplied where that costs least (dynamic programming over the chain). */
function inOrder(op: string, matrices: readonly Node[]): Node {
  const count = matrices.length;
  const size = (i: number): number => (i < count ? matrices[i].shape[0] : matrices[count - 1].shape[1]);
  const cost = matrices.map(() => new Array<number>(count).fill(0));
  const at = matrices.map(() => new Array<number>(count).fill(0));
  for (let length = 2; length <= count; length++) {
    for (let i = 0; i + length <= count; i++) {
      const j = i + length - 1;
      cost[i][j] = Infinity;
      for (let k = i; k < j; k++) {
        const total = cost[i][k] + cost[k + 1][j] + size(i) * size(k + 1) * size(j + 1);
        if (total < cost[i][j]) [cost[i][j], at[i][j]] = [total, k];
      }
    }
  }
  const make = (i: number, j: number): Node =>
    i === j ? matrices[i] : multiplied(op, make(i, at[i][j]), make(at[i][j] + 1, j));
  return make(0, count - 1);
}

/**
 * The matrix [.., n, n] times itself, `exponent` times in all; 0 gives the unit matrix, a negative exponent powers of the inverse. PyTorch:
 * torch.linalg.matrix_power.
 */
export function matrixPower<S extends Shape>(matrix: Tensor<S>, exponent: number): Tensor<S> {
  const op = 'matrixPower';
  const x = nodeOf(matrix, op, 'the matrix');
  const rank = x.shape.length;
  if (rank < 2 || x.shape[rank - 1] !== x.shape[rank - 2])
    throw new ShapeError(`${op}: ${formatShape(x.shape)} is not a square matrix, nor a batch of them`, [x.shape]);
  checkWhole(op, 'the exponent', exponent, -Infinity);
  const n = x.shape[rank - 1];
  const unit = build.cast(build.binary('eq', positions(2, 0, n), positions(2, 1, n)), x.dtype);
  if (exponent === 0) return wrap(build.expand(unit, x.shape));
  let power: Node | undefined;
  let square = exponent < 0 ? inverse(op, x) : asNumber(x);
  for (let left = Math.abs(exponent); ; square = build.matmul(square, square)) {
    if (left % 2 === 1) power = power === undefined ? square : build.matmul(power, square);
    left = Math.floor(left / 2);
    if (left === 0) return wrap(power as Node);
  }
}

function inverse(op: string, x: Node): Node {
  const float = asFloat(x);
  return build.cast(inverseNodes(op, build.cast(float, 'float64')).x, float.dtype);
}
