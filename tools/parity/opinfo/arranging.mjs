// Creation, movement, indexing: PyTorch's name → the call of nabla.

import * as n from 'nabla';
import { differs } from './samples.mjs';

const listOf = (values) => (Array.isArray(values[0]) ? values[0] : values);
/** A size as it is given: one list, or its numbers. */
const sized = ([first, ...rest]) => (typeof first === 'number' ? [first, ...rest] : listOf([first, ...rest]));

const creation = {
  arange: ([start, second, step], { dtype, end = second }) =>
    end === undefined
      ? n.arange(0, Number(start), 1, { dtype })
      : n.arange(Number(start), Number(end), Number(step ?? 1), { dtype }),
  linspace: ({ start, end, steps, dtype }) => n.linspace(start, end, steps, { dtype }),
  logspace: ({ start, end, steps, base, dtype }) => n.logspace(start, end, steps, { base, dtype }),
  eye: ({ n: rows, m, dtype }) => n.eye(rows, m, { dtype }),
  zeros: (sizes, { dtype }) => n.zeros(sized(sizes), { dtype }),
  ones: (sizes, { dtype }) => n.ones(sized(sizes), { dtype }),
  full: ({ size, fillValue, dtype }) => n.full(size, Number(fillValue), { dtype: dtype ?? kindOf(fillValue) }),
  scalar_tensor: ({ s, dtype }) => n.full([], s, { dtype }),
  zeros_like: ({ input, dtype }) => n.zeros(input.shape, { dtype: dtype ?? input.dtype }),
  ones_like: ({ input, dtype }) => n.ones(input.shape, { dtype: dtype ?? input.dtype }),
  full_like: ({ input, fillValue, dtype }) => n.full(input.shape, Number(fillValue), { dtype: dtype ?? input.dtype }),
  new_zeros: ({ input, size, dtype }) => n.zeros(size, { dtype: dtype ?? input.dtype }),
  new_ones: ({ input, size, dtype }) => n.ones(size, { dtype: dtype ?? input.dtype }),
  new_full: ({ input, size, fillValue, dtype }) => n.full(size, Number(fillValue), { dtype: dtype ?? input.dtype }),
  zero_: ({ input }) => n.zerosLike(input),
  fill: ({ input, value }) => n.full(input.shape, Number(value), { dtype: input.dtype }),
  randn: (sizes, { dtype }) => n.randn(sized(sizes), { dtype }),
  randint: ([low, high, size], { dtype, ...named }) => {
    const [to, sizes] = Array.isArray(high) ? [low, high] : [high ?? named.high, size ?? named.size];
    const drawn = n.randint(to === low ? 0 : (low ?? named.low), to, sizes);
    return dtype === undefined ? drawn : drawn.to(dtype);
  },
  rand_like: ({ input, dtype }) => n.randLike(dtype === undefined ? input : input.to(dtype)),
  randn_like: ({ input, dtype }) => n.randnLike(dtype === undefined ? input : input.to(dtype)),
  randint_like: ([input, low, high], { dtype, ...named }) => {
    const [from, to] = [low ?? named.low, high ?? named.high];
    const drawn = to === undefined ? n.randintLike(input, 0, from) : n.randintLike(input, from, to);
    return drawn.to(dtype ?? input.dtype);
  },
  bernoulli: ({ input, p }) => (p === undefined ? n.bernoulli(input) : differs('bernoulli of one p: rand(…).lt(p)')),
  multinomial: ({ input, numSamples, replacement }) => n.multinomial(input, numSamples, { replacement }),
  normal: ([mean, std, size], { dtype }) =>
    mean instanceof n.Tensor && typeof std === 'number' && typeof size === 'number'
      ? n.normal(std, size, mean.shape, { dtype: mean.dtype })
      : n.normal(mean, std, size, Array.isArray(size) ? { dtype } : undefined),
  tril_indices: ({ row, col, offset, dtype: _dtype }) => n.trilIndices(row, col, offset),
  triu_indices: ({ row, col, offset, dtype: _dtype }) => n.triuIndices(row, col, offset),
};

const kindOf = (value) => (typeof value === 'boolean' ? 'bool' : Number.isInteger(value) ? 'int32' : 'float32');

/** Positions or counts that PyTorch takes as a tensor are numbers here. */
const numbersOf = async (value) => (value instanceof n.Tensor ? value.array() : value);

