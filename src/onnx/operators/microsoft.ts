// Operators of onnxruntime's own domain (com.microsoft): what its optimiser and its quantiser leave in files.

import { cat, where } from '../../tensor/functions.js';
import { gelu, leakyRelu, silu } from '../../nn/functional.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type HostArray, allocate } from '../host/array.js';
import { ACTIVATIONS } from './activations.js';
import { CONVOLUTION, pooledMean } from './convolution.js';
import type { Call, Operator, Operators, Result } from './operator.js';
import { PRODUCTS } from './products.js';
import { QUANTISED, asInt, byRange, integerProduct, saturated } from './quantised.js';
import { REDUCTIONS } from './reductions.js';
import { RESHAPED } from './shapes.js';

const real = (x: Tensor): Tensor => x.to('float32');

// ---------------------------------------------------------------- fused

/** An activation that a fused operator names, with its parameters. */
function activated(call: Call, x: Tensor): AnyTensor {
  const name = call.text('activation', '');
  const parameters = call.floats('activation_params') ?? [];
  const alpha = parameters[0] ?? call.float('activation_alpha', 0.01);
  switch (name) {
    case '':
      return x;
    case 'Relu':
      return x.relu();
    case 'Tanh':
      return x.tanh();
    case 'Sigmoid':
      return x.sigmoid();
    case 'LeakyRelu':
      return leakyRelu(x, alpha);
    case 'Clip':
      return x.maximum(parameters[0] ?? -Infinity).minimum(parameters[1] ?? Infinity);
    case 'HardSigmoid':
      return x
        .mul(alpha)
        .add(parameters[1] ?? call.float('activation_beta', 0.5))
        .maximum(0)
        .minimum(1);
    default:
      return call.fail(`the activation '${name}' is not known`);
  }
}

/** The standard's operator, then what is fused to it. */
function fused(
  operator: Operator,
  inputs: readonly [number, number],
  then: (call: Call, x: Tensor) => AnyTensor,
): Operator {
  return {
    ...operator,
    inputs,
    run: (call) => {
      const made = operator.run?.(call) as AnyTensor;
      return then(call, made as Tensor);
    },
  };
}

/** α·A'·B', with the last two dimensions exchanged, or the batch moved behind the rows first. */
function fusedMatmul(call: Call): AnyTensor {
  const operand = (i: number, name: 'A' | 'B'): Tensor => {
    let x = call.tensor(i);
    if (call.flag(`transBatch${name}`)) {
      const order = x.shape.map((_, axis) => axis);
      x = x.permute([...order.slice(1, -1), 0, order.length - 1]);
    }
    return call.flag(`trans${name}`) && x.rank > 1 ? x.transpose(-1, -2) : x;
  };
  const made = operand(0, 'A').matmul(operand(1, 'B'));
  const alpha = call.float('alpha', 1);
  return alpha === 1 ? made : made.mul(alpha);
}

const FUSED: Operators = {
  FusedMatMul: { inputs: [2, 2], run: fusedMatmul },
  TransposeMatMul: { inputs: [2, 2], run: fusedMatmul },
  FusedGemm: fused(PRODUCTS['Gemm'], [2, 3], activated),
  FusedConv: fused(CONVOLUTION['Conv'], [2, 4], (call, x) => activated(call, call.has(3) ? x.add(call.tensor(3)) : x)),
  Gelu: ACTIVATIONS['Gelu'],
  QuickGelu: {
    inputs: [1, 1],
    run: (call) => call.tensor(0).mul(call.tensor(0).mul(call.float('alpha', 1.702)).sigmoid()),
  },
  FastGelu: {
    inputs: [1, 2],
    weights: [1],
    run: (call) => gelu(call.has(1) ? call.tensor(0).add(call.tensor(1)) : call.tensor(0), 'tanh'),
  },
  BiasGelu: { inputs: [2, 2], run: (call) => gelu(call.tensor(0).add(call.tensor(1)) as Tensor) },
  BiasAdd: { inputs: [3, 3], run: (call) => call.tensor(0).add(call.tensor(1)).add(call.tensor(2)) },
  BiasSplitGelu: {
    inputs: [2, 2],
    run: (call) => {
      const x: Tensor = call.tensor(0).add(call.tensor(1));
      const half = x.shape[x.rank - 1] / 2;
      return x.slice(-1, 0, half).mul(gelu(x.slice(-1, half) as Tensor));
    },
  },
  BiasSoftmax: {
    inputs: [2, 2],
    run: (call) =>
      call
        .tensor(0)
        .add(call.tensor(1))
        .softmax(call.axis(call.int('axis', 1))),
  },
  ScaledSiLU: {
    inputs: [1, 2],
    run: (call) => silu(call.has(1) ? call.tensor(0).mul(call.tensor(1)) : call.tensor(0).mul(call.float('alpha', 1))),
  },
  ExpandDims: RESHAPED.expandDims,
  Trilu: RESHAPED.trilu,
  Range: RESHAPED.range,
  Pad: RESHAPED.pad,
};

