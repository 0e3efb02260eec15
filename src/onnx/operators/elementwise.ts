// Element-wise operators of one and of several inputs: arithmetic, comparison, logic, bits, functions of a number.

import * as bits from '../../functions/bits.js';
import { fmod } from '../../functions/pairs.js';
import { acosh, asinh, atanh } from '../../functions/special.js';
import { where } from '../../tensor/functions.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { combined, mapped } from '../host/maps.js';
import { isFloatType, isIntType, rowOf } from '../wire/elements.js';
import type { Call, Operator, Operators } from './operator.js';

type OfOne = (x: number) => number;
type OfTwo = (a: number, b: number) => number;

/** A function of one input, on the host and on a device. */
function unary(host: OfOne, run: (x: Tensor, call: Call) => AnyTensor, more: Partial<Operator> = {}): Operator {
  return {
    inputs: [1, 1],
    host: (call) => mapped(call.host(0), call.type(0), host),
    run: (call) => run(call.tensor(0), call),
    ...more,
  };
}

function binary(host: OfTwo, run: (a: Tensor, b: Tensor, call: Call) => AnyTensor): Operator {
  return {
    inputs: [2, 2],
    host: (call) => combined([call.host(0), call.host(1)], call.type(0), host),
    run: (call) => run(call.tensor(0), call.tensor(1), call),
  };
}

/** A comparison: of truth values. */
function comparison(host: (a: number, b: number) => boolean, run: (a: Tensor, b: Tensor) => AnyTensor): Operator {
  return {
    inputs: [2, 2],
    host: (call) => combined([call.host(0), call.host(1)], 'bool', (a, b) => Number(host(a, b))),
    run: (call) => call.as(run(call.tensor(0), call.tensor(1)), 'bool'),
  };
}

/** Of as many inputs as there are. */
function variadic(
  host: (values: readonly number[]) => number,
  run: (a: Tensor, b: Tensor) => Tensor,
  isMean = false,
): Operator {
  return {
    inputs: [1, Infinity],
    host: (call) =>
      combined(
        call.values.map((_, i) => call.host(i)),
        call.type(0),
        (...values) => host(values),
      ),
    run: (call) => {
      const all = call.tensors();
      const joined = all.reduce(run);
      return isMean ? joined.mul(1 / all.length) : joined;
    },
  };
}

/** Whole numbers are divided towards zero. */
function divided(a: Tensor, b: Tensor, call: Call): AnyTensor {
  if (isFloatType(call.type(0))) return a.div(b);
  if (rowOf(call.type(0)).range?.[0] === 0) return a.floorDivide(b);
  return a.abs().floorDivide(b.abs()).mul(a.sign()).mul(b.sign());
}

/** The dtype of the base, whatever the exponent's. */
function power(call: Call): AnyTensor {
  const x = call.tensor(0);
  const known = call.known(1);
  const exponent = known?.data.length === 1 && known.shape.length <= call.rank(0) ? known.data[0] : undefined;
  if (exponent === undefined) return x.pow(call.tensor(1)).to(x.dtype);
  if (exponent === 1) return x;
  if (exponent === 3) return x.mul(x).mul(x);
  return x.pow(exponent).to(x.dtype);
}

const roundEven = (x: number): number => {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
};

