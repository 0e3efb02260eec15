// More functions against the samples of PyTorch's own operator tests (OpInfo): test/fixtures/opinfo-more.json, made by
// tools/parity/opinfo.py. NABLA_OPINFO names a file of all samples instead.
import * as nabla from 'nabla';
import type { Tensor } from 'nabla';
import { functional, tripletMarginWithDistanceLoss } from 'nabla/nn';
import { type OpInfoCall, type OpInfoCalls, opinfoParity } from './support/opinfo.js';

/** As it is: the tensor and the other arguments. */
const plain =
  (fn: unknown, ...names: string[]): OpInfoCall =>
  (args, options) => {
    const list = [...args];
    names.forEach((name, i) => (list[i + 1] = args[i + 1] ?? options[name]));
    return Reflect.apply(fn as OpInfoCall, undefined, list.map((v) => v ?? undefined) as never) as unknown;
  };
const spread =
  (fn: (...tensors: Tensor[]) => unknown): OpInfoCall =>
  ([first, ...rest]) =>
    fn(...((Array.isArray(first) ? first : [first, ...rest]) as Tensor[]));
const split =
  (fn: typeof nabla.hsplit): OpInfoCall =>
  ([x, given], options) =>
    fn(x, given ?? options['indices'] ?? options['sections']);
/** Options that are there. */
const some = (options: Record<string, unknown>): never =>
  Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined && v !== null)) as never;
const fractional = (
  fn: typeof nabla.fractionalMaxPool2d,
  x: Tensor,
  kernel: number,
  options: Record<string, unknown>,
) =>
  options['_random_samples'] === undefined || options['return_indices'] === true
    ? 'other random numbers'
    : fn(
        x,
        kernel,
        some({
          outputSize: options['output_size'],
          outputRatio: options['output_ratio'],
          randomSamples: options['_random_samples'],
        }),
      );
const area =
  (fn: typeof nabla.trapezoid): OpInfoCall =>
  ([y, x, ...rest], { dx, dim, ...options }) => {
    const points = x ?? options['x'];
    return fn(y, { ...(points && { x: points }), ...(dx !== undefined && { dx }), dim: dim ?? rest[0] ?? -1 });
  };
/** PyTorch gives whole numbers of 64 bits, and results of ties and of NaN as they come. */
const combinationsOf: OpInfoCall = ([x, r], { r: other, with_replacement: withReplacement }) =>
  nabla.combinations(x, { r: r ?? other ?? 2, withReplacement: withReplacement ?? false });

