// The public surface of `nabla`: tensors, gradients, compile, devices. Wiring only.

export type { DType, DataOf, FloatDType } from './engine/ir/dtype.js';
export type { Shape } from './engine/ir/shape.js';
export {
  ArgumentError,
  CaptureError,
  DTypeError,
  DeviceError,
  FormatError,
  GradError,
  IndexError,
  InternalError,
  NablaError,
  OutOfMemoryError,
  ShapeError,
  StaleTensorError,
} from './engine/ir/errors.js';
export {
  Tensor,
  realize,
  show,
  type AnyTensor,
  type Extreme,
  type IndexArgument,
  type Promoted,
  type DTypeOption,
  type ReduceOptions,
  type SumOptions,
} from './tensor/tensor.js';
export * from './tensor/creation.js';
export * from './tensor/functions.js';
export {
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type ConvArguments,
  type ConvTransposeArguments,
} from './tensor/convolution.js';
export type { ConvOptions, Padding, PerAxis, PoolOptions } from './tensor/windows.js';
export {
  avgPool1d,
  avgPool2d,
  avgPool3d,
  lpPool1d,
  lpPool2d,
  lpPool3d,
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2d,
  maxPool2dWithIndices,
  maxPool3d,
  maxPool3dWithIndices,
  type AvgPoolOptions,
  type LpPoolOptions,
  type WithIndices,
} from './tensor/pooling.js';
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dWithIndices,
  adaptiveMaxPool3d,
  adaptiveMaxPool3dWithIndices,
} from './tensor/adaptive-pooling.js';
export { maxUnpool1d, maxUnpool2d, maxUnpool3d } from './tensor/unpooling.js';
export * from './functions/bits.js';
export * from './functions/chains.js';
export * from './functions/comparison.js';
export * from './functions/distances.js';
export {
  cosineSimilarity,
  matrixNorm,
  norm,
  normalize,
  vectorNorm,
  type CosineSimilarityOptions,
  type MatrixNorm,
  type MatrixNormOptions,
  type NormalizeOptions,
} from './functions/norms.js';
export { pad, type PadMode, type PadOptions, type PadPair } from './functions/padding.js';
export * from './functions/pairs.js';
export { fold, slidingWindows, unfold, type PatchOptions } from './functions/patches.js';
export * from './functions/sampling.js';
export * from './functions/products.js';
export * from './functions/random.js';
export * from './functions/special.js';
export * from './functions/gamma.js';
export * from './functions/bessel.js';
export * from './functions/normal-distribution.js';
export * from './functions/splitting.js';
export * from './functions/broadcasting.js';
export * from './functions/combining.js';
export * from './functions/index-lists.js';
export * from './functions/flipping.js';
export * from './functions/writing-parts.js';
export * from './functions/membership.js';
export * from './functions/integrals.js';
export * from './functions/covariance.js';
export * from './functions/histograms.js';
export * from './functions/floats.js';
export * from './functions/rounding.js';
export * from './functions/fractional-pooling.js';
export * from './functions/distributions.js';
export type { DrawOptions } from './functions/draws.js';
export { einsum } from './functions/einsum.js';
export { dropout } from './tensor/dropout.js';
export { interpolate, type InterpolateOptions, type ResampleMode } from './tensor/resample.js';
export { scaledDotProductAttention, type AttentionOptions } from './tensor/attention.js';
export * from './functions/arranging.js';
export * from './functions/diagonals.js';
export { noGrad } from './tensor/grad-mode.js';
export { defaultDType, setDefaultDType } from './tensor/operands.js';
export { manualSeed, getRandomState, setRandomState } from './tensor/random.js';
export { checkGradient, type CheckOptions, type GradientCheck } from './tensor/check-gradient.js';
export { compile, type CompiledFunction } from './tensor/compile.js';
export { grad, jvp, linearize, valueAndGrad, vjp, type ArgumentNumbers, type GradOptions } from './tensor/autograd.js';
export { hessian, hvp, jacfwd, jacobian, jacrev, vhp, type JacobianOptions } from './tensor/jacobians.js';
export { vmap, type BatchDims, type VmapOptions } from './tensor/vmap.js';
export type { Tree, TreeLike } from './tensor/trees.js';
export type { HookHandle } from './tensor/gradient-hooks.js';
export { customOp, type CustomContext, type CustomOp } from './tensor/custom-op.js';
export {
  devices,
  engineStats,
  getDefaultDevice,
  graphOf,
  memoryStats,
  setDevice,
  type DeviceInfo,
  type Graph,
  type GraphNode,
  type GraphOptions,
} from './tensor/inspect.js';
export { configure, disposeDevices, type Configuration } from './engine/engine.js';
export * from './functions/arranging.js';
export * from './functions/diagonals.js';
export { maskedFill, maskedSelect, nonzero, take, takeAlongDim } from './functions/selecting.js';
export { indexAdd, indexCopy, indexFill, indexPut, scatter } from './functions/writing.js';
export { scatterReduce } from './functions/scatter-reduce.js';
export * from './functions/running.js';
export * from './functions/order.js';
export * from './functions/statistics.js';
export * from './functions/searching.js';
export { angle, complex, complexAbs, complexAngle, complexMul, conj, imag, polar, real } from './functions/complex.js';
export * from './functions/fourier.js';
export * from './functions/frequencies.js';
export * from './functions/spectra.js';
export * from './functions/signal-windows.js';
export * from './functions/counting.js';
