// Reductions, orders, products, norms: PyTorch's name → the call of nabla.

import * as n from 'nabla';

/** An input with the dtype that a reduction is asked for. */
const as = (input, dtype) => (dtype === undefined ? input : input.to(dtype));
/** No dimension at all is all of them. */
const dims = (dim) => (Array.isArray(dim) && dim.length === 0 ? undefined : dim);
/** PyTorch's `unbiased`, an older name of the correction. */
function spread(f) {
  return ([input, first, second, third], { dim, unbiased, correction, keepdim }) => {
    const flag = [first, second, unbiased].find((v) => typeof v === 'boolean');
    const over = typeof first === 'boolean' ? undefined : (first ?? dim);
    return f(input, dims(over), {
      correction: flag === undefined ? correction : Number(flag),
      keepdim: third ?? keepdim,
    });
  };
}
const infinite = (p) => (p === 'inf' ? Infinity : p === '-inf' ? -Infinity : p);

const reductions = {
  sum: ({ input, dim, keepdim, dtype }) => as(input, dtype).sum(dims(dim), { keepdim }),
  mean: ({ input, dim, keepdim, dtype }) => as(input, dtype).mean(dims(dim), { keepdim }),
  prod: ({ input, dim, keepdim, dtype }) => as(input, dtype).prod(dim, { keepdim }),
  nansum: ({ input, dim, keepdim, dtype }) => n.nansum(as(input, dtype), dims(dim), { keepdim }),
  nanmean: ({ input, dim, keepdim, dtype }) => n.nanmean(as(input, dtype), dims(dim), { keepdim }),
  amax: ({ input, dim, keepdim }) => input.amax(dims(dim), { keepdim }),
  amin: ({ input, dim, keepdim }) => input.amin(dims(dim), { keepdim }),
  aminmax: ({ input, dim, keepdim }) => n.aminmax(input, { dim, keepdim }),
  max: ({ input, dim, keepdim }) => (dim instanceof n.Tensor ? input.maximum(dim) : input.max(dim, { keepdim })),
  min: ({ input, dim, keepdim }) => (dim instanceof n.Tensor ? input.minimum(dim) : input.min(dim, { keepdim })),
  argmax: ({ input, dim, keepdim }) => input.argmax(dim, { keepdim }),
  argmin: ({ input, dim, keepdim }) => input.argmin(dim, { keepdim }),
  all: ({ input, dim, keepdim }) => input.all(dims(dim), { keepdim }),
  any: ({ input, dim, keepdim }) => input.any(dims(dim), { keepdim }),
  count_nonzero: ({ input, dim }) => n.countNonzero(input, dims(dim)),
  std: spread((x, dim, options) => x.std(dim, options)),
  var: spread((x, dim, options) => x.var(dim, options)),
  std_mean: spread((x, dim, options) => n.stdMean(x, dim, options)),
  var_mean: spread((x, dim, options) => n.varMean(x, dim, options)),
  logsumexp: ({ input, dim, keepdim }) => input.logsumexp(dim, { keepdim }),
  softmax: ({ input, dim, dtype }) => as(input, dtype).softmax(dim),
  log_softmax: ({ input, dim, dtype }) => as(input, dtype).logSoftmax(dim),
  cumsum: ({ input, dim, dtype }) => as(input, dtype).cumsum(dim),
  cumprod: ({ input, dim, dtype }) => as(input, dtype).cumprod(dim),
  cummax: ({ input, dim }) => n.cummax(input, dim),
  cummin: ({ input, dim }) => n.cummin(input, dim),
  logcumsumexp: ({ input, dim }) => n.logcumsumexp(input, dim),
  diff: ({ input, n: order, dim, prepend, append }) => n.diff(input, { n: order, dim, prepend, append }),
  trapz: ({ y, x, dx, dim }) => n.trapezoid(y, { x, dx, dim }),
  trapezoid: ({ y, x, dx, dim }) => n.trapezoid(y, { x, dx, dim }),
  cumulative_trapezoid: ({ y, x, dx, dim }) => n.cumulativeTrapezoid(y, { x, dx, dim }),
  cov: ({ input, correction, fweights, aweights }) => n.cov(input, { correction, fweights, aweights }),
  corrcoef: ({ input }) => n.corrcoef(input),
  renorm: ({ input, p, dim, maxnorm }) => n.renorm(input, p, dim, maxnorm),
};

