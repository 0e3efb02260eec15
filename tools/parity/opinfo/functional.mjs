// torch.nn.functional: layers, windows, losses: PyTorch's name → the call of nabla.

import * as n from 'nabla';
import * as nn from 'nabla/nn';
import { pairs } from './arranging.mjs';

const F = nn.functional;

const conv =
  (f) =>
  ({ input, weight, bias, stride, padding, dilation, groups }) =>
    f(input, weight, { bias, stride, padding, dilation, groups });
const convTranspose =
  (f) =>
  ({ input, weight, bias, stride, padding, outputPadding, groups, dilation }) =>
    f(input, weight, { bias, stride, padding, outputPadding, groups, dilation });
const maxPool =
  (f, withIndices) =>
  ({ input, kernelSize, stride, padding, dilation, ceilMode, returnIndices }) =>
    (returnIndices ? withIndices : f)(input, kernelSize, { stride: some(stride), padding, dilation, ceilMode });
const avgPool =
  (f) =>
  ({ input, kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride }) =>
    f(input, one(kernelSize), {
      stride: some(stride),
      padding: one(padding),
      ceilMode,
      countIncludePad,
      divisorOverride,
    });
/** A list of one number is that for all dimensions. */
const one = (value) => (Array.isArray(value) && value.length === 1 ? value[0] : value);
/** No stride at all is that of the kernel. */
const some = (stride) => (Array.isArray(stride) && stride.length === 0 ? undefined : one(stride));
const adaptiveMax =
  (f, withIndices) =>
  ({ input, outputSize, returnIndices }) =>
    (returnIndices ? withIndices : f)(input, sizes(outputSize));
/** A size that stays is null. */
const sizes = (outputSize) => (Array.isArray(outputSize) ? outputSize.map((size) => size ?? null) : outputSize);

const windows = {
  conv1d: conv((...args) => n.conv1d(...args)),
  conv2d: conv((...args) => n.conv2d(...args)),
  conv3d: conv((...args) => n.conv3d(...args)),
  conv_transpose1d: convTranspose((...args) => n.convTranspose1d(...args)),
  conv_transpose2d: convTranspose((...args) => n.convTranspose2d(...args)),
  conv_transpose3d: convTranspose((...args) => n.convTranspose3d(...args)),
  max_pool1d: maxPool(
    (...args) => n.maxPool1d(...args),
    (...args) => n.maxPool1dWithIndices(...args),
  ),
  max_pool2d: maxPool(
    (...args) => n.maxPool2d(...args),
    (...args) => n.maxPool2dWithIndices(...args),
  ),
  max_pool3d: maxPool(
    (...args) => n.maxPool3d(...args),
    (...args) => n.maxPool3dWithIndices(...args),
  ),
  avg_pool1d: avgPool((...args) => n.avgPool1d(...args)),
  avg_pool2d: avgPool((...args) => n.avgPool2d(...args)),
  avg_pool3d: avgPool((...args) => n.avgPool3d(...args)),
  adaptive_avg_pool1d: ({ input, outputSize }) => n.adaptiveAvgPool1d(input, sizes(outputSize)),
  adaptive_avg_pool2d: ({ input, outputSize }) => n.adaptiveAvgPool2d(input, sizes(outputSize)),
  adaptive_avg_pool3d: ({ input, outputSize }) => n.adaptiveAvgPool3d(input, sizes(outputSize)),
  adaptive_max_pool1d: adaptiveMax(
    (...args) => n.adaptiveMaxPool1d(...args),
    (...args) => n.adaptiveMaxPool1dWithIndices(...args),
  ),
  adaptive_max_pool2d: adaptiveMax(
    (...args) => n.adaptiveMaxPool2d(...args),
    (...args) => n.adaptiveMaxPool2dWithIndices(...args),
  ),
  adaptive_max_pool3d: adaptiveMax(
    (...args) => n.adaptiveMaxPool3d(...args),
    (...args) => n.adaptiveMaxPool3dWithIndices(...args),
  ),
  max_unpool1d: ({ input, indices, kernelSize, stride, padding, outputSize }) =>
    n.maxUnpool1d(input, indices, unpooled(1, input, kernelSize, stride, padding, outputSize)),
  max_unpool2d: ({ input, indices, kernelSize, stride, padding, outputSize }) =>
    n.maxUnpool2d(input, indices, unpooled(2, input, kernelSize, stride, padding, outputSize)),
  max_unpool3d: ({ input, indices, kernelSize, stride, padding, outputSize }) =>
    n.maxUnpool3d(input, indices, unpooled(3, input, kernelSize, stride, padding, outputSize)),
  unfold: ({ input, kernelSize, dilation, padding, stride }) =>
    n.unfold(input, kernelSize, { dilation, padding, stride }),
  pad: ({ input, pad, mode, value }) => n.pad(input, pairs(pad), { mode, value }),
  interpolate: ({ input, size, scaleFactor, mode, alignCorners, recomputeScaleFactor, antialias }) => {
    const given = recomputeScaleFactor ? { size: scaled(input, scaleFactor) } : { size, scaleFactor };
    return n.interpolate(input, { ...given, mode, alignCorners, antialias });
  },
  upsample_bilinear: ({ input, size, scaleFactor }) =>
    n.interpolate(input, { size, scaleFactor, mode: 'bilinear', alignCorners: true }),
  upsample_nearest: ({ input, size, scaleFactor }) => n.interpolate(input, { size, scaleFactor, mode: 'nearest' }),
  grid_sample: ({ input, grid, mode, paddingMode, alignCorners }) =>
    n.gridSample(input, grid, { mode, paddingMode, alignCorners }),
  pixel_shuffle: ({ input, upscaleFactor }) => new nn.PixelShuffle(upscaleFactor).forward(input),
  pixel_unshuffle: ({ input, downscaleFactor }) => new nn.PixelUnshuffle(downscaleFactor).forward(input),
};

