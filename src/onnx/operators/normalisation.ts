// Normalisations: by given statistics, by those of a layer, a group, an instance, a neighbourhood.

import { windowsOf } from '../../tensor/spatial.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { Call, Operators, Result } from './operator.js';

/** A list for the channels [C] beside [N, C, …]. */
const perChannel = (t: Tensor, rank: number): Tensor =>
  t.reshape(Array.from({ length: rank }, (_, i) => (i === 1 ? t.size : 1)));

/** y = (x − mean) / √(var + ε) · scale + shift, as one product and one sum. */
function batchNormalised(call: Call): Result | Result[] {
  const x = call.tensor(0);
  const [scale, shift, mean, variance] = [1, 2, 3, 4].map((i) => call.tensor(i));
  const eps = call.float('epsilon', 1e-5);
  const isTraining = call.opset >= 14 && call.flag('training_mode');
  if (isTraining) return batchTrained(call, x, scale, shift, mean, variance, eps);
  if (call.outputs > 1 && call.wants(1) && call.opset < 14)
    return call.fail('it gives running statistics, as in training: export the model for inference');
  const factor: Tensor = scale.div(variance.add(eps).sqrt());
  const rest: Tensor = shift.sub(mean.mul(factor));
  const [a, b] = [perChannel(factor, x.rank), perChannel(rest, x.rank)];
  return x.mul(a.to(x.dtype)).add(b.to(x.dtype));
}

function batchTrained(
  call: Call,
  x: Tensor,
  scale: Tensor,
  shift: Tensor,
  mean: Tensor,
  variance: Tensor,
  eps: number,
): Result[] {
  const momentum = call.float('momentum', 0.9);
  const axes = x.shape.map((_, i) => i).filter((i) => i !== 1);
  const own: Tensor = x.mean(axes, { keepdim: true });
  const centred: Tensor = x.sub(own);
  const spread: Tensor = centred.mul(centred).mean(axes, { keepdim: true });
  const y = centred.div(spread.add(eps).sqrt()).mul(perChannel(scale, x.rank)).add(perChannel(shift, x.rank));
  const moved = (old: Tensor, now: Tensor): Tensor => old.mul(momentum).add(now.reshape(old.shape).mul(1 - momentum));
  return [y, moved(mean, own), moved(variance, spread)];
}

/** Over all dimensions from `axis` on; also what mean and inverse deviation were, where they are asked for. */
function layerNormalised(call: Call): Result[] {
  const given = call.tensor(0);
  const x = wide(given);
  const axis = call.axis(call.int('axis', -1));
  const axes = x.shape.map((_, i) => i).slice(axis);
  const mean: Tensor = x.mean(axes, { keepdim: true });
  const centred: Tensor = x.sub(mean);
  const inverse: Tensor = centred
    .mul(centred)
    .mean(axes, { keepdim: true })
    .add(call.float('epsilon', 1e-5))
    .sqrt()
    .reciprocal();
  const normal: Tensor = centred.mul(inverse).to(given.dtype);
  const scaled: Tensor = normal.mul(call.tensor(1));
  const y = call.has(2) ? scaled.add(call.tensor(2)) : scaled;
  return [y, call.as(mean, 'float32'), call.as(inverse, 'float32')];
}

/** Half precision is normalised in float32. */
const wide = (x: Tensor): Tensor =>
  x.dtype === ('float16' as string) || x.dtype === ('bfloat16' as string) ? x.to('float32') : x;

function rmsNormalised(call: Call): AnyTensor {
  const given = call.tensor(0);
  const x = wide(given);
  const axis = call.axis(call.int('axis', -1));
  const axes = x.shape.map((_, i) => i).slice(axis);
  const inverse = x.mul(x).mean(axes, { keepdim: true }).add(call.float('epsilon', 1e-5)).sqrt().reciprocal();
  return x.mul(inverse).to(given.dtype).mul(call.tensor(1));
}

