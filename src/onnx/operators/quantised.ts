// Quantised operators: whole numbers that stand for (q − zero point) · scale. Products of them are computed in float32 in parts that are
// exact there, and added up as int32.

import { convolve } from '../../tensor/spatial.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type ElementType, elementTypeOf, isFloatType, rowOf } from '../wire/elements.js';
import type { Call, Operators, Result } from './operator.js';
import { windowsFrom } from './windows.js';

/** Two numbers of nine bits give one of 17: so many of them add up exactly in float32. */
const EXACT_TERMS = 256;

export const asInt = (x: Tensor): Tensor => x.to('int32') as AnyTensor as Tensor;
const asReal = (x: Tensor): Tensor => x.to('float32');

/** A·B of whole numbers of at most nine bits: int32. */
export function integerProduct(a: Tensor, b: Tensor): Tensor {
  const inner = a.shape[a.rank - 1];
  const [x, y] = [asReal(a), asReal(b)];
  if (inner <= EXACT_TERMS) return asInt(x.matmul(y));
  let total: Tensor | undefined;
  for (let from = 0; from < inner; from += EXACT_TERMS) {
    const to = Math.min(from + EXACT_TERMS, inner);
    const part = asInt(x.slice(-1, from, to).matmul(b.rank === 1 ? y.slice(0, from, to) : y.slice(-2, from, to)));
    total = total === undefined ? part : total.add(part);
  }
  return total as Tensor;
}

/** Less its zero point, one for all or one for each row or column. */
function shifted(x: Tensor, zero: Tensor | undefined, axis: number): Tensor {
  const whole = asInt(x);
  if (zero === undefined) return whole;
  const point = asInt(zero);
  if (zero.size === 1) return whole.sub(point.reshape([]));
  if (zero.rank > 1) return whole.sub(point);
  const at = axis < 0 ? axis + x.rank : axis;
  return whole.sub(point.reshape(x.shape.map((_, i) => (i === at ? zero.size : 1))));
}

/** Scales or zero points beside x: one, one along an axis, or one for each block of an axis. */
function beside(call: Call, t: Tensor, x: Tensor): Tensor {
  if (t.size === 1 && t.rank <= 1) return t.reshape([]);
  const axis = call.axis(call.int('axis', 1), x.rank);
  if (t.rank === 1) return t.reshape(x.shape.map((_, i) => (i === axis ? t.size : 1)));
  const block = call.int('block_size', 0);
  if (block === 0) return t;
  const apart: Tensor = t.unsqueeze(axis + 1);
  const wide: Tensor = apart.expand(apart.shape.map((n, i) => (i === axis + 1 ? block : n)));
  const whole: Tensor = wide.reshape(t.shape.map((n, i) => (i === axis ? n * block : n)));
  return whole.shape[axis] === x.shape[axis] ? whole : whole.slice(axis, 0, x.shape[axis]);
}

/** To the nearest whole number (halves to even), shifted, and within the range of the type. */
export function saturated(call: Call, x: Tensor, zero: Tensor | undefined, type: ElementType): Result {
  const [low, high] = rowOf(type).range as readonly [number, number];
  const rounded: Tensor = x.round();
  const moved: Tensor = zero === undefined ? rounded : rounded.add(asReal(asInt(zero)));
  return call.as(moved.maximum(low).minimum(high).to(call.environment.dtypeOf(type)), type);
}

function quantised(call: Call): Result {
  const x = call.tensor(0);
  const scale = beside(call, call.tensor(1), x);
  const zero = call.has(2) ? beside(call, call.tensor(2), x) : undefined;
  const code = call.int('output_dtype', 0);
  const type = call.has(2) ? call.type(2) : code === 0 ? 'uint8' : elementTypeOf(code);
  if (type === undefined || isFloatType(type)) return call.fail('it gives a type that nabla has not');
  return saturated(call, asReal(x).div(asReal(scale)), zero, type);
}

function dequantised(call: Call): Result {
  const x = call.tensor(0);
  const scale = beside(call, call.tensor(1), x);
  const zero = call.has(2) ? beside(call, call.tensor(2), x) : undefined;
  const whole = zero === undefined ? asInt(x) : asInt(x).sub(asInt(zero));
  const code = call.int('output_dtype', 0);
  const type = (code === 0 ? undefined : elementTypeOf(code)) ?? call.type(1);
  const real: Tensor = asReal(whole).mul(asReal(scale));
  return call.as(real.to(call.environment.dtypeOf(type)), type);
}

