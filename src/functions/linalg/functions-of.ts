// Functions of whole matrices: the exponential; and tensors that act as matrices. Names and meaning are PyTorch's.

import { checkList, checkWhole } from '../../engine/ir/arguments.js';
import * as build from '../../engine/ir/build.js';
import type { FloatDType } from '../../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../../engine/ir/errors.js';
import type { Node } from '../../engine/ir/node.js';
import { type Shape, formatShape, normalizeDim, sizeOf } from '../../engine/ir/shape.js';
import { asFloat, promoted } from '../../tensor/operands.js';
import { type Tensor, nodeOf, wrap } from '../../tensor/tensor.js';
import {
  add,
  asColumn,
  batchOf,
  mul,
  narrowed,
  number,
  product,
  squareOf,
  sub,
  unitMatrix,
  where,
  widened,
} from './matrices.js';
import { matrixNormNode } from './matrix-norms.js';
import { inverseNodes, solveNodes } from './systems.js';

// ---------------------------------------------------------------- exponential

/** Coefficients of the Padé approximation of degree 13, from x⁰ on. */
const PADE = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
  670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
];
/** For norms up to here the approximation is exact to rounding (Higham, 2005). */
const LARGEST = 5.37;
/** Halvings at most: for norms up to five million. */
const HALVINGS = 20;

/**
 * exp(A) = I + A + A²/2 + …, of square matrices [..., n, n], by scaling, Padé approximation and squaring. Matrices whose largest sum of a
 * column is above five million give NaN. PyTorch: torch.linalg.matrix_exp.
 */
export function matrixExp<S extends Shape, D extends FloatDType>(a: Tensor<S, D>): Tensor<S, D> {
  const given = squareOf('matrixExp', a);
  if (given.rows === 0) return wrap(narrowed(given.a, given.dtype));
  return wrap(narrowed(exponential(given.a), given.dtype));
}

function exponential(a: Node): Node {
  const batch = batchOf(a);
  const size = build.reshape(matrixNormNode('matrixExp', build.detach(a), 1), [...batch, 1, 1]);
  const isLarger = Array.from({ length: HALVINGS + 1 }, (_, i) => build.binary('lt', number(LARGEST * 2 ** i), size));
  const factor = isLarger
    .slice(0, HALVINGS)
    .reduce((scale, isIt) => mul(scale, where(isIt, number(0.5), number(1))), number(1));
  const tooLarge = where(isLarger[HALVINGS], number(NaN), number(0));
  let x = approximated(mul(a, factor));
  for (let i = 0; i < HALVINGS; i++) x = where(isLarger[i], product(x, x), x);
  return add(x, tooLarge);
}

function approximated(a: Node): Node {
  const unit = unitMatrix(batchOf(a), a.shape[a.shape.length - 1]);
  const second = product(a, a);
  const fourth = product(second, second);
  const sixth = product(fourth, second);
  const combined = (c6: number, c4: number, c2: number): Node =>
    add(add(mul(sixth, number(c6)), mul(fourth, number(c4))), mul(second, number(c2)));
  const part = (b: readonly number[]): Node => {
    const high = product(sixth, combined(b[6], b[5], b[4]));
    return add(add(high, combined(b[3], b[2], b[1])), mul(unit, number(b[0])));
  };
  const odd = product(a, part(PADE.filter((_, i) => i % 2 === 1)));
  const even = part(PADE.filter((_, i) => i % 2 === 0));
  return solveNodes('', sub(even, odd), add(even, odd)).x;
}

// ---------------------------------------------------------------- tensors as matrices

/**
 * The inverse of a tensor as a map from its last dimensions to its first `ind` ones, whose sizes have the same product: tensordot(inverse, y, ind)
 * gives x of tensordot(a, x). Default 2. PyTorch: torch.linalg.tensorinv.
 */
export function tensorinv<D extends FloatDType>(a: Tensor<Shape, D>, ind = 2): Tensor<number[], D> {
  const op = 'tensorinv';
  const x = asFloat(nodeOf(a, op, 'the tensor'));
  checkWhole(op, 'ind', ind, 1);
  const [first, last] = [x.shape.slice(0, ind), x.shape.slice(ind)];
  const size = sizeOf(first);
  if (size !== sizeOf(last))
    throw new ShapeError(
      `${op}: ${formatShape(x.shape)} is no square map: its first ${ind} dimensions have ${size} elements, the others ${sizeOf(last)}`,
      [x.shape],
    );
  const inverse = inverseNodes(op, build.reshape(widened(x), [size, size])).x;
  return wrap(narrowed(build.reshape(inverse, [...last, ...first]), x.dtype));
}

/**
 * X of tensordot(A, X, rank of X) = B: the first dimensions of A are those of B, and the others have as many elements. PyTorch:
 * torch.linalg.tensorsolve, whose `dims` are moved to the end of A first.
 */
export function tensorsolve<D extends FloatDType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  dims: readonly number[] = [],
): Tensor<number[], D> {
  const op = 'tensorsolve';
  const [x, y] = promoted(asFloat(nodeOf(a, op, 'the tensor')), asFloat(nodeOf(b, op, 'the right side')), op);
  checkList(op, 'dims', dims, 'dimensions');
  const moved = dims.map((d) => normalizeDim(d, x.shape.length, op));
  if (new Set(moved).size < moved.length) throw new ArgumentError(`${op}: a dimension is listed twice.`);
  const order = [...x.shape.keys()].filter((i) => !moved.includes(i)).concat(moved);
  const given = build.permute(widened(x), order);
  const rest = given.shape.slice(y.shape.length);
  const size = y.size;
  if (sizeOf(rest) !== size || sizeOf(given.shape) !== size * size)
    throw new ShapeError(
      `${op}: ${formatShape(given.shape)} and ${formatShape(y.shape)}: needs ${size} elements in the dimensions behind the first ${y.shape.length}`,
      [given.shape, y.shape],
    );
  const column = asColumn(build.reshape(widened(y), [size]));
  const solution = solveNodes(op, build.reshape(given, [size, size]), column).x;
  return wrap(narrowed(build.reshape(solution, rest), x.dtype));
}