function centredAndScaled(x: Tensor, axes: readonly number[], eps: number): Tensor {
  const centred: Tensor = x.sub(x.mean(axes, { keepdim: true }));
  return centred.div(centred.mul(centred).mean(axes, { keepdim: true }).add(eps).sqrt());
}

function instanceNormalised(call: Call): AnyTensor {
  const x = call.tensor(0);
  const axes = x.shape.map((_, i) => i).slice(2);
  const normal = centredAndScaled(x, axes, call.float('epsilon', 1e-5));
  return normal.mul(perChannel(call.tensor(1), x.rank)).add(perChannel(call.tensor(2), x.rank));
}

/** Scale and shift are of groups until opset 20, of channels since 21. */
function groupNormalised(call: Call): AnyTensor {
  const x = call.tensor(0);
  const groups = call.int('num_groups');
  const [n, channels, ...sizes] = x.shape;
  const apart: Tensor = x.reshape([n, groups, channels / groups, ...sizes]);
  const axes = apart.shape.map((_, i) => i).slice(2);
  const normal = centredAndScaled(apart, axes, call.float('epsilon', 1e-5));
  const [scale, shift] = [call.tensor(1), call.tensor(2)];
  if (call.opset < 21)
    return normal.mul(perChannel(scale, apart.rank)).add(perChannel(shift, apart.rank)).reshape(x.shape);
  const whole: Tensor = normal.reshape(x.shape);
  return whole.mul(perChannel(scale, x.rank)).add(perChannel(shift, x.rank));
}

/** Each number divided by a power of the squares of its neighbours among the channels. */
function neighbourNormalised(call: Call): AnyTensor {
  const x = call.tensor(0);
  const size = call.int('size');
  const [alpha, beta, bias] = [call.float('alpha', 1e-4), call.float('beta', 0.75), call.float('bias', 1)];
  const last: Tensor = x.mul(x).movedim(1, -1);
  const windows = windowsOf(last, {
    size: [size],
    stride: [1],
    dilation: [1],
    lo: [Math.floor((size - 1) / 2)],
    hi: [Math.ceil((size - 1) / 2)],
  });
  const squares: Tensor = windows.sum(-1).movedim(-1, 1);
  return x.div(
    squares
      .mul(alpha / size)
      .add(bias)
      .pow(beta),
  );
}

function lpNormalised(call: Call): AnyTensor {
  const x = call.tensor(0);
  const axis = call.axis(call.int('axis', -1));
  const p = call.int('p', 2);
  const norm: Tensor = p === 1 ? x.abs().sum(axis, { keepdim: true }) : x.mul(x).sum(axis, { keepdim: true }).sqrt();
  // of nothing but zeros, zeros
  return x.div(norm.add(norm.eq(0).to(x.dtype)));
}

function standardised(call: Call): AnyTensor {
  const x = call.tensor(0);
  const axes = call.ints('axes')?.map((axis) => call.axis(axis)) ?? [0, 2, 3];
  const centred: Tensor = x.sub(x.mean(axes, { keepdim: true }));
  return centred.div(centred.mul(centred).mean(axes, { keepdim: true }).sqrt().add(1e-9));
}

export const NORMALISATION: Operators = {
  BatchNormalization: { inputs: [5, 5], weights: [1, 2], statistics: [3, 4], run: batchNormalised },
  LayerNormalization: { inputs: [2, 3], weights: [1, 2], run: layerNormalised },
  RMSNormalization: { inputs: [2, 2], weights: [1], run: rmsNormalised },
  InstanceNormalization: { inputs: [3, 3], weights: [1, 2], run: instanceNormalised },
  GroupNormalization: { inputs: [3, 3], weights: [1, 2], run: groupNormalised },
  LRN: { inputs: [1, 1], run: neighbourNormalised },
  LpNormalization: { inputs: [1, 1], run: lpNormalised },
  MeanVarianceNormalization: { inputs: [1, 1], run: standardised },
};
