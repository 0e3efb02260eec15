// The public surface of `nabla/optim`.

export {
  Optimizer,
  type Clock,
  type Group,
  type OptimizerState,
  type ParamGroup,
  type Params,
  type Slots,
} from './optimizer.js';
export { SGD, type SGDOptions } from './sgd.js';
export { Adam, AdamW, type AdamOptions } from './adam.js';
export {
  Adamax,
  NAdam,
  RAdam,
  type AdamVariantOptions,
  type DecoupledOptions,
  type NAdamOptions,
} from './adam-variants.js';
export {
  Adadelta,
  Adagrad,
  RMSprop,
  type AdadeltaOptions,
  type AdagradOptions,
  type RMSpropOptions,
} from './adaptive.js';
export { clipGradNorm_, clipGradValue_, getTotalNorm, maxNorm_, type ClipOptions } from './clip.js';
export { WeightAverage, type WeightAverageOptions, type WeightAverageState } from './average.js';
export {
  chained,
  cosine,
  cosineRestarts,
  cyclic,
  exponentialDecay,
  inverseSqrtDecay,
  inverseSqrtWarmup,
  inverseTimeDecay,
  linear,
  multiStepDecay,
  oneCycle,
  polynomialDecay,
  sequence,
  stepDecay,
  table,
  type CyclicOptions,
  type OneCycleOptions,
  type Schedule,
} from './schedule.js';
export { LRScheduler, ReduceLROnPlateau, type HasRates, type PlateauOptions, type PlateauState } from './scheduler.js';
