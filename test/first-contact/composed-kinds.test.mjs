/* oxlint-disable import/namespace -- functions are looked up by their names */
// Arguments of a wrong kind for the operators of src/functions that are composed of others, as in kinds.test.mjs.

import { expect, it } from 'vitest';
import * as nabla from 'nabla';
import * as nn from 'nabla/nn';
import { Dims, I, List, Options, T, argument, sweep } from './sweep.mjs';

const { tensor, zeros } = nabla;
const matrix = zeros([2, 2]);
const vector = zeros([2]);
const whole = tensor(Int32Array.of(1, 2));
const batch = zeros([2, 2, 2]);

/** A call, and its arguments. */
const CALLS = {
  einsum: [nabla.einsum, I('ij,jk'), T(matrix), T(matrix)],
  outer: [nabla.outer, T(vector), T(vector)],
  dot: [nabla.dot, T(vector), T(vector)],
  vdot: [nabla.vdot, T(vector), T(vector)],
  inner: [nabla.inner, T(vector), T(vector)],
  mv: [nabla.mv, T(matrix), T(vector)],
  mm: [nabla.mm, T(matrix), T(matrix)],
  bmm: [nabla.bmm, T(batch), T(batch)],
  addmm: [nabla.addmm, T(matrix), T(matrix), T(matrix), Options({})],
  addmv: [nabla.addmv, T(vector), T(matrix), T(vector), Options({})],
  addbmm: [nabla.addbmm, T(matrix), T(batch), T(batch), Options({})],
  baddbmm: [nabla.baddbmm, T(matrix), T(batch), T(batch), Options({})],
  tensordot: [nabla.tensordot, T(matrix), T(matrix), argument('undefined')(1)],
  kron: [nabla.kron, T(matrix), T(matrix)],
  cross: [nabla.cross, T(zeros([3])), T(zeros([3])), argument('undefined')(-1)],
  multiDot: [nabla.multiDot, List([matrix, matrix])],
  chainMatmul: [nabla.chainMatmul, List([matrix, matrix])],
  ...Object.fromEntries(
    ['exp2', 'erfc', 'erfinv', 'asinh', 'acosh', 'atanh', 'sinc', 'deg2rad', 'rad2deg', 'frac', 'signbit'].map(
      (name) => [name, [nabla[name], T(vector)]],
    ),
  ),
  logit: [nabla.logit, T(vector), argument('undefined', 'number')(0.1)],
  nanToNum: [nabla.nanToNum, T(vector), Options({})],
  ...Object.fromEntries(
    [
      'atan2',
      'hypot',
      'fmod',
      'logaddexp',
      'logaddexp2',
      'xlogy',
      'xlog1py',
      'copysign',
      'heaviside',
      'fmax',
      'fmin',
    ].map((name) => [name, [nabla[name], T(vector), argument('tensor', 'number')(vector)]]),
  ),
  ...Object.fromEntries(
    ['bitwiseAnd', 'bitwiseOr', 'bitwiseXor', 'bitwiseLeftShift', 'bitwiseRightShift', 'gcd', 'lcm'].map((name) => [
      name,
      [nabla[name], I(whole), I(whole)],
    ]),
  ),
  bitwiseNot: [nabla.bitwiseNot, I(whole)],
  isclose: [nabla.isclose, T(vector), T(vector), Options({})],
  allclose: [nabla.allclose, T(vector), T(vector), Options({})],
  equal: [nabla.equal, T(vector), T(vector)],
  clamp: [
    nabla.clamp,
    T(vector),
    argument('tensor', 'number', 'undefined')(vector),
    argument('tensor', 'number', 'undefined')(1),
  ],
  lerp: [nabla.lerp, T(vector), T(vector), argument('tensor', 'number')(0.5)],
  addcmul: [nabla.addcmul, T(vector), T(vector), T(vector), Options({})],
  addcdiv: [nabla.addcdiv, T(vector), T(vector), T(vector), Options({})],
  randLike: [nabla.randLike, T(vector)],
  randnLike: [nabla.randnLike, T(vector)],
  randintLike: [nabla.randintLike, T(vector), I(0), I(3)],
  bernoulli: [nabla.bernoulli, T(vector)],
  poisson: [nabla.poisson, T(vector)],
  normal: [nabla.normal, T(vector), argument('tensor', 'number', 'undefined')(1)],
  exponential: [nabla.exponential, I([2]), argument('number', 'undefined')(1)],
  multinomial: [nabla.multinomial, T(vector), I(1), Options({})],
  gumbelSoftmax: [nabla.gumbelSoftmax, T(vector), Options({})],
  vectorNorm: [nabla.vectorNorm, T(matrix), argument('undefined', 'number')(2), Dims(0), Options({})],
  norm: [nabla.norm, T(matrix), argument('undefined', 'number')(2), Dims(0), Options({})],
  matrixNorm: [nabla.matrixNorm, T(matrix), argument('undefined')('fro'), Options({})],
  normalize: [nabla.normalize, T(matrix), Options({})],
  cosineSimilarity: [nabla.cosineSimilarity, T(matrix), T(matrix), Options({})],
  pairwiseDistance: [nabla.pairwiseDistance, T(matrix), T(matrix), Options({})],
  cdist: [nabla.cdist, T(matrix), T(matrix), Options({})],
  pdist: [nabla.pdist, T(matrix), argument('undefined', 'number')(2)],
  pad: [nabla.pad, T(matrix), argument('list')([[1, 1]]), Options({})],
  unfold: [nabla.unfold, T(zeros([1, 2, 3, 3])), I(2), Options({})],
  fold: [nabla.fold, T(zeros([1, 4, 4])), I([3, 3]), I(2), Options({})],
  affineGrid: [nabla.affineGrid, T(zeros([1, 2, 3])), I([1, 1, 2, 2]), Options({})],
  gridSample: [nabla.gridSample, T(zeros([1, 1, 2, 2])), T(zeros([1, 2, 2, 2])), Options({})],
  // losses
  cosineEmbeddingLoss: [nn.cosineEmbeddingLoss, T(matrix), T(matrix), T(vector), Options({})],
  marginRankingLoss: [nn.marginRankingLoss, T(matrix), T(matrix), T(matrix), Options({})],
  hingeEmbeddingLoss: [nn.hingeEmbeddingLoss, T(matrix), T(matrix), Options({})],
  softMarginLoss: [nn.softMarginLoss, T(matrix), T(matrix), Options({})],
  multiMarginLoss: [nn.multiMarginLoss, T(zeros([2, 3])), I(whole), Options({})],
  multilabelMarginLoss: [nn.multilabelMarginLoss, T(vector), I(whole), Options({})],
  multilabelSoftMarginLoss: [nn.multilabelSoftMarginLoss, T(matrix), T(matrix), Options({})],
  poissonNllLoss: [nn.poissonNllLoss, T(matrix), T(matrix), Options({})],
  gaussianNllLoss: [nn.gaussianNllLoss, T(matrix), T(matrix), argument('tensor', 'number')(1), Options({})],
  focalLoss: [nn.focalLoss, T(matrix), T(matrix), Options({})],
  ctcLoss: [nn.ctcLoss, T(zeros([3, 2, 3])), I(whole), I([3, 3]), I([1, 1]), Options({})],
  matrixPower: [nabla.matrixPower, T(matrix), I(2)],
};

it.each(Object.keys(CALLS))('%s', async (name) => {
  const [call, ...args] = CALLS[name];
  expect(await sweep(name, call, args)).toEqual([]);
});
