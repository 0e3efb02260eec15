/* oxlint-disable import/namespace -- functions are looked up by their names */
// Products, element-wise functions, norms, distances, losses and padding against the samples of PyTorch's own operator tests (OpInfo):
// test/fixtures/opinfo-composed.json, made by tools/parity/opinfo.py. NABLA_OPINFO names a file of all samples instead.
import * as nabla from 'nabla';
import * as nn from 'nabla/nn';
import { type OpInfoCall, type OpInfoCalls, opinfoParity } from './support/opinfo.js';

type Given = Record<string, unknown>;

const camel = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Options by nabla's names; what is not given, or None, is left out. */
const options = (given: Given): Given =>
  Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [camel(name), value]),
  );
const called = (fn: unknown, ...args: unknown[]): unknown =>
  Reflect.apply(fn as OpInfoCall, undefined, args as never) as unknown;

/** `count` arguments, and options: those that PyTorch takes by place have the names. */
const withOptions =
  (fn: unknown, count: number, ...names: string[]): OpInfoCall =>
  (args, given) => {
    const rest = Object.fromEntries(args.slice(count).map((value: unknown, i: number) => [names[i], value]));
    const all = options({ ...rest, ...given });
    return Object.keys(all).length > 0 ? called(fn, ...args.slice(0, count), all) : called(fn, ...args.slice(0, count));
  };
/** As it is. */
const plain =
  (fn: unknown): OpInfoCall =>
  (args) =>
    called(fn, ...args);
/** Indices and labels may have been made for the test alone: no gradient. */
const detached = (t: nabla.Tensor): nabla.Tensor => t.detach();
const infinite = (p: unknown): unknown => (p === 'inf' ? Infinity : p === '-inf' ? -Infinity : p);

const one = Object.fromEntries(
  ['erfc', 'erfinv', 'exp2', 'asinh', 'acosh', 'atanh', 'sinc', 'deg2rad', 'rad2deg', 'frac', 'signbit'].map((name) => [
    name,
    plain(nabla[name as 'erfc']),
  ]),
);

const functional: OpInfoCalls = {
  pdist: ([x, p], { p: named }) => nabla.pdist(x, p ?? named ?? 2),
  pairwise_distance: withOptions(nabla.pairwiseDistance, 2),
  normalize: withOptions(nabla.normalize, 1),
  cosine_similarity: withOptions(nabla.cosineSimilarity, 2),
  pad: ([x, flat, mode, value], given) => {
    const sides = flat as number[];
    const pairs = Array.from({ length: sides.length / 2 }, (_, i) => sides.slice(2 * i, 2 * i + 2)).reverse();
    return called(nabla.pad, x, pairs, options({ mode, value, ...given }));
  },
  unfold: withOptions(nabla.unfold, 2, 'dilation', 'padding', 'stride'),
  grid_sample: ([x, grid], given) =>
    given.mode === 'bicubic' ? 'bicubic: bilinear or nearest' : called(nabla.gridSample, x, grid, options(given)),
  ctc_loss: withOptions(nn.ctcLoss, 4),
  cosine_embedding_loss: ([a, b, labels], given) =>
    called(nn.cosineEmbeddingLoss, a, b, detached(labels as nabla.Tensor), options(given)),
  margin_ranking_loss: withOptions(nn.marginRankingLoss, 3),
  hinge_embedding_loss: withOptions(nn.hingeEmbeddingLoss, 2),
  poisson_nll_loss: withOptions(nn.poissonNllLoss, 2),
  gaussian_nll_loss: ([x, target, variance], given) =>
    x.shape.join() === target.shape.join()
      ? called(nn.gaussianNllLoss, x, target, variance, options(given))
      : 'a target of the same shape, as of all losses',
  multilabel_margin_loss: ([x, labels], given) =>
    x.rank === 0 ? 'scores of no rank' : called(nn.multilabelMarginLoss, x, labels, options(given)),
  multilabel_soft_margin_loss: withOptions(nn.multilabelSoftMarginLoss, 2),
  multi_margin_loss: ([x, labels], given) =>
    x.rank === 0 ? 'scores of no rank' : called(nn.multiMarginLoss, x, labels, options(given)),
  soft_margin_loss: withOptions(nn.softMarginLoss, 2),
  triplet_margin_loss: withOptions(nn.tripletMarginLoss, 3),
};

