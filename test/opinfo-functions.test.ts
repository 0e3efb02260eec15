// Functions against the samples of PyTorch's own operator tests (OpInfo): test/fixtures/opinfo-functions.json, made by
// tools/parity/opinfo.py. NABLA_OPINFO names a file of all samples instead.
import * as nabla from 'nabla';
import type { Tensor } from 'nabla';
import { type OpInfoCall, type OpInfoCalls, opinfoParity } from './support/opinfo.js';

type Whole = Tensor<number[], 'int32'>;

/** As it is: the tensor and the other arguments, options by the same names. */
const plain =
  (fn: unknown, ...names: string[]): OpInfoCall =>
  (args, options) => {
    const list = [...args];
    names.forEach((name, i) => (list[i + 1] = args[i + 1] ?? options[name]));
    return Reflect.apply(fn as OpInfoCall, undefined, list.map((v) => v ?? undefined) as never) as unknown;
  };
/** A dimension, and options. */
const alongDim =
  (fn: unknown, ...names: string[]): OpInfoCall =>
  ([x, ...rest], options) => {
    const dim = rest[0] ?? options['dim'] ?? undefined;
    const given: Record<string, unknown> = {};
    names.forEach((name, i) => {
      const value = rest[i + 1] ?? options[name];
      if (value !== undefined && value !== null) given[name] = value;
    });
    return Reflect.apply(fn as OpInfoCall, undefined, [x, dim, given] as never) as unknown;
  };
const listed =
  (fn: unknown): OpInfoCall =>
  ([list]) =>
    Reflect.apply(fn as OpInfoCall, undefined, [list] as never) as unknown;

/** PyTorch's `unbiased`, an older name of the correction. */
const spread =
  (fn: unknown): OpInfoCall =>
  (args, { unbiased, correction, ...options }) => {
    const [x, first, second] = args;
    const flag = typeof first === 'boolean' ? first : typeof second === 'boolean' ? second : unbiased;
    const dim = typeof first === 'boolean' ? undefined : first;
    const divisor = flag === undefined ? (correction ?? 1) : Number(flag);
    return alongDim(fn, 'correction', 'keepdim')([x, dim as never], { ...options, correction: divisor });
  };
const quantile =
  (fn: typeof nabla.quantile): OpInfoCall =>
  ([x, q, ...rest], options) =>
    alongDim(
      (t: Tensor, dim: number, given: object) => fn(t, q as number, dim, given),
      'keepdim',
      'interpolation',
    )([x, ...rest], options);
/** Positions that are masks or single numbers there. */
const isMask = ({ dtype }: nabla.AnyTensor): boolean => dtype === 'bool';

