// Arguments of a wrong kind for the functions of src/functions that arrange, select, order and count, as in kinds.test.mjs.

import { expect, it } from 'vitest';
import * as nabla from 'nabla';
import { Dims, I, List, N, Options, Shape, T, Whole, argument, sweep } from './sweep.mjs';

const { zeros } = nabla;
const x = zeros([2, 3]);
const vector = zeros([3]);
const mask = zeros([2, 3], { dtype: 'bool' });
const index = zeros([2], { dtype: 'int32' });
const positions = zeros([2, 3], { dtype: 'int32' });
/** A dimension, or several as a list. */
const Places = argument('list');

/** A call, and its arguments. */
const CALLS = {
  repeat: [nabla.repeat, T(x), argument('list')([1, 2])],
  tile: [nabla.tile, T(x), argument('list')([1, 2])],
  repeatInterleave: [nabla.repeatInterleave, T(x), argument('list')(2), Whole(0)],
  meshgrid: [nabla.meshgrid, List([vector, vector]), Options({})],
  unbind: [nabla.unbind, T(x), Whole(0)],
  movedim: [nabla.movedim, T(x), Places(0), Places(1)],
  swapaxes: [nabla.swapaxes, T(x), I(0), I(1)],
  narrow: [nabla.narrow, T(x), I(0), I(0), I(1)],
  select: [nabla.select, T(x), I(0), I(0)],
  clone: [nabla.clone, T(x)],
  rot90: [nabla.rot90, T(x), argument('undefined')(1), argument('undefined')([0, 1])],
  unflatten: [nabla.unflatten, T(x), I(0), Shape([2, 1])],
  atleast1d: [nabla.atleast1d, T(x)],
  atleast2d: [nabla.atleast2d, T(x)],
  atleast3d: [nabla.atleast3d, T(x)],
  hstack: [nabla.hstack, List([x, x])],
  vstack: [nabla.vstack, List([x, x])],
  dstack: [nabla.dstack, List([x, x])],
  diagonal: [nabla.diagonal, T(x), argument('undefined')(0), argument('undefined')(0), argument('undefined')(1)],
  diag: [nabla.diag, T(x), argument('undefined')(0)],
  diagEmbed: [nabla.diagEmbed, T(x), argument('undefined')(0), argument('undefined')(0), argument('undefined')(1)],
  trace: [nabla.trace, T(x)],
  maskedFill: [nabla.maskedFill, T(x), T(mask), N(1)],
  maskedSelect: [nabla.maskedSelect, T(x), T(mask)],
  nonzero: [nabla.nonzero, T(x), argument('undefined')({ size: 2 })],
  take: [nabla.take, T(x), T(index)],
  takeAlongDim: [nabla.takeAlongDim, T(x), T(zeros([2, 1], { dtype: 'int32' })), Whole(1)],
  indexPut: [nabla.indexPut, T(x), argument()([index]), argument('tensor', 'number')(x), Options({})],
  indexAdd: [nabla.indexAdd, T(x), I(0), T(index), T(x), Options({})],
  indexCopy: [nabla.indexCopy, T(x), I(0), T(index), T(x)],
  indexFill: [nabla.indexFill, T(x), I(0), T(index), N(1)],
  scatter: [nabla.scatter, T(x), I(0), T(positions), argument('tensor', 'number')(x)],
  cumprod: [nabla.cumprod, T(x), I(0)],
  cummax: [nabla.cummax, T(x), I(0)],
  cummin: [nabla.cummin, T(x), I(0)],
  logcumsumexp: [nabla.logcumsumexp, T(x), I(0)],
  diff: [nabla.diff, T(x), Options({})],
  median: [nabla.median, T(x), argument('undefined')(0), Options({})],
  nanmedian: [nabla.nanmedian, T(x), argument('undefined')(0), Options({})],
  kthvalue: [nabla.kthvalue, T(x), I(1), Whole(0), Options({})],
  mode: [nabla.mode, T(x), Whole(0), Options({})],
  quantile: [nabla.quantile, T(x), argument('tensor')(0.5), argument('undefined')(0), Options({})],
  nanquantile: [nabla.nanquantile, T(x), argument('tensor')(0.5), argument('undefined')(0), Options({})],
  stdMean: [nabla.stdMean, T(x), Dims(0), Options({})],
  varMean: [nabla.varMean, T(x), Dims(0), Options({})],
  nansum: [nabla.nansum, T(x), Dims(0), Options({})],
  nanmean: [nabla.nanmean, T(x), Dims(0), Options({})],
  countNonzero: [nabla.countNonzero, T(x), Dims(0)],
  aminmax: [nabla.aminmax, T(x), Options({})],
  searchsorted: [nabla.searchsorted, T(vector), argument('tensor', 'number')(vector), Options({})],
  bucketize: [nabla.bucketize, T(x), T(vector), Options({})],
  unique: [nabla.unique, T(x), Options({})],
  bincount: [nabla.bincount, T(index), Options({})],
  histc: [nabla.histc, T(x), argument('undefined')(4), Options({})],
  scatterReduce: [nabla.scatterReduce, T(x), I(0), T(positions), T(x), I('sum'), Options({})],
};

it.each(Object.keys(CALLS))('%s', async (name) => {
  const [call, ...args] = CALLS[name];
  expect(await sweep(name, call, args)).toEqual([]);
});