// ---------------------------------------------------------------- normalised

/** The input plus what goes round it, normalised; also their sum. */
function skipNormalised(isRms: boolean): Operator {
  const biasAt = isRms ? 3 : 4;
  return {
    inputs: [3, biasAt + 1],
    weights: [2, 3, biasAt],
    run: (call) => {
      const joined: Tensor = call.tensor(0).add(call.tensor(1));
      const sum: Tensor = call.has(biasAt) ? joined.add(call.tensor(biasAt)) : joined;
      const { y, mean, inverse } = normalised(call, sum, isRms);
      const scaled: Tensor = y.mul(call.tensor(2));
      const shifted: Tensor = !isRms && call.has(3) ? scaled.add(call.tensor(3)) : scaled;
      return [shifted, mean, inverse, sum];
    },
  };
}

function normalised(call: Call, x: Tensor, isRms: boolean): { y: Tensor; mean: Tensor; inverse: Tensor } {
  const mean: Tensor = x.mean(-1, { keepdim: true });
  const centred: Tensor = isRms ? x : x.sub(mean);
  const square: Tensor = centred.mul(centred).mean(-1, { keepdim: true });
  const inverse: Tensor = square
    .add(call.float('epsilon', isRms ? 1e-5 : 1e-12))
    .sqrt()
    .reciprocal();
  return { y: centred.mul(inverse), mean, inverse };
}

/** Words, positions and segments of a BERT, added and normalised; and how many words the mask leaves. */
function embedded(call: Call): Result[] {
  const words = call.tensor(0).to('int32');
  const [n, length] = words.shape;
  const rows = (table: Tensor, index: Tensor<readonly number[], 'int32'>): Tensor =>
    table.indexSelect(0, index.reshape([index.size])).reshape([...index.shape, table.shape[1]]);
  let sum: Tensor = rows(call.tensor(2), words);
  const positions = call.tensor(3);
  sum = sum.add(call.has(8) ? rows(positions, call.tensor(8).to('int32')) : positions.slice(0, 0, length));
  if (call.has(4)) {
    const segments = call.tensor(4);
    sum = sum.add(call.has(1) ? rows(segments, call.tensor(1).to('int32')) : segments.slice(0, 0, 1));
  }
  const y: Tensor = normalised(call, sum, false).y.mul(call.tensor(5)).add(call.tensor(6));
  const counts = call.has(7) ? call.tensor(7).to('int32').sum(1) : words.mul(0).sum(1);
  return [y, call.as(counts.reshape([n]), 'int32'), sum];
}

function groupNormalised(call: Call): AnyTensor {
  const isLast = call.flag('channels_last', true);
  const given = call.tensor(0);
  const x: Tensor = isLast ? given.movedim(-1, 1) : given;
  const [n, channels, ...sizes] = x.shape;
  const groups = call.int('groups');
  const apart: Tensor = x.reshape([n, groups, (channels / groups) * sizes.reduce((a, b) => a * b, 1)]);
  const centred: Tensor = apart.sub(apart.mean(-1, { keepdim: true }));
  const spread: Tensor = centred.mul(centred).mean(-1, { keepdim: true }).add(call.float('epsilon', 1e-5)).sqrt();
  const beside = (t: Tensor): Tensor => t.reshape([channels, ...sizes.map(() => 1)]);
  const whole: Tensor = centred.div(spread).reshape(x.shape);
  const y: Tensor = whole.mul(beside(call.tensor(1))).add(beside(call.tensor(2)));
  const done = call.int('activation', 0) === 1 ? silu(y) : y;
  return isLast ? done.movedim(1, -1) : done;
}

const NORMALISED: Operators = {
  SkipLayerNormalization: skipNormalised(false),
  SkipSimplifiedLayerNormalization: skipNormalised(true),
  EmbedLayerNormalization: { inputs: [7, 9], weights: [2, 3, 4, 5, 6], settings: [7, 8], run: embedded },
  GroupNorm: { inputs: [3, 3], weights: [1, 2], run: groupNormalised },
};

// ---------------------------------------------------------------- quantised

