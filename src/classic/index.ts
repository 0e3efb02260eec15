// The public surface of `nabla/classic`.

export type { Label, Labels } from './labels.js';
export { type Rows, type Table, type Targets, tableOf } from './rows.js';
export {
  Classifier,
  Estimator,
  InvertibleTransformer,
  type Labelled,
  NotFittedError,
  Regressor,
  Transformer,
} from './estimator.js';
export { loadEstimator } from './load.js';
export { MinMaxScaler, type MinMaxScalerOptions, StandardScaler, type StandardScalerOptions } from './scalers.js';
export { type CategoryRows, OneHotEncoder, type OneHotOptions } from './one-hot-encoder.js';
export { type ClassifierPipeline, type RegressorPipeline, type TransformerPipeline, pipeline } from './pipeline.js';
export { type CrossValidateOptions, type CrossValidation, type Predictor, crossValidate } from './cross-validate.js';
export { type Grid, type GridResult, type GridSearchOptions, gridSearch } from './grid-search.js';
export {
  type FoundNeighbours,
  KNeighborsClassifier,
  KNeighborsRegressor,
  type NeighbourOptions,
} from './k-neighbours.js';
export type { Distance } from './neighbours.js';
export { KMeans, type KMeansOptions } from './k-means.js';
export type { KMeansReason } from './clusters/lloyd.js';
export { PCA, type PcaOptions } from './pca.js';
export { LinearRegression, type LinearRegressionOptions } from './linear-regression.js';
export { Ridge, type RidgeOptions } from './ridge.js';
export { Lasso, type LassoOptions } from './lasso.js';
export { LogisticRegression } from './logistic-regression.js';
export { SoftmaxRegression } from './softmax-regression.js';
export type { LogisticOptions } from './logistic/model.js';
export type { SolverReason } from './logistic/solvers.js';
export { LinearSVM, type LinearSvmOptions } from './linear-svm.js';
export { GaussianNaiveBayes, type NaiveBayesOptions } from './naive-bayes.js';
export {
  DecisionTreeClassifier,
  DecisionTreeRegressor,
  type GrownTree,
  type MaxFeatures,
  type TreeClassifierOptions,
  type TreeRegressorOptions,
} from './decision-tree.js';
export {
  BaggingClassifier,
  type BaggingClassifierOptions,
  BaggingRegressor,
  type BaggingRegressorOptions,
} from './bagging.js';
export {
  VotingClassifier,
  type VotingClassifierOptions,
  VotingRegressor,
  type VotingRegressorOptions,
} from './voting.js';
export { type AverageOptions, type Network, NetworkAverage, averageNetworks } from './average-networks.js';
export {
  type FitChartOptions,
  type RegionOptions,
  type StepOptions,
  componentImages,
  decisionRegions,
  kMeansSteps,
  regressionChart,
} from './pictures.js';
