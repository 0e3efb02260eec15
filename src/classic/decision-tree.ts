// Decision trees for classes and for numbers.

import { HostRandom } from '../tensor/host-random.js';
import { largest } from '../tensor/extremes.js';
import {
  ArgumentError,
  FormatError,
  type OptionNames,
  checkChoice,
  checkNumber,
  checkWhole,
  shown,
} from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ClassState, type Fitted, Regressor, ProbabilityClassifier } from './estimator.js';
import type { Encoded } from './labels.js';
import { type Matrix, vectorOf, zeroMatrix } from './rows.js';
import { checkFields, floats, ints } from './state-check.js';
import { type Limits, type Tree, depthOf, growTree, leavesOf } from './tree/grow.js';
import { pruneTree } from './tree/prune.js';
import { treeText } from './tree/text.js';

/** How many features a split looks at: all (null), a number, their root or their logarithm to base 2. */
export type MaxFeatures = number | 'sqrt' | 'log2' | null;

interface TreeLimits {
  /** Comparisons on the way to a leaf, at most. Default: no limit. */
  readonly maxDepth?: number | null;
  /** A node with fewer rows is a leaf. Default 2. */
  readonly minSamplesSplit?: number;
  /** No leaf has fewer rows. Default 1. */
  readonly minSamplesLeaf?: number;
  /** A split has to lower the impurity, weighted by the share of rows, by this. Default 0. */
  readonly minImpurityDecrease?: number;
  /** Features of a split, drawn at random for each. Default: all. */
  readonly maxFeatures?: MaxFeatures;
  /** Subtrees that save less than this for each leaf are cut off (minimal cost-complexity pruning). Default 0. */
  readonly ccpAlpha?: number;
  /** Default 0. */
  readonly seed?: number;
}

export interface TreeClassifierOptions extends TreeLimits {
  /** How uneven a node is: 1 − Σ p² ('gini', default) or −Σ p·log₂ p ('entropy'). */
  readonly criterion?: 'gini' | 'entropy';
}

export interface TreeRegressorOptions extends TreeLimits {
  /** How uneven a node is: the variance of its numbers. */
  readonly criterion?: 'squared-error';
}

const NAMES: OptionNames<TreeLimits> = {
  maxDepth: true,
  minSamplesSplit: true,
  minSamplesLeaf: true,
  minImpurityDecrease: true,
  maxFeatures: true,
  ccpAlpha: true,
  seed: true,
};

const DEFAULTS: Required<TreeLimits> = {
  maxDepth: null,
  minSamplesSplit: 2,
  minSamplesLeaf: 1,
  minImpurityDecrease: 0,
  maxFeatures: null,
  ccpAlpha: 0,
  seed: 0,
};

function checkLimits(name: string, options: TreeLimits): void {
  const { maxDepth, minSamplesSplit, minSamplesLeaf, minImpurityDecrease, maxFeatures, ccpAlpha, seed } = options;
  if (maxDepth !== null) checkWhole(name, 'maxDepth', maxDepth, 1);
  checkWhole(name, 'minSamplesSplit', minSamplesSplit, 2);
  checkWhole(name, 'minSamplesLeaf', minSamplesLeaf, 1);
  checkWhole(name, 'seed', seed, -Infinity);
  for (const [what, value] of Object.entries({ minImpurityDecrease, ccpAlpha })) {
    checkNumber(name, what, value);
    if (!(value! >= 0)) throw new ArgumentError(`${name}: ${what} is ${value}. Use a number of at least 0.`);
  }
  if (maxFeatures === null || maxFeatures === 'sqrt' || maxFeatures === 'log2') return;
  if (typeof maxFeatures === 'string')
    throw new ArgumentError(`${name}: maxFeatures is ${shown(maxFeatures)}. Use a number, 'sqrt', 'log2' or null.`);
  checkWhole(name, 'maxFeatures', maxFeatures, 1);
}