const calls: OpInfoCalls = {
  ...one,
  ...Object.fromEntries(Object.entries(functional).map(([name, call]) => [`nn.functional.${name}`, call])),
  einsum: ([operands, equation]) => nabla.einsum(equation, ...(operands as nabla.Tensor[])),
  outer: plain(nabla.outer),
  dot: plain(nabla.dot),
  vdot: plain(nabla.vdot),
  inner: plain(nabla.inner),
  mv: plain(nabla.mv),
  mm: plain(nabla.mm),
  bmm: plain(nabla.bmm),
  addmm: withOptions(nabla.addmm, 3),
  addmv: withOptions(nabla.addmv, 3),
  addbmm: withOptions(nabla.addbmm, 3),
  baddbmm: withOptions(nabla.baddbmm, 3),
  tensordot: ([a, b, dims], given) => nabla.tensordot(a, b, dims ?? given.dims),
  kron: plain(nabla.kron),
  'linalg.cross': ([a, b], { dim }) => nabla.cross(a, b, dim ?? -1),
  'linalg.multi_dot': ([list]) => nabla.multiDot(list),
  'linalg.matrix_power': ([x, n]) => (n < 0 ? 'an inverse' : nabla.matrixPower(x, n)),
  isclose: withOptions(nabla.isclose, 2),
  nan_to_num: withOptions(nabla.nanToNum, 1, 'nan', 'posinf', 'neginf'),
  atan2: plain(nabla.atan2),
  fmod: plain(nabla.fmod),
  logaddexp: plain(nabla.logaddexp),
  logaddexp2: plain(nabla.logaddexp2),
  logit: plain(nabla.logit),
  xlogy: plain(nabla.xlogy),
  'special.xlog1py': plain(nabla.xlog1py),
  hypot: plain(nabla.hypot),
  copysign: plain(nabla.copysign),
  heaviside: plain(nabla.heaviside),
  fmax: plain(nabla.fmax),
  fmin: plain(nabla.fmin),
  clamp: ([x, min, max], given) => {
    const [low, high] = [min ?? given.min ?? undefined, max ?? given.max ?? undefined];
    return called(nabla.clamp, x, low, high);
  },
  lerp: plain(nabla.lerp),
  addcmul: withOptions(nabla.addcmul, 3),
  addcdiv: withOptions(nabla.addcdiv, 3),
  bitwise_and: plain(nabla.bitwiseAnd),
  bitwise_or: plain(nabla.bitwiseOr),
  bitwise_xor: plain(nabla.bitwiseXor),
  bitwise_not: plain(nabla.bitwiseNot),
  bitwise_left_shift: plain(nabla.bitwiseLeftShift),
  bitwise_right_shift: plain(nabla.bitwiseRightShift),
  gcd: plain(nabla.gcd),
  lcm: plain(nabla.lcm),
  cdist: ([a, b, p, computeMode]) =>
    nabla.cdist(a, b, { p: infinite(p) as number, ...(computeMode !== null && { computeMode }) }),
  'linalg.vector_norm': ([x], { ord, dim, keepdim }) =>
    nabla.vectorNorm(x, (infinite(ord) ?? 2) as number, dim ?? undefined, { keepdim: keepdim ?? false }),
  'linalg.matrix_norm': ([x, ord, dim, keepdim]) =>
    [2, -2, 'nuc'].includes(ord as never)
      ? 'singular values'
      : nabla.matrixNorm(x, (infinite(ord) ?? 'fro') as 'fro', { dim: dim ?? [-2, -1], keepdim: keepdim ?? false }),
  norm: ([x, p, dim, keepdim], given) =>
    (p ?? given.p) === 'nuc'
      ? 'singular values'
      : nabla.norm(x, (infinite(p ?? given.p) ?? 'fro') as 'fro', dim ?? given.dim ?? undefined, {
          keepdim: keepdim ?? given.keepdim ?? false,
        }),
};

opinfoParity('opinfo-composed', calls);
