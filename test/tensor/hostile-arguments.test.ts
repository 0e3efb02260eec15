// Every public function of tensors with hostile arguments (test/support/hostile.ts).
import * as nabla from 'nabla';
import { type Tensor, arange, tensor } from 'nabla';
import { type Case, testHostile } from '../support/hostile.js';

const of = (...shape: number[]): Tensor =>
  arange(shape.reduce((a, b) => a * b, 1))
    .to('float32')
    .reshape(shape) as Tensor;
const ints = (values: number[]) => tensor(Int32Array.from(values)) as unknown as Tensor<number[], 'int32'>;
const x = (): Tensor => of(2, 3, 4);

/** A method of a tensor of shape [2, 3, 4]. */
function method(name: keyof Tensor, ...args: unknown[]): Case {
  const call = (t: Tensor, ...rest: unknown[]) => (t[name] as (...a: unknown[]) => unknown).apply(t, rest);
  return { make: () => [x(), ...args], call: call as Case['call'] };
}

const of4 = (): Tensor => of(2, 4, 6, 6);
const { conv1d, conv2d, convTranspose1d, convTranspose2d } = nabla as unknown as Record<string, Case['call']>;
const pool = (call: unknown, options: object): Case => ({
  make: () => [of4(), 2, options],
  call: call as Case['call'],
});
const pool1 = (call: unknown, options: object): Case => ({
  make: () => [of(2, 3, 8), 2, options],
  call: call as Case['call'],
});