function limitsOf(op: string, options: TreeLimits, features: number): Limits {
  const { maxDepth, minSamplesSplit, minSamplesLeaf, minImpurityDecrease, maxFeatures } =
    options as Required<TreeLimits>;
  if (typeof maxFeatures === 'number' && maxFeatures > features)
    throw new ArgumentError(`${op}: maxFeatures is ${maxFeatures}, and x has ${features}.`);
  const looked =
    maxFeatures === null
      ? features
      : typeof maxFeatures === 'number'
        ? maxFeatures
        : Math.max(1, Math.floor(maxFeatures === 'sqrt' ? Math.sqrt(features) : Math.log2(features)));
  return { maxDepth: maxDepth ?? Infinity, minSamplesSplit, minSamplesLeaf, minImpurityDecrease, maxFeatures: looked };
}

/** What a tree tells of itself, whatever it predicts. */
export interface GrownTree {
  /** Comparisons on the longest way to a leaf. */
  readonly depth: number;
  readonly leaves: number;
  /** The share of the impurity that each feature's splits have taken away, with sum 1 (all 0 for a single leaf) → [features]. */
  readonly importances: Tensor<[number]>;
}

function importancesOf(tree: Tree, features: number): Float64Array {
  const out = new Float64Array(features);
  const weight = (node: number): number => tree.samples[node] * tree.impurity[node];
  tree.feature.forEach((feature, node) => {
    if (feature >= 0) out[feature] += weight(node) - weight(tree.left[node]) - weight(tree.right[node]);
  });
  const total = out.reduce((a, b) => a + b, 0);
  return total > 0 ? out.map((v) => v / total) : out;
}

/** Fields of a stored tree; `width` is how many numbers a node has. */
function checkTree(name: string, state: Fitted): void {
  const tree = state['tree'] as Tree & Fitted;
  if (typeof tree !== 'object' || tree === null) throw new FormatError(`loadEstimator: the ${name} has no tree.`);
  const { value } = tree;
  checkFields(name, tree, {
    feature: ints('nodes'),
    threshold: floats('nodes'),
    left: ints('nodes'),
    right: ints('nodes'),
    impurity: floats('nodes'),
    samples: ints('nodes'),
    value: floats('nodes', name === 'DecisionTreeRegressor' ? 1 : (state['classes'] as readonly unknown[]).length),
  });
  const count = value.rows;
  const isSound = (node: number): boolean => {
    if (tree.feature[node] === -1) return true;
    const children = [tree.left[node], tree.right[node]];
    return (
      tree.feature[node] >= 0 &&
      tree.feature[node] < (state['features'] as number) &&
      children.every((c) => c > node && c < count)
    );
  };
  if (count === 0 || !Array.from({ length: count }, (_, i) => i).every(isSound))
    throw new FormatError(`loadEstimator: the nodes of the ${name} are damaged.`);
}

interface TreeClassState extends ClassState {
  readonly tree: Tree & Fitted;
}

/**
 * A tree of comparisons that ends in classes. scikit-learn: DecisionTreeClassifier (which breaks ties between features at random; here the
 * first one counts).
 *
 *     const model = await new DecisionTreeClassifier({ maxDepth: 3 }).fit(x, y);
 *     model.describe(['length', 'width']);
 */