/** The size that a factor gives. */
function scaled(input, factor) {
  return input.shape.slice(2).map((size, i) => Math.floor(size * (Array.isArray(factor) ? factor[i] : factor)));
}

/** The size that a layer computes for maxUnpool. */
function unpooled(axes, input, kernelSize, stride, padding, outputSize) {
  if (outputSize !== undefined) return outputSize.slice(-axes);
  const at = (value, i) => (Array.isArray(value) ? value[i] : value);
  const step = some(stride) ?? kernelSize;
  return input.shape
    .slice(-axes)
    .map((size, i) => (size - 1) * at(step, i) - 2 * (at(padding, i) ?? 0) + at(kernelSize, i));
}

/** What a layer gives with the tensors that are given as its own. */
function applied(layer, tensors, ...inputs) {
  const state = Object.entries(tensors).filter(([, t]) => t !== undefined);
  return nn.functionalCall(layer.to((state[0]?.[1] ?? inputs[0]).dtype), Object.fromEntries(state), ...inputs);
}
const mode = (layer, training) => (training === false ? layer.eval() : layer.train());

const layers = {
  linear: ({ input, weight, bias }) => F.linear(input, weight, bias),
  bilinear: ({ input1, input2, weight, bias }) => F.bilinear(input1, input2, weight, bias),
  layer_norm: ({ input, normalizedShape, weight, bias, eps }) =>
    F.layerNorm(input, normalizedShape, { weight, bias, eps }),
  rms_norm: ({ input, normalizedShape, weight, eps }) => F.rmsNorm(input, normalizedShape, { weight, eps }),
  group_norm: ({ input, numGroups, weight, bias, eps }) => F.groupNorm(input, numGroups, { weight, bias, eps }),
  instance_norm: ({ input, runningMean, runningVar, weight, bias, useInputStats, momentum, eps }) =>
    F.instanceNorm(input, { runningMean, runningVar, weight, bias, useInputStats, momentum, eps }),
  batch_norm: ({ input, runningMean, runningVar, weight, bias, training, momentum, eps }) =>
    F.batchNorm(input, runningMean, runningVar, { weight, bias, training, momentum, eps }),
  local_response_norm: ({ input, size, alpha, beta, k }) => F.localResponseNorm(input, size, { alpha, beta, k }),
  channel_shuffle: ({ input, groups }) => F.channelShuffle(input, groups),
  feature_alpha_dropout: ({ input, p, training }) => (training === true ? F.featureAlphaDropout(input, p) : input),
  dropout: ({ input, p, training }) => mode(new nn.Dropout(p), training).forward(input),
  dropout2d: ({ input, p, training }) => mode(new nn.Dropout2d(p), training).forward(input),
  dropout3d: ({ input, p, training }) => mode(new nn.Dropout3d(p), training).forward(input),
  alpha_dropout: ({ input, p, training }) => mode(new nn.AlphaDropout(p), training ?? false).forward(input),
  embedding: ({ weight, input, paddingIdx, maxNorm, normType, scaleGradByFreq }) =>
    applied(new nn.Embedding(...weight.shape, { paddingIdx, maxNorm, normType, scaleGradByFreq }), { weight }, input),
  embedding_bag: ({
    weight,
    input,
    offsets,
    maxNorm,
    normType,
    scaleGradByFreq,
    mode: way,
    perSampleWeights,
    includeLastOffset,
    paddingIdx,
  }) => {
    const options = { maxNorm, normType, scaleGradByFreq, mode: way, includeLastOffset, paddingIdx };
    return applied(new nn.EmbeddingBag(...weight.shape, options), { weight }, input, offsets, perSampleWeights);
  },
  scaled_dot_product_attention: ({ query, key, value, attnMask, dropoutP, isCausal, scale, enableGqa }) =>
    n.scaledDotProductAttention(query, key, value, { mask: attnMask, dropout: dropoutP, isCausal, scale, enableGqa }),
};