/** The real numbers behind input `i`, whose scale and zero point follow it. */
function dequantised(call: Call, i: number): Tensor {
  const whole = asInt(call.tensor(i));
  const shifted: Tensor = call.has(i + 2) ? whole.sub(asInt(call.tensor(i + 2)).reshape([])) : whole;
  return real(shifted).mul(call.tensor(i + 1).reshape([]));
}

/** Whole numbers by the scale in input `i` and the zero point behind it. */
function requantised(call: Call, x: Tensor, i: number): Result {
  const type = call.has(i + 1) ? call.type(i + 1) : call.type(0);
  return saturated(
    call,
    x.div(call.tensor(i).reshape([])),
    call.has(i + 1) ? call.tensor(i + 1).reshape([]) : undefined,
    type,
  );
}

function ofOne(run: (x: Tensor, call: Call) => AnyTensor): Operator {
  return {
    inputs: [4, 5],
    settings: [1, 2, 3, 4],
    run: (call) => requantised(call, run(dequantised(call, 0), call) as Tensor, 3),
  };
}

function ofTwo(run: (a: Tensor, b: Tensor) => AnyTensor): Operator {
  return {
    inputs: [7, 8],
    settings: [1, 2, 4, 5, 6, 7],
    run: (call) => requantised(call, run(dequantised(call, 0), dequantised(call, 3)) as Tensor, 6),
  };
}

function concatenated(call: Call): Result {
  const count = (call.values.length - 2) / 3;
  const parts = Array.from({ length: count }, (_, i) => dequantised(call, 2 + 3 * i));
  const joined: Tensor = cat(parts, call.axis(call.int('axis'), call.rank(2)));
  return saturated(call, joined.div(call.tensor(0).reshape([])), call.tensor(1).reshape([]), call.type(1));
}

/** A mean over positions, whatever the place of the channels. */
function pooled(call: Call, x: Tensor, mean: (x: Tensor) => AnyTensor): AnyTensor {
  if (!call.flag('channels_last')) return mean(x);
  return mean(x.movedim(-1, 1)).movedim(1, -1);
}

function overAll(x: Tensor): AnyTensor {
  const axes = x.shape.map((_, i) => i).slice(2);
  return x.mean(axes, { keepdim: true });
}

/** A·B of whole numbers, scaled, with what is added. */
function scaledProduct(call: Call, a: Tensor, b: Tensor, scale: Tensor, biasAt: number): AnyTensor {
  const made: Tensor = real(integerProduct(a, b)).mul(scale);
  return call.has(biasAt) ? made.add(call.tensor(biasAt)) : made;
}

const less = (call: Call, i: number, zero: number): Tensor =>
  call.has(zero) ? asInt(call.tensor(i)).sub(asInt(call.tensor(zero))) : asInt(call.tensor(i));

function quantisedGemm(call: Call): Result {
  const zero = call.has(5) ? asInt(call.tensor(5)) : undefined;
  const isB = call.flag('transB');
  const a = less(call, 0, 2);
  const b: Tensor =
    zero === undefined
      ? asInt(call.tensor(3))
      : asInt(call.tensor(3)).sub(isB && zero.size > 1 ? zero.reshape([zero.size, 1]) : zero);
  const product = integerProduct(call.flag('transA') ? a.transpose(0, 1) : a, isB ? b.transpose(0, 1) : b);
  const whole: Tensor = call.has(6) ? product.add(asInt(call.tensor(6))) : product;
  const made: Tensor = real(whole).mul(call.tensor(1).mul(call.tensor(4)).mul(call.float('alpha', 1)));
  if (!call.has(7)) return call.as(made, 'float32');
  return saturated(
    call,
    made.div(call.tensor(7)),
    call.has(8) ? call.tensor(8) : undefined,
    call.has(8) ? call.type(8) : 'uint8',
  );
}

/** Weights of 2, 4 or 8 bits, packed into bytes in blocks: [N, blocks, bytes] → [N, K]. */
function unpacked(call: Call): HostArray {
  const [n, k, bits, block] = [call.int('N'), call.int('K'), call.int('bits', 4), call.int('block_size')];
  const [packed, scales] = [call.host(1), call.host(2)];
  const zeros = call.has(3) ? call.host(3) : undefined;
  const blocks = Math.ceil(k / block);
  const bytes = (block * bits) / 8;
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const out = allocate('float32', [n, k]);
  for (let row = 0; row < n; row++) {
    for (let b = 0; b < blocks; b++) {
      const scale = scales.data[row * blocks + b];
      let zero = 2 ** (bits - 1);
      if (zeros !== undefined) {
        const byte = zeros.data[row * zeroBytes + Math.floor(b / perByte)];
        zero = zeros.type === 'uint8' ? (byte >> ((b % perByte) * bits)) & mask : zeros.data[row * blocks + b];
      }
      for (let i = 0; i < block && b * block + i < k; i++) {
        const byte = packed.data[(row * blocks + b) * bytes + Math.floor(i / perByte)];
        out.data[row * k + b * block + i] = (((byte >> ((i % perByte) * bits)) & mask) - zero) * scale;
      }
    }
  }
  return out;
}