/** x as whole numbers of eight bits less their zero point, by its own range, and what one of them is worth. */
export function byRange(x: Tensor): { whole: Tensor; scale: Tensor; zero: Tensor; quantised: Tensor } {
  const [least, most] = [x.amin().minimum(0), x.amax().maximum(0)];
  const range: Tensor = most.sub(least);
  // of nothing but zeros, any scale will do
  const scale: Tensor = range.add(range.eq(0).to(x.dtype)).mul(1 / 255);
  const zero: Tensor = least.neg().div(scale).maximum(0).minimum(255).round();
  const quantisedX: Tensor = x.div(scale).round().add(zero).maximum(0).minimum(255);
  return { whole: quantisedX.sub(zero), scale, zero, quantised: quantisedX };
}

/** uint8 by the range of x itself: also the scale and the zero point. */
function quantisedByRange(call: Call): Result[] {
  const { scale, zero, quantised: y } = byRange(call.tensor(0));
  return [call.as(y.to('uint8'), 'uint8'), call.as(scale, 'float32'), call.as(zero.to('uint8'), 'uint8')];
}

function integerMatmul(call: Call): Result {
  const a = shifted(call.tensor(0), call.maybe(2), -2);
  const b = shifted(call.tensor(1), call.maybe(3), -1);
  return call.as(integerProduct(a, b), 'int32');
}

function quantisedMatmul(call: Call): Result {
  const a = shifted(call.tensor(0), call.maybe(2), -2);
  const b = shifted(call.tensor(3), call.maybe(5), -1);
  const [aScale, bScale, yScale] = [1, 4, 6].map((i) => asReal(call.tensor(i)));
  const rows = aScale.size > 1 && aScale.rank === 1 ? aScale.reshape([aScale.size, 1]) : aScale;
  const factor: Tensor = rows.mul(bScale).div(yScale);
  return saturated(call, asReal(integerProduct(a, b)).mul(factor), call.maybe(7), call.type(7));
}

/** A convolution of whole numbers, exact where the channels are few enough: by groups of input channels otherwise. */
function integerConvolution(call: Call, x: Tensor, w: Tensor): Tensor {
  const windows = windowsFrom(call, w.shape.slice(2), x.shape.slice(2));
  const groups = call.int('group', 1);
  const [, perGroup, ...kernel] = w.shape;
  const taps = kernel.reduce((a, b) => a * b, 1);
  const most = Math.max(1, Math.floor(EXACT_TERMS / taps));
  if (perGroup <= most || groups > 1)
    return asInt(convolve(asReal(x), asReal(w), undefined, { ...windows, groups }).round());
  let total: Tensor | undefined;
  for (let from = 0; from < perGroup; from += most) {
    const to = Math.min(from + most, perGroup);
    const [xs, ws] = [asReal(x.slice(1, from, to)), asReal(w.slice(1, from, to))];
    const part = asInt(convolve(xs, ws, undefined, { ...windows, groups: 1 }).round());
    total = total === undefined ? part : total.add(part);
  }
  return total as Tensor;
}

function convInteger(call: Call): Result {
  const x = shifted(call.tensor(0), call.maybe(2), 1);
  const w = shifted(call.tensor(1), call.maybe(3), 0);
  return call.as(integerConvolution(call, x, w), 'int32');
}

function quantisedConvolution(call: Call): Result {
  const x = shifted(call.tensor(0), call.maybe(2), 1);
  const w = shifted(call.tensor(3), call.maybe(5), 0);
  const [xScale, wScale, yScale] = [1, 4, 6].map((i) => asReal(call.tensor(i)));
  const made = integerConvolution(call, x, w);
  const channels = (t: Tensor): Tensor => t.reshape(made.shape.map((_, i) => (i === 1 ? t.size : 1)));
  const whole = call.has(8) ? made.add(channels(asInt(call.tensor(8)))) : made;
  const factor: Tensor = channels(wScale).mul(xScale.reshape([])).div(yScale.reshape([]));
  return saturated(call, asReal(whole).mul(factor), call.maybe(7), call.type(7));
}

export const QUANTISED: Operators = {
  QuantizeLinear: { inputs: [2, 3], settings: [1, 2], run: quantised },
  DequantizeLinear: { inputs: [2, 3], settings: [1, 2], run: dequantised },
  DynamicQuantizeLinear: { inputs: [1, 1], run: quantisedByRange },
  MatMulInteger: { inputs: [2, 4], settings: [2, 3], run: integerMatmul },
  ConvInteger: { inputs: [2, 4], settings: [2, 3], run: convInteger },
  QLinearMatMul: { inputs: [8, 8], settings: [1, 2, 4, 5, 6, 7], run: quantisedMatmul },
  QLinearConv: { inputs: [8, 9], settings: [1, 2, 4, 5, 6, 7], run: quantisedConvolution },
};