const losses = {
  cross_entropy: ({ input, target, weight, ignoreIndex, reduction, labelSmoothing }) =>
    nn.crossEntropy(input, target, { weight, ignoreIndex, reduction, labelSmoothing }),
  nll_loss: ({ input, target, weight, ignoreIndex, reduction }) =>
    nn.nllLoss(input, target, { weight, ignoreIndex, reduction }),
  binary_cross_entropy: ({ input, target, weight, reduction }) => nn.bceLoss(input, target, { weight, reduction }),
  binary_cross_entropy_with_logits: ({ input, target, weight, reduction, posWeight }) =>
    nn.bceWithLogits(input, target, { weight, reduction, posWeight }),
  kl_div: ({ input, target, reduction, logTarget }) =>
    nn.klDivLoss(input, target, { reduction: reduction === 'batchmean' ? 'batchMean' : reduction, logTarget }),
  mse_loss: ({ input, target, reduction }) => nn.mseLoss(input, target, { reduction }),
  l1_loss: ({ input, target, reduction }) => nn.l1Loss(input, target, { reduction }),
  smooth_l1_loss: ({ input, target, reduction, beta }) => nn.smoothL1Loss(input, target, { reduction, beta }),
  huber_loss: ({ input, target, reduction, delta }) => nn.huberLoss(input, target, { reduction, delta }),
  poisson_nll_loss: ({ input, target, logInput, full, eps, reduction }) =>
    nn.poissonNllLoss(input, target, { logInput, full, eps, reduction }),
  gaussian_nll_loss: ({ input, target, var: variance, full, eps, reduction }) =>
    nn.gaussianNllLoss(input, target, variance, { full, eps, reduction }),
  cosine_embedding_loss: ({ input1, input2, target, margin, reduction }) =>
    nn.cosineEmbeddingLoss(input1, input2, target, { margin, reduction }),
  margin_ranking_loss: ({ input1, input2, target, margin, reduction }) =>
    nn.marginRankingLoss(input1, input2, target, { margin, reduction }),
  hinge_embedding_loss: ({ input, target, margin, reduction }) =>
    nn.hingeEmbeddingLoss(input, target, { margin, reduction }),
  multilabel_margin_loss: ({ input, target, reduction }) => nn.multilabelMarginLoss(input, target, { reduction }),
  multilabel_soft_margin_loss: ({ input, target, weight, reduction }) =>
    nn.multilabelSoftMarginLoss(input, target, { weight, reduction }),
  multi_margin_loss: ({ input, target, p, margin, weight, reduction }) =>
    nn.multiMarginLoss(input, target, { p, margin, weight, reduction }),
  soft_margin_loss: ({ input, target, reduction }) => nn.softMarginLoss(input, target, { reduction }),
  triplet_margin_loss: ({ anchor, positive, negative, margin, p, eps, swap, reduction }) =>
    nn.tripletMarginLoss(anchor, positive, negative, { margin, p, eps, swap, reduction }),
  triplet_margin_with_distance_loss: ({ anchor, positive, negative, margin, swap, reduction }) =>
    nn.tripletMarginWithDistanceLoss(anchor, positive, negative, { margin, swap, reduction }),
  ctc_loss: ({ logProbs, targets, inputLengths, targetLengths, blank, reduction, zeroInfinity }) =>
    nn.ctcLoss(logProbs, targets, inputLengths, targetLengths, { blank, reduction, zeroInfinity }),
};

const within = (prefix, rows) => Object.fromEntries(Object.entries(rows).map(([name, call]) => [prefix + name, call]));

export const FUNCTIONAL = within('nn.functional.', { ...windows, ...layers, ...losses });