const erf = (x: number): number => {
  // Abramowitz and Stegun 7.1.28 is too coarse: the series up to 3, the continued fraction beyond
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  let [sum, term] = [a, a];
  if (a < 3) {
    for (let n = 1; n < 100; n++) {
      term *= -(a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
};

const shifted: OfTwo = (a, b) => (b >= 64 ? 0 : a * 2 ** b);

/** Where a number is infinite, as the two attributes want. */
function isInfinite(call: Call): Tensor {
  const x = call.tensor(0);
  const [negative, positive] = [call.flag('detect_negative', true), call.flag('detect_positive', true)];
  if (negative && positive) return x.isInf() as AnyTensor as Tensor;
  if (positive) return x.eq(Infinity) as AnyTensor as Tensor;
  if (negative) return x.eq(-Infinity) as AnyTensor as Tensor;
  return x.ne(x).logicalAnd(x.eq(x)) as AnyTensor as Tensor;
}

type Whole = Tensor<readonly number[], 'int32'>;
const whole = (x: Tensor): Whole => x.to('int32');
const truth = (x: Tensor): Tensor<readonly number[], 'bool'> => x.to('bool');

export const ELEMENTWISE: Operators = {
  Add: binary(
    (a, b) => a + b,
    (a, b) => a.add(b),
  ),
  Sub: binary(
    (a, b) => a - b,
    (a, b) => a.sub(b),
  ),
  Mul: binary(
    (a, b) => a * b,
    (a, b) => a.mul(b),
  ),
  Div: {
    ...binary((a, b) => a / b, divided),
    host: (call) => {
      const isWhole = isIntType(call.type(0));
      return combined([call.host(0), call.host(1)], call.type(0), (a, b) => {
        if (isWhole && b === 0) throw new RangeError('a whole number is divided by 0');
        return isWhole ? Math.trunc(a / b) : a / b;
      });
    },
  },
  Pow: {
    inputs: [2, 2],
    settings: [1],
    host: (call) => combined([call.host(0), call.host(1)], call.type(0), (a, b) => a ** b),
    run: power,
  },
  Mod: {
    inputs: [2, 2],
    host: (call) => {
      const isFmod = call.flag('fmod');
      return combined([call.host(0), call.host(1)], call.type(0), (a, b) => {
        const rest = a % b;
        return isFmod || rest === 0 || rest < 0 === b < 0 ? rest : rest + b;
      });
    },
    run: (call) => {
      const [a, b] = [call.tensor(0), call.tensor(1)];
      return call.flag('fmod') ? fmod(a, b) : a.remainder(b);
    },
  },
  Max: variadic(
    (values) => values.reduce((a, b) => Math.max(a, b)),
    (a, b) => a.maximum(b),
  ),
  Min: variadic(
    (values) => values.reduce((a, b) => Math.min(a, b)),
    (a, b) => a.minimum(b),
  ),
  Sum: variadic(
    (values) => values.reduce((a, b) => a + b),
    (a, b) => a.add(b),
  ),
  Mean: variadic(
    (values) => values.reduce((a, b) => a + b) / values.length,
    (a, b) => a.add(b),
    true,
  ),

  Equal: comparison(
    (a, b) => a === b,
    (a, b) => a.eq(b),
  ),
  Less: comparison(
    (a, b) => a < b,
    (a, b) => a.lt(b),
  ),
  LessOrEqual: comparison(
    (a, b) => a <= b,
    (a, b) => a.le(b),
  ),
  Greater: comparison(
    (a, b) => a > b,
    (a, b) => a.gt(b),
  ),
  GreaterOrEqual: comparison(
    (a, b) => a >= b,
    (a, b) => a.ge(b),
  ),
  And: comparison(
    (a, b) => a !== 0 && b !== 0,
    (a, b) => a.logicalAnd(b),
  ),
  Or: comparison(
    (a, b) => a !== 0 || b !== 0,
    (a, b) => a.logicalOr(b),
  ),
  Xor: comparison(
    (a, b) => (a !== 0) !== (b !== 0),
    (a, b) => a.logicalXor(b),
  ),
  Not: unary(
    (x) => (x === 0 ? 1 : 0),
    (x) => x.logicalNot(),
  ),
  Where: {
    inputs: [3, 3],
    host: (call) => combined([call.host(0), call.host(1), call.host(2)], call.type(1), (c, a, b) => (c !== 0 ? a : b)),
    run: (call) => call.as(where(truth(call.tensor(0)), call.tensor(1), call.tensor(2)), call.type(1)),
  },

  BitwiseAnd: binary(
    (a, b) => Number(BigInt(a) & BigInt(b)),
    (a, b) => bits.bitwiseAnd(whole(a), whole(b)).to(a.dtype),
  ),
  BitwiseOr: binary(
    (a, b) => Number(BigInt(a) | BigInt(b)),
    (a, b) => bits.bitwiseOr(whole(a), whole(b)).to(a.dtype),
  ),
  BitwiseXor: binary(
    (a, b) => Number(BigInt(a) ^ BigInt(b)),
    (a, b) => bits.bitwiseXor(whole(a), whole(b)).to(a.dtype),
  ),
  BitwiseNot: unary(
    (x) => -x - 1,
    (x, call) => inRange(bits.bitwiseNot(whole(x)) as AnyTensor as Tensor, call),
  ),
  BitShift: {
    inputs: [2, 2],
    host: (call) => {
      const isLeft = call.text('direction') === 'LEFT';
      return combined([call.host(0), call.host(1)], call.type(0), isLeft ? shifted : (a, b) => Math.floor(a / 2 ** b));
    },
    run: (call) => {
      const [a, b] = [whole(call.tensor(0)), whole(call.tensor(1))];
      const isLeft = call.text('direction') === 'LEFT';
      const moved = isLeft ? bits.bitwiseLeftShift(a, b) : bits.bitwiseRightShift(a, b);
      return inRange(moved as AnyTensor as Tensor, call);
    },
  },

  Neg: unary(
    (x) => -x,
    (x) => x.neg(),
  ),
  Abs: unary(Math.abs, (x) => x.abs()),
  Sign: unary(
    (x) => Math.sign(x) || 0,
    (x) => x.sign(),
  ),
  Floor: unary(Math.floor, (x) => x.floor()),
  Ceil: unary(Math.ceil, (x) => x.ceil()),
  Round: unary(roundEven, (x) => x.round()),
  Sqrt: unary(Math.sqrt, (x) => x.sqrt()),
  Reciprocal: unary(
    (x) => 1 / x,
    (x) => x.reciprocal(),
  ),
  Exp: unary(Math.exp, (x) => x.exp()),
  Log: unary(Math.log, (x) => x.log()),
  Erf: unary(erf, (x) => x.erf()),
  Sin: unary(Math.sin, (x) => x.sin()),
  Cos: unary(Math.cos, (x) => x.cos()),
  Tan: unary(Math.tan, (x) => x.tan()),
  Asin: unary(Math.asin, (x) => x.asin()),
  Acos: unary(Math.acos, (x) => x.acos()),
  Atan: unary(Math.atan, (x) => x.atan()),
  Sinh: unary(Math.sinh, (x) => x.sinh()),
  Cosh: unary(Math.cosh, (x) => x.cosh()),
  Tanh: unary(Math.tanh, (x) => x.tanh()),
  Asinh: unary(Math.asinh, (x) => asinh(x)),
  Acosh: unary(Math.acosh, (x) => acosh(x)),
  Atanh: unary(Math.atanh, (x) => atanh(x)),
  Sigmoid: unary(
    (x) => 1 / (1 + Math.exp(-x)),
    (x) => x.sigmoid(),
  ),
  IsNaN: {
    inputs: [1, 1],
    host: (call) => mapped(call.host(0), 'bool', (x) => Number(Number.isNaN(x))),
    run: (call) => call.tensor(0).isNaN(),
  },
  IsInf: { inputs: [1, 1], run: isInfinite },
};

/** Whole numbers on a device are of 32 bits: narrower ones are wrapped by hand. */
export function inRange(x: Tensor, call: Call): AnyTensor {
  return wrappedTo(x, call.type(0));
}

export function wrappedTo(x: Tensor, type: Parameters<typeof rowOf>[0]): AnyTensor {
  if (type === 'uint8') return x.to('uint8');
  const range = rowOf(type).range;
  if (range === undefined || range[1] >= 0x7fffffff) return x;
  const mask = range[1] - range[0];
  const shiftedUp: Tensor = range[0] === 0 ? x : x.add(-range[0]);
  const low = bits.bitwiseAnd(whole(shiftedUp), mask);
  return range[0] === 0 ? low : low.add(range[0]);
}
