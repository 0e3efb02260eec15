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
export { layerwiseGroups, type LayerwiseGroup, type LayerwiseOptions } from './layerwise.js';
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
export { alongLine } from './line-search/along-line.js';
export {
  backtracking,
  exactStep,
  goldstein,
  type BacktrackingOptions,
  type ExactOptions,
  type GoldsteinOptions,
} from './line-search/backtracking.js';
export type {
  LineFunction,
  LinePoint,
  LineSearchOptions,
  LineSearchReason,
  LineSearchResult,
} from './line-search/line.js';
export { strongWolfe, type StrongWolfeOptions } from './line-search/strong-wolfe.js';
export type { LineSearchName } from './minimize/descent.js';
export type { ConjugateFormula } from './minimize/first-order.js';
export { minimize, type MinimizeMethod, type MinimizeOptions, type MinimizeResult } from './minimize/minimize.js';
export type { IterationRecord, SearchOptions, StopReason } from './minimize/search.js';
export type { SearchStart, SearchPoint } from './minimize/unknowns.js';
export {
  leastSquares,
  type LeastSquaresMethod,
  type LeastSquaresOptions,
  type LeastSquaresResult,
} from './least-squares/least-squares.js';
export type { RobustLoss } from './least-squares/loss.js';
export type { JacobianMode } from './least-squares/residuals.js';
export { ClosureOptimizer, type HostState, type StepReport } from './closure/closure-optimizer.js';
export { LBFGS, type LBFGSOptions, type LossClosure } from './closure/lbfgs.js';
export {
  GaussNewton,
  LevenbergMarquardt,
  NewtonCG,
  type ForwardClosure,
  type GaussNewtonOptions,
  type LevenbergMarquardtOptions,
  type NewtonCGOptions,
} from './closure/second-order.js';
export {
  admmConsensus,
  admmLasso,
  type AdmmOptions,
  type AdmmReason,
  type AdmmRecord,
  type AdmmResult,
} from './constrained/admm.js';
export {
  minimizeConstrained,
  type ConstrainedMethod,
  type ConstrainedOptions,
  type ConstrainedResult,
} from './constrained/minimize-constrained.js';
export type { ConstrainedLimits, ConstrainedReason, ConstrainedRecord } from './constrained/run.js';
export {
  simulatedAnnealing,
  type AnnealingOptions,
  type AnnealingResult,
  type SearchRandom,
} from './sampling/annealing.js';
export { effectiveSampleSize, rHat, type Chains } from './sampling/chains.js';
export { evolve, evolveBits, type GeneticOptions, type GeneticResult } from './sampling/genetic.js';
export { metropolisHastings, type MetropolisOptions, type MetropolisResult } from './sampling/metropolis-hastings.js';