export class DecisionTreeClassifier
  extends ProbabilityClassifier<TreeClassifierOptions, TreeClassState>
  implements GrownTree
{
  constructor(options?: TreeClassifierOptions) {
    super(options, { criterion: true, ...NAMES }, { criterion: 'gini', ...DEFAULTS });
    checkChoice('DecisionTreeClassifier', 'criterion', this.options.criterion, ['gini', 'entropy']);
    checkLimits('DecisionTreeClassifier', this.options);
  }

  get depth(): number {
    return depthOf(this.fitted('depth').tree);
  }

  get leaves(): number {
    return leafCount(this.fitted('leaves').tree);
  }

  get importances(): Tensor<[number]> {
    const { tree, features } = this.fitted('importances');
    return vectorOf(importancesOf(tree, features));
  }

  /** The tree as indented text. Features are called x0, x1, … unless names are given. */
  describe(names?: readonly string[]): string {
    const { tree, classes, features } = this.fitted('describe');
    return treeText(this.call('describe'), tree, features, names, (shares) => String(classes[placeOfLargest(shares)]));
  }

  protected async learn(x: Matrix, { y, classes }: Encoded): Promise<TreeClassState> {
    const { criterion, seed, ccpAlpha } = this.options as Required<TreeClassifierOptions>;
    const limits = limitsOf(this.call('fit'), this.options, x.columns);
    const grown = growTree(x, y, classes.length, criterion, limits, new HostRandom(seed, 0x74726565));
    return { features: x.columns, classes, tree: { ...pruneTree(grown, ccpAlpha) } };
  }

  protected async probabilities(x: Matrix): Promise<Matrix> {
    const { tree, classes } = this.fitted('predict');
    const out = zeroMatrix(x.rows, classes.length);
    const width = classes.length;
    leavesOf(tree, x).forEach((leaf, i) =>
      out.data.set(tree.value.data.subarray(leaf * width, (leaf + 1) * width), i * width),
    );
    return out;
  }

  protected checkState(state: Fitted): void {
    checkFields('DecisionTreeClassifier', state, { features: 'count', classes: 'labels', tree: 'object' });
    checkTree('DecisionTreeClassifier', state);
  }
}

interface TreeNumberState extends Fitted {
  readonly features: number;
  readonly tree: Tree & Fitted;
}

/** A tree of comparisons that ends in numbers, the means of the rows of each leaf. scikit-learn: DecisionTreeRegressor. */
export class DecisionTreeRegressor extends Regressor<TreeRegressorOptions, TreeNumberState> implements GrownTree {
  constructor(options?: TreeRegressorOptions) {
    super(options, { criterion: true, ...NAMES }, { criterion: 'squared-error', ...DEFAULTS });
    checkChoice('DecisionTreeRegressor', 'criterion', this.options.criterion, ['squared-error']);
    checkLimits('DecisionTreeRegressor', this.options);
  }

  get depth(): number {
    return depthOf(this.fitted('depth').tree);
  }

  get leaves(): number {
    return leafCount(this.fitted('leaves').tree);
  }

  get importances(): Tensor<[number]> {
    const { tree, features } = this.fitted('importances');
    return vectorOf(importancesOf(tree, features));
  }

  /** The tree as indented text. Features are called x0, x1, … unless names are given. */
  describe(names?: readonly string[]): string {
    const { tree, features } = this.fitted('describe');
    return treeText(this.call('describe'), tree, features, names, ([mean]) => String(Number(mean.toPrecision(4))));
  }

  protected async learn(x: Matrix, y: Float64Array): Promise<TreeNumberState> {
    const { seed, ccpAlpha } = this.options as Required<TreeRegressorOptions>;
    const limits = limitsOf(this.call('fit'), this.options, x.columns);
    const grown = growTree(x, y, 1, 'squared-error', limits, new HostRandom(seed, 0x74726565));
    return { features: x.columns, tree: { ...pruneTree(grown, ccpAlpha) } };
  }

  protected async estimate(x: Matrix): Promise<Float64Array> {
    const { tree } = this.fitted('predict');
    return Float64Array.from(leavesOf(tree, x), (leaf) => tree.value.data[leaf]);
  }

  protected checkState(state: Fitted): void {
    checkFields('DecisionTreeRegressor', state, { features: 'count', tree: 'object' });
    checkTree('DecisionTreeRegressor', state);
  }
}

function leafCount(tree: Tree): number {
  return tree.feature.reduce((count, feature) => count + (feature < 0 ? 1 : 0), 0);
}

function placeOfLargest(values: readonly number[]): number {
  return values.indexOf(largest(values));
}