const calls: OpInfoCalls = {
  index_add: ([x, dim, index, source], { alpha }) => nabla.indexAdd(x, dim, index, source, { alpha: alpha ?? 1 }),
  index_copy: plain(nabla.indexCopy),
  index_fill: ([x, dim, index, value]) => nabla.indexFill(x, dim, index, value),
  index_put: ([x, indices, values], { accumulate }) =>
    (indices as Whole[]).some(isMask)
      ? 'a mask: where or maskedFill'
      : nabla.indexPut(x, indices, values, { accumulate: accumulate ?? false }),
  scatter: ([x, dim, index, source], { value, reduce }) =>
    reduce !== undefined ? 'reduce: scatterReduce' : nabla.scatter(x, dim, index, source ?? value),
  scatter_reduce: ([x, dim, index, source, reduce], { include_self }) =>
    nabla.scatterReduce(x, dim, index, source, reduce, { includeSelf: include_self ?? true }),
  take: plain(nabla.take),
  take_along_dim: plain(nabla.takeAlongDim, 'indices', 'dim'),
  masked_fill: plain(nabla.maskedFill),
  masked_select: plain(nabla.maskedSelect),
  nonzero: async ([x], { as_tuple }) => {
    const rows = await nabla.nonzero(x);
    if (as_tuple !== true) return rows;
    // of a number one vector, of no rank
    return x.rank === 0 ? [nabla.zeros([rows.shape[0]], { dtype: 'int32' })] : nabla.unbind(rows, 1);
  },
  argwhere: ([x]) => nabla.nonzero(x),
  repeat: ([x, ...counts]) => nabla.repeat(x, (Array.isArray(counts[0]) ? counts[0] : counts) as number[]),
  tile: ([x, counts]) => nabla.tile(x, counts),
  repeat_interleave: ([x, given, dim], options) => {
    const repeats = (given ?? options['repeats']) as number | Whole;
    if (typeof repeats !== 'number') return 'repeats as a tensor: a list';
    return nabla.repeatInterleave(x, repeats, (dim ?? options['dim'] ?? undefined) as number | undefined);
  },
  meshgrid: ([first, ...rest], { indexing }) =>
    nabla.meshgrid((Array.isArray(first) ? first : [first, ...rest]) as Tensor[], { indexing: indexing ?? 'ij' }),
  unbind: plain(nabla.unbind),
  movedim: plain(nabla.movedim),
  diagonal: plain(nabla.diagonal, 'offset', 'dim1', 'dim2'),
  diag: plain(nabla.diag, 'diagonal'),
  diag_embed: plain(nabla.diagEmbed, 'offset', 'dim1', 'dim2'),
  trace: plain(nabla.trace),
  narrow: ([x, dim, start, length]) =>
    typeof start === 'number' ? nabla.narrow(x, dim, start, length) : 'start as a tensor: a number',
  select: plain(nabla.select),
  hstack: listed(nabla.hstack),
  vstack: listed(nabla.vstack),
  dstack: listed(nabla.dstack),
  rot90: plain(nabla.rot90),
  unflatten: plain(nabla.unflatten),
  atleast_1d: ([x]) => (Array.isArray(x) ? x.map((t: Tensor) => nabla.atleast1d(t)) : nabla.atleast1d(x)),
  atleast_2d: ([x]) => (Array.isArray(x) ? x.map((t: Tensor) => nabla.atleast2d(t)) : nabla.atleast2d(x)),
  atleast_3d: ([x]) => (Array.isArray(x) ? x.map((t: Tensor) => nabla.atleast3d(t)) : nabla.atleast3d(x)),
  median: alongDim(nabla.median, 'keepdim'),
  nanmedian: alongDim(nabla.nanmedian, 'keepdim'),
  quantile: quantile(nabla.quantile),
  nanquantile: quantile(nabla.nanquantile),
  mode: alongDim(nabla.mode, 'keepdim'),
  kthvalue: ([x, k, ...rest], options) =>
    alongDim((t: Tensor, dim: number, given: object) => nabla.kthvalue(t, k, dim, given), 'keepdim')(
      [x, ...rest],
      options,
    ),
  unique: ([x], { return_inverse: returnInverse, return_counts: returnCounts, dim }) =>
    nabla.unique(x, {
      ...(returnInverse && { returnInverse }),
      ...(returnCounts && { returnCounts }),
      ...(dim !== null && { dim }),
    }),
  bincount: ([x], { weights, minlength }) =>
    nabla.bincount(x, { ...(weights !== null && { weights: weights.detach() }), minLength: minlength }),
  histc: ([x], { bins, min, max }) => nabla.histc(x, bins ?? 100, { min: min ?? 0, max: max ?? 0 }),
  searchsorted: ([x, values], { right, side, sorter }) =>
    sorter !== undefined && sorter !== null
      ? 'sorter: takeAlongDim'
      : nabla.searchsorted(x.detach(), typeof values === 'number' ? values : values.detach(), {
          right: right === true || side === 'right',
        }),
  bucketize: ([values, boundaries], { right }) =>
    nabla.bucketize(values.detach(), boundaries.detach(), { right: right ?? false }),
  cumprod: plain(nabla.cumprod, 'dim'),
  cummax: plain(nabla.cummax, 'dim'),
  cummin: plain(nabla.cummin, 'dim'),
  logcumsumexp: plain(nabla.logcumsumexp, 'dim'),
  count_nonzero: ([x], { dim }) => nabla.countNonzero(x, dim ?? undefined),
  std_mean: spread(nabla.stdMean),
  var_mean: spread(nabla.varMean),
  diff: ([x, n, dim, prepend, append]) =>
    nabla.diff(x, { n, dim, ...(prepend !== null && { prepend }), ...(append !== null && { append }) }),
  nansum: alongDim(nabla.nansum, 'keepdim'),
  nanmean: alongDim(nabla.nanmean, 'keepdim'),
  aminmax: ([x], { dim, keepdim }) =>
    nabla.aminmax(x, { ...(typeof dim === 'number' && { dim }), keepdim: keepdim ?? false }),
  clone: plain(nabla.clone),
};

opinfoParity('opinfo-functions', calls);
