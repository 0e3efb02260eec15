// The search for hyper-parameters, a part of `nabla/train`.

export { choice, integer, logUniform, uniform, type Dimension, type ParamsOf, type Space } from './space.js';
export {
  bayesianSearch,
  gridSearch,
  randomSearch,
  refineSearch,
  type BayesianOptions,
  type Observation,
  type RefineOptions,
  type Strategy,
} from './strategy.js';
export { successiveHalving, type HalvingOptions, type Pruner, type Reports } from './pruner.js';
export { search, type Objective, type RunningTrial, type SearchOptions, type Study } from './study.js';
export type { Direction, Trial, TrialState } from './trial.js';
export { formatStudy, type TableOptions } from './table.js';
export { studyCharts } from './charts.js';
