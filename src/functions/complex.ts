// Complex numbers as pairs: a tensor [..., 2] holds real and imaginary parts in its last dimension, as PyTorch's view_as_real gives and
// view_as_complex takes. Dimensions of such a tensor are counted without the last one by the functions that say "complex".

import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type Shape, formatShape } from '../engine/ir/shape.js';
import { type AnyTensor, type Tensor, wrap } from '../tensor/tensor.js';
import { product } from './fourier/transform.js';
import { constant, floatOf, floatPairOf, mul, neg, unary, where } from './operands.js';
import { atan2, hypot } from './pairs.js';

type Pairs<S extends Shape> = Tensor<[...S, 2]>;
/** The shape without its last dimension. */
type Head<S extends Shape> = S extends readonly [...infer H extends number[], number] ? H : number[];

/** The node of a complex tensor; throws unless its last dimension has size 2. */
export function pairsNode(op: string, z: AnyTensor, what = 'the input'): Node {
  const node = floatOf(z, op, what);
  if (node.shape.at(-1) === 2) return node;
  throw new ShapeError(
    `${op}: ${what} ${formatShape(node.shape)} is not complex: needs [..., 2], real and imaginary parts in the last dimension. Make it with complex(x).`,
    [node.shape],
  );
}

function part(op: string, z: AnyTensor, which: 0 | 1): Node {
  const node = pairsNode(op, z);
  const last = node.shape.length - 1;
  return build.reshape(build.sliceAxis(node, last, which, which + 1), node.shape.slice(0, -1));
}

function paired(re: Node, im: Node): Node {
  const column = (x: Node): Node => build.reshape(x, [...x.shape, 1]);
  return build.concat([column(re), column(im)], re.shape.length);
}

/** The complex numbers of real and imaginary parts, which are 0 unless given: [...] → [..., 2]. PyTorch: torch.complex. */
export function complex<S extends Shape>(real: Tensor<S, DType>, imaginary?: Tensor<S, DType>): Pairs<S> {
  if (imaginary === undefined) {
    const x = floatOf(real, 'complex', 'the real part');
    return wrap(paired(x, build.filled(0, x.shape, x.dtype)));
  }
  const [x, y] = floatPairOf('complex', real, imaginary);
  return wrap(paired(x, y));
}

/** The complex numbers of absolute values and angles: [...] → [..., 2]. PyTorch: torch.polar. */
export function polar<S extends Shape>(abs: Tensor<S, DType>, angle: Tensor<S, DType>): Pairs<S> {
  const [r, a] = floatPairOf('polar', abs, angle);
  return wrap(paired(mul(r, unary('cos', a)), mul(r, unary('sin', a))));
}

/** Real parts of complex [..., 2] → [...]. PyTorch: torch.real. */
export function real<S extends Shape>(z: Tensor<S, DType>): Tensor<Head<S>> {
  return wrap(part('real', z, 0));
}

/** Imaginary parts of complex [..., 2] → [...]. PyTorch: torch.imag. */
export function imag<S extends Shape>(z: Tensor<S, DType>): Tensor<Head<S>> {
  return wrap(part('imag', z, 1));
}

/** Complex [..., 2] with the imaginary parts negated. PyTorch: torch.conj. */
export function conj<S extends Shape>(z: Tensor<S, DType>): Tensor<S> {
  return wrap(conjugate(pairsNode('conj', z)));
}

/** @internal conj on nodes. */
export function conjugate(z: Node): Node {
  const last = z.shape.length - 1;
  const isReal = build.binary('eq', build.iota(2), build.constant(0, 'int32') as Node);
  return where(build.reshape(isReal, [...z.shape.slice(0, last).map(() => 1), 2]), z, neg(z));
}

/** Absolute values of complex [..., 2] → [...], with slope 0 at 0. PyTorch: torch.abs. */
export function complexAbs<S extends Shape>(z: Tensor<S, DType>): Tensor<Head<S>> {
  const re: Tensor = wrap(part('complexAbs', z, 0));
  const im: Tensor = wrap(part('complexAbs', z, 1));
  const abs: Tensor = hypot(re, im);
  return wrap(abs.node);
}

/** Angles of complex [..., 2] → [...], from −π to π. PyTorch: torch.angle. */
export function complexAngle<S extends Shape>(z: Tensor<S, DType>): Tensor<Head<S>> {
  const re: Tensor = wrap(part('complexAngle', z, 0));
  const im: Tensor = wrap(part('complexAngle', z, 1));
  const angle: Tensor = atan2(im, re);
  return wrap(angle.node);
}

/** Products of complex [..., 2], which broadcast. PyTorch: torch.mul. */
export function complexMul(a: AnyTensor, b: AnyTensor): Tensor<number[]> {
  const op = 'complexMul';
  const [x, y] = [pairsNode(op, a, 'the first operand'), pairsNode(op, b, 'the second operand')];
  return wrap(product(x, y));
}

/** The angle of real numbers: 0, or π of negative ones; NaN stays. PyTorch: torch.angle. */
export function angle<S extends Shape>(x: Tensor<S, DType>): Tensor<S> {
  const t = build.detach(floatOf(x, 'angle'));
  const turned = where(build.binary('lt', t, constant(0, t)), constant(Math.PI, t), constant(0, t));
  return wrap(where(build.binary('ne', t, t), t, turned));
}