const movement = {
  alias_copy: ({ input }) => input.clone(),
  contiguous: ({ input }) => input,
  clone: ({ input }) => input.clone(),
  t: ({ input }) => (input.rank < 2 ? input : input.T),
  T: ({ input }) => input.T,
  H: ({ input }) => input.T,
  mT: ({ input }) => n.swapaxes(input, -1, -2),
  mH: ({ input }) => n.swapaxes(input, -1, -2),
  transpose: ({ input, dim0, dim1 }) => input.transpose(dim0, dim1),
  permute: ({ input, dims }) => input.permute(dims),
  movedim: ({ input, source, destination }) => input.movedim(source, destination),
  reshape: ({ input, shape }) => input.reshape(shape),
  reshape_as: ({ input, other }) => input.reshape(other.shape),
  view: ([input, ...shape]) => input.reshape(sized(shape)),
  view_as: ({ input, other }) => input.reshape(other.shape),
  ravel: ({ input }) => input.flatten(),
  flatten: ({ input, startDim, endDim }) => input.flatten(startDim, endDim),
  unflatten: ({ input, dim, sizes }) => n.unflatten(input, dim, sizes),
  squeeze: ({ input, dim }) => input.squeeze(dim),
  unsqueeze: ({ input, dim }) => input.unsqueeze(dim),
  expand: ([input, ...shape]) => input.expand(sized(shape)),
  expand_as: ({ input, other }) => input.expand(other.shape),
  broadcast_to: ({ input, size }) => input.expand(size),
  broadcast_tensors: ([first, ...rest]) => n.broadcastTensors(...(Array.isArray(first) ? first : [first, ...rest])),
  broadcast_shapes: (shapes) => n.broadcastShapes(...shapes.map((s) => (typeof s === 'number' ? [s] : s))),
  sum_to_size: ([input, ...size]) => n.sumToSize(input, sized(size)),
  flip: ({ input, dims }) => input.flip(...dims),
  fliplr: ({ input }) => n.fliplr(input),
  flipud: ({ input }) => n.flipud(input),
  roll: ({ input, shifts, dims }) => n.roll(input, shifts, dims),
  rot90: ({ input, k, dims }) => n.rot90(input, k, dims),
  repeat: ([input, ...counts]) => input.repeat(sized(counts)),
  tile: ([input, ...counts]) => n.tile(input, sized(counts)),
  repeat_interleave: async ({ input, repeats, dim, outputSize: _outputSize }) =>
    n.repeatInterleave(input, await numbersOf(repeats), dim),
  atleast_1d: ([input]) => (Array.isArray(input) ? input.map((t) => n.atleast1d(t)) : n.atleast1d(input)),
  atleast_2d: ([input]) => (Array.isArray(input) ? input.map((t) => n.atleast2d(t)) : n.atleast2d(input)),
  atleast_3d: ([input]) => (Array.isArray(input) ? input.map((t) => n.atleast3d(t)) : n.atleast3d(input)),
  meshgrid: ([first, ...rest], { indexing }) =>
    n.meshgrid(Array.isArray(first) ? first : [first, ...rest], { indexing: indexing ?? 'ij' }),
  cartesian_prod: ([first, ...rest]) => n.cartesianProd(...(Array.isArray(first) ? first : [first, ...rest])),
  combinations: ({ input, r, withReplacement }) => n.combinations(input, { r, withReplacement }),
  block_diag: ([first, ...rest]) => n.blockDiag(...(Array.isArray(first) ? first : [first, ...rest])),
  diag: ({ input, diagonal }) => n.diag(input, diagonal),
  diag_embed: ({ input, offset, dim1, dim2 }) => n.diagEmbed(input, offset, dim1, dim2),
  diagflat: ({ input, offset }) => n.diagflat(input, offset),
  diagonal: ({ input, offset, dim1, dim2 }) => n.diagonal(input, offset, dim1, dim2),
  diagonal_scatter: ({ input, src, offset, dim1, dim2 }) => n.diagonalScatter(input, src, offset, dim1, dim2),
  'linalg.diagonal': ({ input, offset, dim1, dim2 }) => n.diagonal(input, offset, dim1 ?? -2, dim2 ?? -1),
  trace: ({ input }) => n.trace(input),
  tril: ({ input, diagonal }) => input.tril(diagonal),
  triu: ({ input, diagonal }) => input.triu(diagonal),
  'linalg.vander': ({ input, N }) => n.vander(input, { n: N, increasing: true }),
  cat: ({ tensors, dim }) => n.cat(tensors, dim),
  stack: ({ tensors, dim }) => n.stack(tensors, dim),
  hstack: ({ tensors }) => n.hstack(tensors),
  vstack: ({ tensors }) => n.vstack(tensors),
  dstack: ({ tensors }) => n.dstack(tensors),
  column_stack: ({ tensors }) => n.columnStack(tensors),
  split: ({ input, sizes, dim }) => input.split(sizes, dim),
  split_with_sizes: ({ input, sizes, dim }) => input.split(sizes, dim),
  unsafe_split: ({ input, sizes, dim }) => input.split(sizes, dim),
  chunk: ({ input, chunks, dim }) => input.chunk(chunks, dim),
  unsafe_chunk: ({ input, chunks, dim }) => input.chunk(chunks, dim),
  tensor_split: async ({ input, sections, dim }) => n.tensorSplit(input, await numbersOf(sections), dim),
  hsplit: ({ input, sections }) => n.hsplit(input, sections),
  vsplit: ({ input, sections }) => n.vsplit(input, sections),
  dsplit: ({ input, sections }) => n.dsplit(input, sections),
  unbind: ({ input, dim }) => input.unbind(dim),
  narrow: ({ input, dim, start, length }) => n.narrow(input, dim, start, length),
  select: ({ input, dim, index }) => input.select(dim, index),
  slice: ({ input, dim, start, end, step }) => input.slice(dim ?? 0, start, end, step),
  select_scatter: ({ input, src, dim, index }) => n.selectScatter(input, src, dim, index),
  slice_scatter: ({ input, src, dim, start, end, step }) => n.sliceScatter(input, src, { dim, start, end, step }),
  unfold: ({ input, dimension, size, step }) => n.slidingWindows(input, dimension, size, step),
  constant_pad_nd: ({ input, pad, value }) => n.pad(input, pairs(pad), { value }),
  item: ({ input }) => input.item(),
  gradient: ({ input, spacing, dim, edgeOrder }) => n.gradient(input, { spacing, dim, edgeOrder }),
};

