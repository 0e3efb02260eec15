// Activation functions, element-wise and along an axis.

import { where } from '../../tensor/functions.js';
import { elu, gelu, leakyRelu, mish } from '../../nn/functional.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { combined } from '../host/maps.js';
import type { Call, Operator, Operators } from './operator.js';

function activation(run: (x: Tensor, call: Call) => AnyTensor): Operator {
  return { inputs: [1, 1], run: (call) => run(call.tensor(0), call) };
}

const choose = (condition: Tensor<readonly number[], 'bool'>, a: Tensor | number, b: Tensor): Tensor =>
  typeof a === 'number' ? where(condition, a, b) : where(condition, a, b);

/** As the standard has it: of an empty interval, the upper bound. Where a gradient is wanted, with the slopes of a clamp. */
function clipped(call: Call): AnyTensor {
  const x = call.tensor(0);
  const [low, high] = bounds(call);
  if (
    x.requiresGrad &&
    (low === undefined || typeof low === 'number') &&
    (high === undefined || typeof high === 'number')
  ) {
    if (low === undefined && high === undefined) return x;
    if ((low ?? -Infinity) <= (high ?? Infinity)) return x.clamp(low, high);
  }
  let y: Tensor = x;
  if (low !== undefined) y = typeof low === 'number' ? y.maximum(low) : y.maximum(low);
  if (high !== undefined) y = typeof high === 'number' ? y.minimum(high) : y.minimum(high);
  return y;
}

/** Inputs since opset 11, attributes before. */
function bounds(call: Call): (number | Tensor | undefined)[] {
  if (call.opset < 11) return ['min', 'max'].map((name) => (call.hasAttribute(name) ? call.float(name) : undefined));
  return [1, 2].map((i) => {
    if (!call.has(i)) return undefined;
    const known = call.known(i);
    return known?.data.length === 1 ? known.data[0] : call.tensor(i);
  });
}

/** Until opset 12 over all dimensions from the axis on, since 13 along the axis alone. */
function alongAxis(run: (x: Tensor, dim: number) => AnyTensor): Operator {
  return {
    inputs: [1, 1],
    run: (call) => {
      const x = call.tensor(0);
      const axis = call.axis(call.int('axis', call.opset < 13 ? 1 : -1));
      if (call.opset >= 13 || axis === x.rank - 1) return run(x, axis);
      const outer = x.shape.slice(0, axis).reduce((a, b) => a * b, 1);
      const flat: Tensor = x.reshape([outer, x.size / Math.max(outer, 1)]);
      const done = run(flat, 1);
      return done.reshape(x.shape);
    },
  };
}

/** 1 at the first maximum along a dimension, 0 elsewhere. */
function hardmax(x: Tensor, dim: number): AnyTensor {
  const last: Tensor = x.transpose(dim, -1);
  const found = last.argmax(-1);
  const ones = found.oneHot(last.shape[last.rank - 1]).to(x.dtype);
  return ones.transpose(dim, -1);
}

function preluOf(call: Call): AnyTensor {
  const [x, slope] = [call.tensor(0), call.tensor(1)];
  return choose(x.gt(0), x, x.mul(slope));
}

export const ACTIVATIONS: Operators = {
  Relu: activation((x) => x.relu()),
  LeakyRelu: activation((x, call) => leakyRelu(x, call.float('alpha', 0.01))),
  PRelu: { inputs: [2, 2], weights: [1], run: preluOf },
  Elu: activation((x, call) => elu(x, call.float('alpha', 1))),
  Selu: activation((x, call) =>
    elu(x, call.float('alpha', 1.6732632423543772)).mul(call.float('gamma', 1.0507009873554805)),
  ),
  Celu: activation((x, call) => {
    const alpha = call.float('alpha', 1);
    return elu(x.mul(1 / alpha), 1).mul(alpha);
  }),
  ThresholdedRelu: activation((x, call) => where(x.gt(call.float('alpha', 1)), x, 0)),
  HardSigmoid: activation((x, call) =>
    x.mul(call.float('alpha', 0.2)).add(call.float('beta', 0.5)).maximum(0).minimum(1),
  ),
  HardSwish: activation((x) =>
    x.mul(
      x
        .mul(1 / 6)
        .add(0.5)
        .maximum(0)
        .minimum(1),
    ),
  ),
  Softplus: activation((x) => x.softplus()),
  Softsign: activation((x) => x.div(x.abs().add(1))),
  Mish: activation((x) => mish(x)),
  Gelu: activation((x, call) => gelu(x, call.text('approximate', 'none') === 'tanh' ? 'tanh' : 'none')),
  Swish: activation((x, call) => x.mul(x.mul(call.float('alpha', 1)).sigmoid())),
  Shrink: activation((x, call) => {
    const [bias, limit] = [call.float('bias', 0), call.float('lambd', 0.5)];
    return choose(x.lt(-limit), x.add(bias), choose(x.gt(limit), x.sub(bias), x.mul(0)));
  }),
  Clip: {
    inputs: [1, 3],
    settings: [1, 2],
    host: (call) => {
      const [low, high] = bounds(call);
      if (typeof low === 'object' || typeof high === 'object') return undefined;
      return combined([call.host(0)], call.type(0), (x) => Math.min(Math.max(x, low ?? -Infinity), high ?? Infinity));
    },
    run: clipped,
  },
  Softmax: alongAxis((x, dim) => x.softmax(dim)),
  LogSoftmax: alongAxis((x, dim) => x.logSoftmax(dim)),
  Hardmax: alongAxis(hardmax),
};
