// The estimators of `nabla fit`, by the names of the command line, and options from texts.

import {
  BaggingClassifier,
  BaggingRegressor,
  type Classifier,
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
  PCA,
  type Regressor,
  Ridge,
  SoftmaxRegression,
} from '../../classic/index.js';
import { readNumber } from '../number-text.js';
import type { KindName } from './names.js';

type Options = Readonly<Record<string, unknown>>;

const CLASSIFIERS: Readonly<Partial<Record<KindName, (options: Options) => Classifier>>> = {
  knn: (o) => new KNeighborsClassifier(o),
  logistic: (o) => new LogisticRegression(o),
  softmax: (o) => new SoftmaxRegression(o),
  svm: (o) => new LinearSVM(o),
  bayes: (o) => new GaussianNaiveBayes(o),
  tree: (o) => new DecisionTreeClassifier(o),
  forest: (o) => {
    const [bag, tree] = forestOptions(o, 'sqrt');
    return new BaggingClassifier({ ...bag, estimator: new DecisionTreeClassifier(tree) });
  },
};

const REGRESSORS: Readonly<Partial<Record<KindName, (options: Options) => Regressor>>> = {
  knn: (o) => new KNeighborsRegressor(o),
  linear: (o) => new LinearRegression(o),
  ridge: (o) => new Ridge(o),
  lasso: (o) => new Lasso(o),
  tree: (o) => new DecisionTreeRegressor(o),
  forest: (o) => {
    const [bag, tree] = forestOptions(o, null);
    return new BaggingRegressor({ ...bag, estimator: new DecisionTreeRegressor(tree) });
  },
};

export function makeClassifier(kind: KindName, options: Options): Classifier | undefined {
  return CLASSIFIERS[kind]?.(options);
}

export function makeRegressor(kind: KindName, options: Options): Regressor | undefined {
  return REGRESSORS[kind]?.(options);
}

export function makeUnsupervised(kind: 'kmeans' | 'pca', options: Options): KMeans | PCA {
  return kind === 'kmeans' ? new KMeans(options) : new PCA(options);
}

/** Of a forest some options are the bag's, the others each tree's. */
function forestOptions(options: Options, maxFeatures: 'sqrt' | null): [bag: Options, tree: Options] {
  const bagged = ['count', 'samples', 'bootstrap', 'outOfBag', 'seed'];
  const part = (isBag: boolean): Options =>
    Object.fromEntries(Object.entries(options).filter(([name]) => bagged.includes(name) === isBag));
  return [
    { count: 100, outOfBag: true, ...part(true) },
    { maxFeatures, ...part(false) },
  ];
}

/** `7` → 7, `true` → true, `null` → null, anything else stays text. */
export function readOptions(texts: Readonly<Record<string, string>>): Options {
  const value = (text: string): unknown => {
    if (text === 'true' || text === 'false') return text === 'true';
    if (text === 'null') return null;
    const number = readNumber(text);
    return Number.isNaN(number) ? text : number;
  };
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, value(text)]));
}
