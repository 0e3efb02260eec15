// Activation functions beyond the tensor's own methods. Each is element-wise unless it says otherwise, with PyTorch's
// name, default and slope at its kinks.

import { checkNumber } from '../tensor/operands.js';
import { where } from '../tensor/functions.js';
import { ArgumentError, type Shape, ShapeError, formatShape } from '../tensor/library.js';
import { rand } from '../tensor/creation.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';

type Same = <S extends Shape>(x: Tensor<S>) => Tensor<S>;

/** An element-wise function, typed by its argument. */
function elementwise(f: (x: Tensor) => Tensor): Same {
  return <S extends Shape>(x: Tensor<S>) => f(x);
}

/** The same as a public function, which is told of a wrong argument under its name. */
function named(name: string, f: (x: Tensor) => Tensor): Same {
  const call = elementwise(f);
  return (x) => {
    checkTensor(x, name, 'the input');
    return call(x);
  };
}

const select = (condition: Tensor<Shape, 'bool'>, a: Tensor | number, b: Tensor | number): Tensor =>
  where(condition, a as Tensor, b as Tensor) as Tensor;

/** max(x, 0) + slope · min(x, 0); slope `slope` at 0. Maas et al. 2013; PyTorch: F.leaky_relu. */
export function leakyRelu<S extends Shape>(x: Tensor<S>, slope = 0.01): Tensor<S> {
  checkTensor(x, 'leakyRelu', 'the input');
  checkNumber(slope, 'leakyRelu', 'slope');
  return elementwise((t) => select(t.gt(0), t, t.mul(slope)))(x);
}

/** x where positive, α·(eˣ − 1) elsewhere. Clevert et al. 2016; PyTorch: F.elu. */
export function elu<S extends Shape>(x: Tensor<S>, alpha = 1): Tensor<S> {
  checkTensor(x, 'elu', 'the input');
  checkNumber(alpha, 'elu', 'alpha');
  return elementwise((t) => whereNotPositive(t, (y) => y.expm1().mul(alpha)))(x);
}

/** x where positive, α·(e^(x/α) − 1) elsewhere: smooth for every α. Barron 2017; PyTorch: F.celu. */
export function celu<S extends Shape>(x: Tensor<S>, alpha = 1): Tensor<S> {
  checkTensor(x, 'celu', 'the input');
  checkNumber(alpha, 'celu', 'alpha');
  if (alpha === 0) throw new ArgumentError('celu: alpha is 0. Use another number.');
  return elementwise((t) =>
    whereNotPositive(t, (y) =>
      y
        .mul(1 / alpha)
        .expm1()
        .mul(alpha),
    ),
  )(x);
}

/** f(x) where x ≤ 0, x elsewhere. f sees 0 there: of a large x, expm1 would be ∞, and its gradient 0 · ∞. */
function whereNotPositive(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const curved = x.le(0);
  return select(curved, f(select(curved, x, 0)), x);
}

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** λ·elu(x, α) with the constants that keep mean 0 and variance 1. Klambauer et al. 2017; PyTorch: F.selu. */
export function selu<S extends Shape>(x: Tensor<S>): Tensor<S> {
  checkTensor(x, 'selu', 'the input');
  return elu(x, SELU_ALPHA).mul(SELU_SCALE);
}

/** x · σ(x), the swish. Ramachandran et al. 2017; PyTorch: F.silu. */
export const silu: Same = named('silu', (x) => x.mul(x.sigmoid()));

/** x · tanh(softplus(x)). Misra 2019; PyTorch: F.mish. */
export const mish: Same = named('mish', (x) => x.mul(x.softplus().tanh()));

/** log σ(x), which does not overflow. PyTorch: F.logsigmoid. */
export const logSigmoid: Same = named('logSigmoid', (x) => x.neg().softplus().neg());

/** x / (1 + |x|). PyTorch: F.softsign. */
export const softsign: Same = named('softsign', (x) => x.div(x.abs().add(1)));

/** x − tanh(x). PyTorch: F.tanhshrink. */
export const tanhshrink: Same = named('tanhshrink', (x) => x.sub(x.tanh()));

/** x limited to [min, max]; slope 0 at the limits, as PyTorch: F.hardtanh. */
export function hardtanh<S extends Shape>(x: Tensor<S>, min = -1, max = 1): Tensor<S> {
  checkTensor(x, 'hardtanh', 'the input');
  checkNumber(min, 'hardtanh', 'min');
  checkNumber(max, 'hardtanh', 'max');
  if (!(min <= max)) throw new ArgumentError(`hardtanh: min ${min} is above max ${max}. Exchange them.`);
  return elementwise((t) => select(t.le(min), min, select(t.ge(max), max, t)))(x);
}

/** x limited to [0, 6]. PyTorch: F.relu6. */
export const relu6: Same = named('relu6', (x) => hardtanh(x, 0, 6));

/** (x + 3) / 6 limited to [0, 1]. Howard et al. 2019; PyTorch: F.hardsigmoid. */
export const hardsigmoid: Same = named('hardsigmoid', (x) => hardtanh(x.add(3), 0, 6).mul(1 / 6));

/** x · hardsigmoid(x). Howard et al. 2019; PyTorch: F.hardswish. */
export const hardswish: Same = named('hardswish', (x) => {
  const inner = select(x.abs().ge(3), 0, x); // beyond, its slope is 0 · ∞
  return select(x.le(-3), 0, select(x.ge(3), x, inner.mul(inner.add(3)).mul(1 / 6)));
});

/** x where |x| > λ, 0 elsewhere. PyTorch: F.hardshrink. */
export function hardshrink<S extends Shape>(x: Tensor<S>, lambda = 0.5): Tensor<S> {
  checkTensor(x, 'hardshrink', 'the input');
  checkNumber(lambda, 'hardshrink', 'lambda');
  return elementwise((t) => select(t.abs().le(lambda), 0, t))(x);
}