function packedMatmul(call: Call): AnyTensor {
  const x = call.tensor(0);
  const weight = call.made(call.environment.remember(call.host(1), 'unpacked', () => unpacked(call)));
  const made: Tensor = x.matmul(weight.to(x.dtype).transpose(0, 1));
  return call.has(5) ? made.add(call.tensor(5)) : made;
}

const INTEGERS: Operators = {
  QuantizeLinear: QUANTISED['QuantizeLinear'],
  DequantizeLinear: QUANTISED['DequantizeLinear'],
  QLinearConv: QUANTISED['QLinearConv'],
  QLinearAdd: ofTwo((a, b) => a.add(b)),
  QLinearMul: ofTwo((a, b) => a.mul(b)),
  QLinearSigmoid: ofOne((x) => x.sigmoid()),
  QLinearLeakyRelu: ofOne((x, call) => leakyRelu(x, call.float('alpha', 0.01))),
  QLinearSoftmax: ofOne((x, call) => {
    const axis = call.axis(call.int('axis', -1));
    if (call.int('opset', 13) >= 13) return x.softmax(axis);
    const outer = x.shape.slice(0, axis).reduce((a, b) => a * b, 1);
    return x
      .reshape([outer, x.size / outer])
      .softmax(1)
      .reshape(x.shape);
  }),
  QLinearGlobalAveragePool: ofOne((x, call) => pooled(call, x, overAll)),
  QLinearAveragePool: ofOne((x, call) => pooled(call, x, (y) => pooledMean(call, y))),
  QLinearReduceMean: ofOne((x, call) => {
    const axes = call.ints('axes')?.map((axis) => call.axis(axis)) ?? x.shape.map((_, i) => i);
    return x.mean(axes, { keepdim: call.flag('keepdims', true) });
  }),
  QLinearConcat: { inputs: [5, Infinity], settings: [0, 1], run: concatenated },
  QLinearWhere: {
    inputs: [9, 9],
    settings: [2, 3, 5, 6, 7, 8],
    run: (call) => {
      const chosen: Tensor = where(call.tensor(0).to('bool'), dequantised(call, 1), dequantised(call, 4));
      return saturated(call, chosen.div(call.tensor(7).reshape([])), call.tensor(8).reshape([]), call.type(8));
    },
  },
  QGemm: { inputs: [6, 9], settings: [1, 2, 4, 5, 7, 8], run: quantisedGemm },
  ReduceSumInteger: {
    ...REDUCTIONS['ReduceSum'],
    run: (call) => {
      const x = asInt(call.tensor(0));
      const axes = call.ints('axes')?.map((axis) => call.axis(axis)) ?? x.shape.map((_, i) => i);
      return call.as(x.sum(axes, { keepdim: call.flag('keepdims', true) }), 'int32');
    },
  },
  MatMulIntegerToFloat: {
    inputs: [4, 7],
    settings: [2, 3, 4, 5],
    run: (call) => {
      const scale: Tensor = call.tensor(2).mul(call.tensor(3));
      return call.as(scaledProduct(call, less(call, 0, 4), less(call, 1, 5), scale, 6), 'float32');
    },
  },
  DynamicQuantizeMatMul: {
    inputs: [3, 5],
    settings: [2, 3],
    run: (call) => {
      const { whole, scale } = byRange(call.tensor(0));
      return call.as(scaledProduct(call, whole, less(call, 1, 3), scale.mul(call.tensor(2)), 4), 'float32');
    },
  },
  MatMulNBits: { inputs: [3, 6], settings: [1, 2, 3, 4], weights: [5], run: packedMatmul },
};

const named = (operators: Operators): Operators =>
  Object.fromEntries(Object.entries(operators).map(([name, operator]) => [`com.microsoft::${name}`, operator]));

export const MICROSOFT: Operators = {
  ...named(FUSED),
  ...named(NORMALISED),
  ...named(INTEGERS),
  // onnxruntime has put this one into the standard's domain
  SimplifiedLayerNormalization: {
    inputs: [2, 2],
    weights: [1],
    run: (call) => {
      const { y, inverse } = normalised(call, call.tensor(0), true);
      return [y.mul(call.tensor(1)), call.as(inverse, 'float32')];
    },
  },
};
