// What can be fitted and to what, by name: known without loading anything, for help and faults.

/** What a model predicts: classes, numbers, either, or nothing that is given. */
export type Predicts = 'classes' | 'numbers' | 'either' | 'nothing';

export interface Kind {
  readonly predicts: Predicts;
  readonly about: string;
  /** Columns of numbers are standardised. */
  readonly isScaled: boolean;
}

export const KINDS = {
  knn: {
    predicts: 'either',
    isScaled: true,
    about: 'nearest neighbours: k, distance (euclidean, manhattan, cosine), weights',
  },
  kmeans: { predicts: 'nothing', isScaled: true, about: 'clusters around centres: clusters, starts, batchSize' },
  pca: { predicts: 'nothing', isScaled: true, about: 'principal components: components, whiten' },
  linear: { predicts: 'numbers', isScaled: true, about: 'least squares: solver (qr, normal, gradient)' },
  ridge: { predicts: 'numbers', isScaled: true, about: 'least squares with an L2 penalty: alpha' },
  lasso: { predicts: 'numbers', isScaled: true, about: 'least squares with an L1 penalty: alpha' },
  logistic: { predicts: 'classes', isScaled: true, about: 'logistic regression, two classes: c, penalty, solver' },
  softmax: {
    predicts: 'classes',
    isScaled: true,
    about: 'softmax regression: c, penalty, solver (newton, l-bfgs, gradient)',
  },
  svm: { predicts: 'classes', isScaled: true, about: 'linear support vector machine: c, loss (squared-hinge, hinge)' },
  bayes: { predicts: 'classes', isScaled: true, about: 'Gaussian naive Bayes: varSmoothing' },
  tree: { predicts: 'either', isScaled: false, about: 'decision tree: maxDepth, minSamplesLeaf, criterion, ccpAlpha' },
  forest: { predicts: 'either', isScaled: false, about: 'random forest: count, maxDepth, maxFeatures' },
} as const satisfies Readonly<Record<string, Kind>>;

export type KindName = keyof typeof KINDS;

export const SETS = [
  'iris',
  'wine',
  'breast-cancer',
  'diabetes',
  'digits',
  'moons',
  'circles',
  'blobs',
  'spirals',
] as const;
export type SetName = (typeof SETS)[number];