/** PyTorch's flat list of paddings, from the last dimension on, as pairs in the order of the dimensions. */
export function pairs(flat) {
  return Array.from({ length: flat.length / 2 }, (_, i) => flat.slice(2 * i, 2 * i + 2)).reverse();
}

/** The same operators under names that say that memory is copied. */
const COPIES = [
  'diagonal',
  'expand',
  'narrow',
  'permute',
  'split_with_sizes',
  'squeeze',
  't',
  'transpose',
  'unbind',
  'unfold',
  'unsqueeze',
  'view',
];
const copies = Object.fromEntries(COPIES.map((name) => [`${name}_copy`, movement[name]]));

const isMask = (index) => index.dtype === 'bool';

/** A list of positions as a tensor. */
const asIndex = (i) => (Array.isArray(i) ? n.tensor(i, { dtype: 'int32' }) : i);

async function atMask(input, mask) {
  const places = await n.nonzero(mask);
  return input.index(places.select(1, 0));
}

/** x[item], for the items that x.index has. */
function subscript(input, item) {
  const isList = Array.isArray(item) && item.every((i) => typeof i === 'number'); // positions, not one for each dimension
  const items = (Array.isArray(item) && !isList ? item : [item]).map(asIndex);
  if (items.some((i) => i === undefined)) return differs('a new dimension in an index: unsqueeze');
  if (items.some((i) => i instanceof n.Tensor && isMask(i))) {
    if (items.length === 1 && items[0].rank === input.rank) return n.maskedSelect(input, items[0]);
    if (items.length === 1 && items[0].rank === 1) return atMask(input, items[0]);
    return differs('a mask beside other indices: maskedSelect');
  }
  const ellipsis = items.findIndex((i) => i.ellipsis);
  const missing = input.rank - items.length + 1;
  const whole = ellipsis < 0 ? items : items.toSpliced(ellipsis, 1, ...Array.from({ length: missing }, () => null));
  return input.index(...whole.map((i) => (Array.isArray(i?.slice) ? i.slice.map((v) => v ?? null) : i)));
}

const indexing = {
  __getitem__: ({ input, item }) => subscript(input, item),
  gather: ({ input, dim, index }) => input.gather(dim, index),
  take: ({ input, index }) => n.take(input, index),
  take_along_dim: ({ input, indices, dim }) => n.takeAlongDim(input, indices, dim),
  index_select: ({ input, dim, index }) => input.indexSelect(dim, index),
  index_add: ({ input, dim, index, source, alpha }) => n.indexAdd(input, dim, index, source, { alpha }),
  index_copy: ({ input, dim, index, source }) => n.indexCopy(input, dim, index, source),
  index_fill: ({ input, dim, index, value }) => n.indexFill(input, dim, index, value),
  index_reduce: ({ input, dim, index, source, reduce, includeSelf }) =>
    n.indexReduce(input, dim, index, source, reduce, { includeSelf }),
  index_put: ({ input, indices, values, accumulate }) => n.indexPut(input, indices, values, { accumulate }),
  put: ({ input, index, source, accumulate }) => n.put(input, index, source, { accumulate }),
  scatter: ({ input, dim, index, src, value, reduce }) =>
    reduce === undefined ? n.scatter(input, dim, index, src ?? value) : differs('reduce: scatterReduce'),
  scatter_add: ({ input, dim, index, src }) => input.scatterAdd(dim, index, src),
  scatter_reduce: ({ input, dim, index, src, reduce, includeSelf }) =>
    n.scatterReduce(input, dim, index, src, reduce, { includeSelf }),
  masked_select: ({ input, mask }) => n.maskedSelect(input, mask),
  masked_scatter: ({ input, mask, source }) => n.maskedScatter(input, mask, source),
  nonzero: async ({ input, asTuple }) => {
    const rows = await n.nonzero(input);
    if (asTuple !== true) return rows;
    // of a number one vector, of no rank
    return input.rank === 0 ? [n.zeros([rows.shape[0]], { dtype: 'int32' })] : rows.unbind(1);
  },
  argwhere: ({ input }) => n.nonzero(input),
  unravel_index: ({ indices, shape }) => n.unravelIndex(indices, shape),
  // -1 classes are as many as the largest label asks for, which has to be read
  'nn.functional.one_hot': async ({ input, numClasses }) =>
    input.oneHot(numClasses < 0 ? (await input.max().item()) + 1 : numClasses).to('int32'),
};

export const ARRANGING = { ...creation, ...movement, ...copies, ...indexing };