const calls: OpInfoCalls = {
  tensor_split: ([x, places, dim], { dim: other }) =>
    places instanceof nabla.Tensor ? 'positions as a tensor: a list' : nabla.tensorSplit(x, places, dim ?? other ?? 0),
  hsplit: split(nabla.hsplit),
  vsplit: split(nabla.vsplit),
  dsplit: split(nabla.dsplit),
  broadcast_tensors: spread(nabla.broadcastTensors),
  broadcast_to: plain(nabla.broadcastTo),
  expand_as: plain(nabla.expandAs),
  reshape_as: plain(nabla.reshapeAs),
  ravel: plain(nabla.ravel),
  sum_to_size: ([x, ...sizes]) => nabla.sumToSize(x, Array.isArray(sizes[0]) ? sizes[0] : sizes),
  column_stack: ([list]) => nabla.columnStack(list),
  block_diag: spread(nabla.blockDiag),
  cartesian_prod: spread(nabla.cartesianProd),
  combinations: combinationsOf,
  'linalg.vander': ([x], { N }) =>
    nabla.vander(x, { increasing: true, ...(N !== undefined && N !== null && { n: N }) }),
  addr: ([x, u, v], { alpha, beta }) => nabla.addr(x, u, v, { alpha: alpha ?? 1, beta: beta ?? 1 }),
  tril_indices: ([rows, columns, offset], options) =>
    nabla.trilIndices(rows, columns, offset ?? options['offset'] ?? 0),
  triu_indices: ([rows, columns, offset], options) =>
    nabla.triuIndices(rows, columns, offset ?? options['offset'] ?? 0),
  unravel_index: ([x, shape]) => nabla.unravelIndex(x, Array.isArray(shape) ? shape : [shape]),
  fliplr: plain(nabla.fliplr),
  flipud: plain(nabla.flipud),
  roll: ([x, shifts, dims], options) =>
    nabla.roll(x, shifts ?? options['shifts'], dims ?? options['dims'] ?? undefined),
  msort: plain(nabla.msort),
  select_scatter: plain(nabla.selectScatter),
  slice_scatter: ([x, source, dim, start, end, step], options) => {
    const given: Record<string, unknown> = { dim, start, end, step, ...options };
    return nabla.sliceScatter(
      x,
      source,
      Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined && v !== null)),
    );
  },
  diagonal_scatter: ([x, source, ...rest], { offset, dim1, dim2 }) =>
    nabla.diagonalScatter(x, source, rest[0] ?? offset ?? 0, rest[1] ?? dim1 ?? 0, rest[2] ?? dim2 ?? 1),
  put: ([x, index, source, accumulate], options) =>
    nabla.put(x, index, source, { accumulate: accumulate ?? options['accumulate'] ?? false }),
  masked_scatter: plain(nabla.maskedScatter),
  index_reduce: ([x, dim, index, source, reduce], { include_self: includeSelf, reduce: other }) =>
    nabla.indexReduce(x, dim, index, source, reduce ?? other, { includeSelf: includeSelf ?? true }),
  isin: ([x, others, invert], options) => nabla.isin(x, others, { invert: invert ?? options['invert'] ?? false }),
  unique_consecutive: ([x], { return_inverse: returnInverse, return_counts: returnCounts, dim }) =>
    nabla.uniqueConsecutive(x, {
      ...(returnInverse && { returnInverse }),
      ...(returnCounts && { returnCounts }),
      ...(dim !== null && dim !== undefined && { dim }),
    }),
  trapezoid: area(nabla.trapezoid),
  cumulative_trapezoid: area(nabla.cumulativeTrapezoid),
  gradient: ([y], { spacing, dim, edge_order: edgeOrder }) =>
    nabla.gradient(y, {
      ...(spacing !== undefined && spacing !== null && { spacing }),
      ...(dim !== undefined && dim !== null && { dim }),
      ...(edgeOrder !== undefined && { edgeOrder }),
    }),
  cov: ([x], { correction, fweights, aweights }) =>
    nabla.cov(x, {
      ...(correction !== undefined && { correction }),
      ...(fweights && { fweights }),
      ...(aweights && { aweights }),
    }),
  corrcoef: plain(nabla.corrcoef),
  dist: ([a, b, p], options) => nabla.dist(a, b, Number(p ?? options['p'] ?? 2)),
  'linalg.vecdot': ([a, b], { dim }) => nabla.vecdot(a, b, dim ?? -1),
  renorm: ([x, p, dim, most]) => nabla.renorm(x, p, dim, most),
  histogram: ([x, bins, ...rest], { range, weight, density }) => {
    const ends = rest[0] ?? range;
    return nabla.histogram(x, bins, {
      ...(ends && { range: ends }),
      ...(weight && { weight }),
      density: density ?? false,
    });
  },
  lgamma: plain(nabla.lgamma),
  digamma: plain(nabla.digamma),
  polygamma: ([x, n], options) => {
    // PyTorch's samples put the number behind the tensor
    const order = (typeof x === 'number' ? x : (n ?? options['n'])) as number;
    return nabla.polygamma(order, (typeof x === 'number' ? n : x) as Tensor);
  },
  mvlgamma: ([x, p], options) => nabla.mvlgamma(x, p ?? options['p']),
  i0: plain(nabla.i0),
  'special.i0e': plain(nabla.i0e),
  'special.i1': plain(nabla.i1),
  'special.i1e': plain(nabla.i1e),
  'special.erfcx': plain(nabla.erfcx),
  'special.ndtr': plain(nabla.ndtr),
  'special.log_ndtr': plain(nabla.logNdtr),
  'special.ndtri': plain(nabla.ndtri),
  'special.entr': plain(nabla.entr),
  'special.zeta': plain(nabla.zeta),
  // PyTorch's number next to one in float64 is not that in float32
  nextafter: ([a, b]) => (a.dtype === 'float32' ? 'exact bits: functions-more.test.ts' : nabla.nextafter(a, b)),
  ldexp: plain(nabla.ldexp),
  float_power: ([a, b]) => nabla.floatPower(a, b).to(b instanceof nabla.Tensor ? b.dtype : a.dtype),
  isposinf: plain(nabla.isposinf),
  isneginf: plain(nabla.isneginf),
  logspace: ([start, end, count, given], { base }) =>
    [start, end].some((v) => v instanceof nabla.Tensor)
      ? 'ends as tensors: numbers'
      : nabla.logspace(start, end, count, { base: given ?? base ?? 10 }),
  full_like: ([x, value]) => nabla.fullLike(x, Number(value)),
  diagflat: plain(nabla.diagflat, 'offset'),
  div: ([a, b], { rounding_mode: roundingMode }) => nabla.div(a, b, some({ roundingMode })),
  round: ([x, given], { decimals }) => nabla.round(x, given ?? decimals ?? 0),
  unfold: ([x, dim, size, step]) => nabla.slidingWindows(x, dim, size, step),
  'nn.functional.fractional_max_pool2d': ([x, kernel], options) =>
    fractional(nabla.fractionalMaxPool2d, x, kernel, options),
  'nn.functional.fractional_max_pool3d': ([x, kernel], options) =>
    fractional(nabla.fractionalMaxPool3d, x, kernel, options),
  'nn.functional.batch_norm': ([x, mean, variance, ...rest], { weight, bias, training, momentum, eps }) => {
    if (x.rank < 2) return 'a vector: needs channels';
    const given = some({ weight: rest[0] ?? weight, bias: rest[1] ?? bias, training, momentum, eps });
    return functional.batchNorm(x, mean?.detach(), variance?.detach(), given);
  },
  'nn.functional.instance_norm': ([x, mean], { weight, bias, eps, use_input_stats: own }) =>
    mean || own === false ? 'running statistics: batchNorm' : functional.instanceNorm(x, some({ weight, bias, eps })),
  'nn.functional.group_norm': ([x, groups], { weight, bias, eps }) =>
    functional.groupNorm(x, groups, some({ weight, bias, eps })),
  'nn.functional.layer_norm': ([x, sizes, ...rest], { weight, bias, eps }) =>
    functional.layerNorm(x, sizes, some({ weight: rest[0] ?? weight, bias: rest[1] ?? bias, eps })),
  'nn.functional.rms_norm': ([x, sizes, given], { weight, eps }) =>
    functional.rmsNorm(x, sizes, some({ weight: given ?? weight, eps })),
  'nn.functional.local_response_norm': ([x, size, ...rest], { alpha, beta, k }) =>
    functional.localResponseNorm(x, size, some({ alpha: rest[0] ?? alpha, beta: rest[1] ?? beta, k: rest[2] ?? k })),
  'nn.functional.linear': ([x, weight, bias], options) => functional.linear(x, weight, bias ?? options['bias']),
  'nn.functional.bilinear': ([a, b, weight, bias], options) =>
    functional.bilinear(a, b, weight, bias ?? options['bias'] ?? undefined),
  'nn.functional.channel_shuffle': plain(functional.channelShuffle),
  'nn.functional.triplet_margin_with_distance_loss': ([a, p, n], { margin, swap, reduction }) =>
    tripletMarginWithDistanceLoss(a, p, n, some({ margin, swap, reduction })),
};

opinfoParity('opinfo-more', calls, ['slice_scatter']);