/** x moved towards 0 by λ, and 0 within λ of it. PyTorch: F.softshrink. */
export function softshrink<S extends Shape>(x: Tensor<S>, lambda = 0.5): Tensor<S> {
  checkTensor(x, 'softshrink', 'the input');
  checkNumber(lambda, 'softshrink', 'lambda');
  if (!(lambda >= 0)) throw new ArgumentError(`softshrink: lambda is ${lambda}. Use a number of at least 0.`);
  return elementwise((t) => select(t.gt(lambda), t.sub(lambda), select(t.ge(-lambda), 0, t.add(lambda))))(x);
}

/** x where above the threshold, `value` elsewhere. PyTorch: F.threshold. */
export function threshold<S extends Shape>(x: Tensor<S>, limit: number, value: number): Tensor<S> {
  checkTensor(x, 'threshold', 'the input');
  checkNumber(limit, 'threshold', 'limit');
  checkNumber(value, 'threshold', 'value');
  return elementwise((t) => select(t.le(limit), value, t))(x);
}

/** 1 where x ≥ 0, else 0 (Heaviside, Rosenblatt's perceptron); no gradient flows. */
export const step: Same = named('step', (x) => x.ge(0).to('float32'));

/** log(1 + e^(βx)) / β, and x itself where βx is above the threshold. PyTorch: F.softplus. */
export function softplus<S extends Shape>(x: Tensor<S>, beta = 1, limit = 20): Tensor<S> {
  checkTensor(x, 'softplus', 'the input');
  checkNumber(beta, 'softplus', 'beta');
  checkNumber(limit, 'softplus', 'limit');
  if (!(beta > 0)) throw new ArgumentError(`softplus: beta is ${beta}. Use a number above 0.`);
  return elementwise((t) => {
    const scaled = t.mul(beta);
    return select(scaled.gt(limit), t, scaled.softplus().mul(1 / beta));
  })(x);
}

/** x · Φ(x); `approximate: 'tanh'` for the older 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))). PyTorch: F.gelu. */
export function gelu<S extends Shape>(x: Tensor<S>, approximate: 'none' | 'tanh' = 'none'): Tensor<S> {
  checkTensor(x, 'gelu', 'the input');
  if (approximate === 'none') return x.gelu();
  if (approximate !== 'tanh')
    throw new ArgumentError(`gelu: approximate is '${String(approximate)}'. Use 'none' or 'tanh'.`);
  return elementwise((t) => {
    const inner = t.add(t.pow(3).mul(0.044715)).mul(2 * Math.sqrt(2 / Math.PI));
    return t.mul(inner.sigmoid()); // (1 + tanh u) / 2 without the rounding of the sum
  })(x);
}

/**
 * max(x, 0) + weight · min(x, 0); weight [1], or [C] for one a channel (dimension 1). Slope `weight` at 0. He et al. 2015;
 * PyTorch: F.prelu.
 */
export function prelu<S extends Shape>(x: Tensor<S>, weight: Tensor): Tensor<S> {
  checkTensor(x, 'prelu', 'the input');
  checkTensor(weight, 'prelu', 'the weight');
  const channels = x.rank > 1 ? x.shape[1] : 1;
  if (weight.size !== 1 && weight.size !== channels) {
    throw new ShapeError(`prelu: ${weight.size} slopes for ${channels} channels of ${formatShape(x.shape)}`, [x.shape]);
  }
  const slopes =
    weight.size === 1
      ? weight.reshape(x.rank === 0 ? [] : [1])
      : weight.reshape(x.shape.map((_, dim) => (dim === 1 ? channels : 1)));
  return elementwise((t) => select(t.gt(0), t, t.mul(slopes)))(x);
}

/**
 * Randomised leaky ReLU: in training each negative element has a slope of its own, uniform in [lower, upper); otherwise
 * their mean. Xu et al. 2015; PyTorch: F.rrelu.
 */
export function rrelu<S extends Shape>(x: Tensor<S>, lower = 1 / 8, upper = 1 / 3, training = false): Tensor<S> {
  checkTensor(x, 'rrelu', 'the input');
  checkNumber(lower, 'rrelu', 'lower');
  checkNumber(upper, 'rrelu', 'upper');
  if (!(lower <= upper)) throw new ArgumentError(`rrelu: lower ${lower} is above upper ${upper}. Exchange them.`);
  if (!training) return leakyRelu(x, (lower + upper) / 2);
  const slopes = rand(x.shape)
    .mul(upper - lower)
    .add(lower);
  return elementwise((t) => select(t.gt(0), t, t.mul(slopes)))(x);
}

/** σ of the second half of a dimension times the first half: the size halves. Dauphin et al. 2017; PyTorch: F.glu. */
export function glu(x: Tensor, dim = -1): Tensor {
  checkTensor(x, 'glu', 'the input');
  const axis = dim < 0 ? dim + x.rank : dim;
  const size = x.shape[axis];
  if (size === undefined || size % 2 !== 0)
    throw new ShapeError(`glu: dimension ${dim} of ${formatShape(x.shape)} has no halves`, [x.shape]);
  return x.slice(axis, 0, size / 2).mul(x.slice(axis, size / 2).sigmoid());
}

/** e⁻ˣ / Σ e⁻ˣ along a dimension. PyTorch: nn.Softmin. */
export function softmin<S extends Shape>(x: Tensor<S>, dim = -1): Tensor<S> {
  checkTensor(x, 'softmin', 'the input');
  return elementwise((t) => t.neg().softmax(dim))(x);
}
