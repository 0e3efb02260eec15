// Which estimators there are, by name: files name them.

import { FormatError, NablaError, wrongKind } from '../tensor/library.js';
import { BaggingClassifier, BaggingRegressor } from './bagging.js';
import { DecisionTreeClassifier, DecisionTreeRegressor } from './decision-tree.js';
import { Estimator, type Fitted } from './estimator.js';
import { KMeans } from './k-means.js';
import { KNeighborsClassifier, KNeighborsRegressor } from './k-neighbours.js';
import { Lasso } from './lasso.js';
import { LinearRegression } from './linear-regression.js';
import { LinearSVM } from './linear-svm.js';
import { LogisticRegression } from './logistic-regression.js';
import { GaussianNaiveBayes } from './naive-bayes.js';
import { OneHotEncoder } from './one-hot-encoder.js';
import { PCA } from './pca.js';
import { ClassifierPipeline, RegressorPipeline, TransformerPipeline } from './pipeline.js';
import { Ridge } from './ridge.js';
import { MinMaxScaler, StandardScaler } from './scalers.js';
import { SoftmaxRegression } from './softmax-regression.js';
import { isUint8Array } from '../tensor/typed-arrays.js';
import { readEstimator } from './stored.js';
import { VotingClassifier, VotingRegressor } from './voting.js';

/** Makes an estimator of the options that it was saved with. */
type Make = new (options: never) => Estimator;

const CLASSES: Readonly<Record<string, Make>> = {
  BaggingClassifier,
  BaggingRegressor,
  ClassifierPipeline,
  DecisionTreeClassifier,
  DecisionTreeRegressor,
  GaussianNaiveBayes,
  KMeans,
  KNeighborsClassifier,
  KNeighborsRegressor,
  Lasso,
  LinearRegression,
  LinearSVM,
  LogisticRegression,
  MinMaxScaler,
  OneHotEncoder,
  PCA,
  RegressorPipeline,
  Ridge,
  SoftmaxRegression,
  StandardScaler,
  TransformerPipeline,
  VotingClassifier,
  VotingRegressor,
};

function revive(name: string, options: Readonly<Record<string, unknown>>, state: unknown): Estimator {
  if (!Object.hasOwn(CLASSES, name)) throw new FormatError(`loadEstimator: there is no estimator '${name}'.`);
  const Class = CLASSES[name];
  let made: Estimator;
  try {
    made = new Class(options as never); // from a file: the constructor checks them
  } catch (error) {
    if (!(error instanceof NablaError)) throw error;
    throw new FormatError(`loadEstimator: the options of the ${name} are damaged: ${error.message}`);
  }
  if (state === null) return made; // an unfitted one, among the options of another
  if (typeof state !== 'object') throw new FormatError(`loadEstimator: the state of the ${name} is damaged.`);
  made.restore(state as Fitted);
  return made;
}

/** An estimator from the file that `save` has written, or from its bytes. `as` says of which class it has to be. */
export async function loadEstimator<E extends Estimator>(
  source: string | Uint8Array,
  as: abstract new (...options: never[]) => E,
): Promise<E>;
/**
 * An estimator from the file that `save` has written, or from its bytes. Throws FormatError for anything else, also for one of another class.
 *
 *     const model = await loadEstimator('model.safetensors', KMeans);
 */
export async function loadEstimator(source: string | Uint8Array): Promise<Estimator>;
export async function loadEstimator(
  source: string | Uint8Array,
  as?: { readonly name: string } & (abstract new (...options: never[]) => Estimator),
): Promise<Estimator> {
  if (typeof source !== 'string' && !isUint8Array(source))
    throw wrongKind('loadEstimator', 'the source', source, 'Give a path, or the bytes as Uint8Array');
  const found = await readEstimator(source, revive);
  if (!(found instanceof Estimator)) throw new FormatError('loadEstimator: the file holds no estimator.');
  const { name } = found.constructor;
  if (as !== undefined && !(found instanceof as))
    throw new FormatError(`loadEstimator: the file holds a ${name}, not a ${as.name}.`);
  return found;
}