const orders = {
  sort: ({ input, dim, descending, stable: _stable }) => input.sort(dim, descending),
  msort: ({ input }) => input.sort(0).values,
  argsort: ({ input, dim, descending, stable: _stable }) => input.argsort(dim, descending),
  topk: ({ input, k, dim, largest, sorted: _sorted }) => input.topk(k, dim, { largest }),
  kthvalue: ({ input, k, dim, keepdim }) => n.kthvalue(input, k, dim, { keepdim }),
  median: ({ input, dim, keepdim }) => n.median(input, dim, { keepdim }),
  nanmedian: ({ input, dim, keepdim }) => n.nanmedian(input, dim, { keepdim }),
  mode: ({ input, dim, keepdim }) => n.mode(input, dim, { keepdim }),
  quantile: ({ input, q, dim, keepdim, interpolation }) => n.quantile(input, q, dim, { keepdim, interpolation }),
  nanquantile: ({ input, q, dim, keepdim, interpolation }) => n.nanquantile(input, q, dim, { keepdim, interpolation }),
  unique: ({ input, sorted: _sorted, returnInverse, returnCounts, dim }) =>
    n.unique(input, { returnInverse, returnCounts, dim }),
  unique_consecutive: ({ input, returnInverse, returnCounts, dim }) =>
    n.uniqueConsecutive(input, { returnInverse, returnCounts, dim }),
  searchsorted: ({ sortedSequence, input, right, side, sorter, outInt32: _outInt32 }) =>
    n.searchsorted(sortedSequence, input, { right: right === true || side === 'right', sorter }),
  bucketize: ({ input, boundaries, right, outInt32: _outInt32 }) => n.bucketize(input, boundaries, { right }),
  bincount: ({ input, weights, minlength }) => n.bincount(input, { weights, minLength: minlength }),
  histc: ({ input, bins, min, max }) => n.histc(input, bins, { min, max }),
  histogram: ({ input, bins, range, weight, density }) => n.histogram(input, bins, { range, weight, density }),
  isin: ({ elements, testElements, assumeUnique: _assumeUnique, invert }) => n.isin(elements, testElements, { invert }),
};

const products = {
  matmul: ({ input, other }) => input.matmul(other),
  __rmatmul__: ({ input, other }) => other.matmul(input),
  mm: ({ input, mat2 }) => n.mm(input, mat2),
  bmm: ({ input, mat2 }) => n.bmm(input, mat2),
  mv: ({ input, vec }) => n.mv(input, vec),
  dot: ({ input, other }) => n.dot(input, other),
  vdot: ({ input, other }) => n.vdot(input, other),
  inner: ({ input, other }) => n.inner(input, other),
  outer: ({ input, vec2 }) => n.outer(input, vec2),
  addr: ({ input, vec1, vec2, beta, alpha }) => n.addr(input, vec1, vec2, { beta, alpha }),
  addmm: ({ input, mat1, mat2, beta, alpha }) => n.addmm(input, mat1, mat2, { beta, alpha }),
  addmv: ({ input, mat, vec, beta, alpha }) => n.addmv(input, mat, vec, { beta, alpha }),
  addbmm: ({ input, batch1, batch2, beta, alpha }) => n.addbmm(input, batch1, batch2, { beta, alpha }),
  baddbmm: ({ input, batch1, batch2, beta, alpha }) => n.baddbmm(input, batch1, batch2, { beta, alpha }),
  einsum: ([operands, equation]) => n.einsum(equation, ...operands),
  tensordot: ({ input, other, dims: over }) => n.tensordot(input, other, over),
  kron: ({ input, other }) => n.kron(input, other),
  cross: ({ input, other, dim }) => n.cross(input, other, dim ?? input.shape.indexOf(3)),
  'linalg.cross': ({ input, other, dim }) => n.cross(input, other, dim),
  'linalg.vecdot': ({ x, y, dim }) => n.vecdot(x, y, dim),
  'linalg.multi_dot': ({ tensors }) => n.multiDot(tensors),
  'linalg.matrix_power': ({ input, n: exponent }) => n.matrixPower(input, exponent),
  cdist: ({ x1, x2, p, computeMode }) => n.cdist(x1, x2, { p: infinite(p), computeMode }),
  'nn.functional.pdist': ({ input, p }) => n.pdist(input, p),
  'nn.functional.pairwise_distance': ({ x1, x2, p, eps, keepdim }) => n.pairwiseDistance(x1, x2, { p, eps, keepdim }),
  'nn.functional.normalize': ({ input, p, dim, eps }) => n.normalize(input, { p, dim, eps }),
  'nn.functional.cosine_similarity': ({ x1, x2, dim, eps }) => n.cosineSimilarity(x1, x2, { dim, eps }),
};

const norms = {
  'linalg.vector_norm': ({ input, ord, dim, keepdim, dtype }) =>
    n.vectorNorm(as(input, dtype), infinite(ord), dims(dim), { keepdim }),
  'linalg.matrix_norm': ({ input, ord, dim, keepdim, dtype }) =>
    n.matrixNorm(as(input, dtype), infinite(ord), { dim, keepdim }),
  'linalg.norm': ({ input, ord, dim, keepdim, dtype }) => {
    const isMatrix = Array.isArray(dim) ? dim.length === 2 : dim === undefined && input.rank === 2;
    if (ord === undefined || !isMatrix) return n.vectorNorm(as(input, dtype), infinite(ord), dim, { keepdim });
    return n.matrixNorm(as(input, dtype), infinite(ord), { dim, keepdim });
  },
  norm: ({ input, p, dim, keepdim, dtype }) =>
    p === 'nuc'
      ? n.matrixNorm(as(input, dtype), 'nuc', { dim, keepdim })
      : n.norm(as(input, dtype), infinite(p), dims(dim), { keepdim }),
};

export const REDUCTIONS = { ...reductions, ...orders, ...products, ...norms };