const CASES: Readonly<Record<string, Case>> = {
  full: { make: () => [[2, 3], 1], call: nabla.full as never },
  zeros: { make: () => [[2, 3]], call: nabla.zeros as never, also: ['full'] },
  ones: { make: () => [[2, 3]], call: nabla.ones as never, also: ['full'] },
  arange: { make: () => [1, 9, 2], call: nabla.arange as never },
  linspace: { make: () => [1, 9, 5], call: nabla.linspace as never },
  eye: { make: () => [3, 4], call: nabla.eye as never },
  rand: { make: () => [[2, 3]], call: nabla.rand as never },
  randn: { make: () => [[2, 3]], call: nabla.randn as never, also: ['rand'] },
  randint: { make: () => [0, 5, [2, 3]], call: nabla.randint as never, also: ['rand'] },
  randperm: { make: () => [5], call: nabla.randperm as never },
  tensor: { make: () => [[[1, 2], [3, 4]], { shape: [4] }], call: nabla.tensor as never }, // prettier-ignore
  sum: method('sum', 1),
  'sum of several': { ...method('sum', [0, 2]), also: ['sum'] },
  prod: method('prod', 1),
  mean: method('mean', 1),
  max: { ...method('max', 1), also: ['amax'] },
  min: { ...method('min', 1), also: ['amin'] },
  amax: method('amax', 1),
  amin: method('amin', [0, 1]),
  argmax: method('argmax', 1),
  argmin: method('argmin', 1),
  var: method('var', 1, { correction: 1 }),
  std: { ...method('std', 1, { correction: 1 }), also: ['var'] },
  norm: method('norm', 2, 1),
  any: method('any', 1),
  all: method('all', 1),
  softmax: method('softmax', 1),
  logSoftmax: method('logSoftmax', 1),
  logsumexp: method('logsumexp', 1),
  cumsum: method('cumsum', 1),
  'cumsum of a number': {
    make: () => [tensor(3), 0],
    call: ((t: Tensor, d: number) => t.cumsum(d)) as never,
    also: ['cumsum'],
  },
  argsort: { ...method('argsort', 1), also: ['sort'] },
  sort: method('sort', 1),
  topk: method('topk', 2, 1),
  reshape: method('reshape', [4, 6]),
  permute: method('permute', [2, 0, 1]),
  transpose: method('transpose', 0, 1),
  unsqueeze: method('unsqueeze', 1),
  squeeze: method('squeeze', 1),
  expand: method('expand', [5, 2, 3, 4]),
  flatten: method('flatten', 0, 1),
  pad: method('pad', [[1, 2]], 0),
  slice: method('slice', 1, 0, 2, 1),
  flip: method('flip', 1),
  roll: method('roll', 1, 1),
  split: method('split', 2, 1),
  'split into sizes': { ...method('split', [1, 2], 1), also: ['split'] },
  chunk: method('chunk', 2, 1),
  tril: method('tril', 0),
  triu: method('triu', 0),
  index: { ...method('index', 1, [0, 2, 1]), also: ['index', 'slice'] },
  gather: {
    make: () => [x(), 1, ints([0, 1]).reshape([1, 2, 1])],
    call: ((t: Tensor, d: number, i: never) => t.gather(d, i)) as never,
  },
  scatterAdd: {
    make: () => [x(), 1, ints([0, 1]).reshape([1, 2, 1]), of(1, 2, 1)],
    call: ((t: Tensor, d: number, i: never, s: never) => t.scatterAdd(d, i, s)) as never,
  },
  indexSelect: {
    make: () => [x(), 1, ints([0, 1])],
    call: ((t: Tensor, d: number, i: never) => t.indexSelect(d, i)) as never,
  },
  oneHot: { make: () => [ints([0, 1]), 3], call: ((t: Tensor, n: number) => t.oneHot(n)) as never },
  cat: { make: () => [[x(), x()], 1], call: nabla.cat as never },
  stack: { make: () => [[x(), x()], 1], call: nabla.stack as never },
  conv1d: {
    make: () => [of(2, 4, 9), of(6, 2, 3), { stride: 1, padding: 1, dilation: 1, groups: 2 }],
    call: conv1d,
  },
  conv2d: {
    make: () => [of4(), of(6, 2, 3, 3), { stride: [1, 2], padding: [1, 0], dilation: 1, groups: 2 }],
    call: conv2d,
  },
  convTranspose1d: {
    make: () => [of(2, 4, 9), of(4, 2, 3), { stride: 2, padding: 1, dilation: 1, groups: 2, outputPadding: 1 }],
    call: convTranspose1d,
  },
  convTranspose2d: {
    make: () => [of4(), of(4, 2, 3, 3), { stride: 2, padding: 1, dilation: 1, groups: 1, outputPadding: 0 }],
    call: convTranspose2d,
  },
  maxPool1d: pool1(nabla.maxPool1d, { stride: 2, padding: 1, dilation: 1 }),
  maxPool2d: pool(nabla.maxPool2d, { stride: 2, padding: 1, dilation: 1 }),
  avgPool1d: pool1(nabla.avgPool1d, { stride: 2, padding: 1 }),
  avgPool2d: pool(nabla.avgPool2d, { stride: 2, padding: 1 }),
  maxPool1dWithIndices: { ...pool1(nabla.maxPool1dWithIndices, { stride: 2, padding: 1 }), also: ['maxPool1d'] },
  maxPool2dWithIndices: { ...pool(nabla.maxPool2dWithIndices, { stride: 2, padding: 1 }), also: ['maxPool2d'] },
  maxUnpool1d: {
    make: () => [of(1, 1, 2), ints([0, 3]).reshape([1, 1, 2]), [4]],
    also: ['scatterAdd'], // finds an index out of range
    call: nabla.maxUnpool1d as never,
  },
  maxUnpool2d: {
    make: () => [of(1, 1, 2, 2), ints([0, 3, 8, 11]).reshape([1, 1, 2, 2]), [3, 4]],
    also: ['scatterAdd'],
    call: nabla.maxUnpool2d as never,
  },
  adaptiveAvgPool1d: { make: () => [of(2, 3, 8), 3], call: nabla.adaptiveAvgPool1d as never },
  adaptiveAvgPool2d: { make: () => [of4(), [3, 2]], call: nabla.adaptiveAvgPool2d as never },
  adaptiveMaxPool1d: { make: () => [of(2, 3, 8), 3], call: nabla.adaptiveMaxPool1d as never },
  adaptiveMaxPool2d: { make: () => [of4(), [3, 2]], call: nabla.adaptiveMaxPool2d as never },
  interpolate: { make: () => [of4(), { size: [3, 9] }], call: nabla.interpolate as never },
  'interpolate by a factor': {
    make: () => [of4(), { scaleFactor: 2, mode: 'bilinear' }],
    call: nabla.interpolate as never,
    also: ['interpolate'],
  },
  dropout: { make: () => [x(), 0.5], call: nabla.dropout as never },
  manualSeed: { make: () => [3], call: ((seed: number) => (nabla.manualSeed(seed), nabla.rand([3]))) as never },
};

testHostile(CASES);
