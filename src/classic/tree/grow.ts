// Grows a tree: each node is split where its rows become most even, until nothing is gained or a limit is reached.
//   rows, targets, limits in; a flat table of nodes out, in which children come after their parent.
// The rules are scikit-learn's (CART): thresholds half way between neighbouring values, impurity decreases weighted by rows, left is ≤.

import type { HostRandom } from '../../tensor/host-random.js';
import type { Matrix } from '../rows.js';
import { type Criterion, type Side, sidesOf } from './criterion.js';

export interface Limits {
  readonly maxDepth: number;
  readonly minSamplesSplit: number;
  readonly minSamplesLeaf: number;
  readonly minImpurityDecrease: number;
  /** Features that are looked at for a split, drawn anew for each. */
  readonly maxFeatures: number;
}

/** Nodes by number; the root is 0. */
export interface Tree {
  /** The feature that is compared; −1 in a leaf. */
  readonly feature: Int32Array;
  /** Rows with at most this go left. */
  readonly threshold: Float64Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly impurity: Float64Array;
  /** Rows that came to each node. */
  readonly samples: Int32Array;
  /** What the rows of each node are: shares of classes, or one mean. */
  readonly value: Matrix;
}

/** Values nearer than this count as one, as in scikit-learn. */
const SAME = 1e-7;

interface Split {
  readonly feature: number;
  readonly threshold: number;
}

export function growTree(
  x: Matrix,
  y: Int32Array | Float64Array,
  classes: number,
  criterion: Criterion,
  limits: Limits,
  random: HostRandom,
): Tree {
  const rows = Int32Array.from({ length: x.rows }, (_, i) => i);
  const width = criterion === 'squared-error' ? 1 : classes;
  const finder = new SplitFinder(x, sidesOf(criterion, y, classes), limits, random);
  const nodes: {
    feature: number;
    threshold: number;
    left: number;
    right: number;
    impurity: number;
    samples: number;
  }[] = [];
  const values: Float64Array[] = [];
  const waiting = [{ from: 0, to: x.rows, depth: 0, parent: -1, isLeft: false }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { from, to, depth, parent, isLeft } = next;
    const own = rows.subarray(from, to);
    const number = nodes.length;
    const { impurity, value } = finder.describe(own, width);
    nodes.push({ feature: -1, threshold: 0, left: -1, right: -1, impurity, samples: own.length });
    values.push(value);
    if (parent >= 0) nodes[parent][isLeft ? 'left' : 'right'] = number;
    const isFull =
      depth >= limits.maxDepth ||
      own.length < limits.minSamplesSplit ||
      own.length < 2 * limits.minSamplesLeaf ||
      impurity <= Number.EPSILON;
    const split = isFull ? undefined : finder.find(own, impurity);
    if (split === undefined) continue;
    const middle = from + partition(x, own, split);
    Object.assign(nodes[number], split);
    waiting.push({ from: middle, to, depth: depth + 1, parent: number, isLeft: false });
    waiting.push({ from, to: middle, depth: depth + 1, parent: number, isLeft: true });
  }
  const data = new Float64Array(nodes.length * width);
  values.forEach((value, i) => data.set(value, i * width));
  return {
    feature: Int32Array.from(nodes, (n) => n.feature),
    threshold: Float64Array.from(nodes, (n) => n.threshold),
    left: Int32Array.from(nodes, (n) => n.left),
    right: Int32Array.from(nodes, (n) => n.right),
    impurity: Float64Array.from(nodes, (n) => n.impurity),
    samples: Int32Array.from(nodes, (n) => n.samples),
    value: { data, rows: nodes.length, columns: width },
  };
}

class SplitFinder {
  private readonly x: Matrix;
  private readonly limits: Limits;
  private readonly random: HostRandom;
  private readonly left: Side;
  private readonly right: Side;
  private readonly features: Int32Array;
  private readonly keys: Float64Array;
  private readonly order: Int32Array;

  constructor(x: Matrix, [left, right]: [Side, Side], limits: Limits, random: HostRandom) {
    this.x = x;
    this.limits = limits;
    this.random = random;
    this.left = left;
    this.right = right;
    this.features = Int32Array.from({ length: x.columns }, (_, j) => j);
    this.keys = new Float64Array(x.rows);
    this.order = new Int32Array(x.rows);
  }

  describe(rows: Int32Array, width: number): { impurity: number; value: Float64Array } {
    this.right.clear();
    for (const row of rows) this.right.add(row);
    const value = new Float64Array(width);
    this.right.value(value, 0);
    return { impurity: this.right.cost(), value };
  }

  /** The split that leaves the least; of equals the one found first. With all features in their order, else in a random one. */
  find(rows: Int32Array, impurity: number): Split | undefined {
    const { limits, features } = this;
    const isDrawn = limits.maxFeatures < features.length;
    if (isDrawn) this.random.shuffle(features);
    let best: Split | undefined;
    let least = Infinity;
    let looked = 0;
    for (const feature of features) {
      if (looked >= limits.maxFeatures) break;
      const found = this.along(rows, feature);
      if (found === undefined) continue; // one value only: does not count as looked at
      looked++;
      if (found.weight < least) [best, least] = [found.split, found.weight];
    }
    if (best === undefined || limits.minImpurityDecrease <= 0) return best;
    return this.decrease(rows, best, impurity) + Number.EPSILON >= limits.minImpurityDecrease ? best : undefined;
  }

  /** The best split by one feature; undefined where it has one value only, an infinite weight where limits allow none. */
  private along(rows: Int32Array, feature: number): { split: Split; weight: number } | undefined {
    const { x, left, right, limits, keys, order } = this;
    const { data, columns } = x;
    const count = rows.length;
    const sorted = order.subarray(0, count);
    for (let i = 0; i < count; i++) keys[i] = data[rows[i] * columns + feature];
    sortByKeys(sorted, keys, count);
    const at = (i: number): number => keys[i];
    if (at(count - 1) <= at(0) + SAME) return undefined;
    left.clear();
    right.clear();
    for (const row of rows) right.add(row);
    let split: Split = { feature, threshold: NaN };
    let weight = Infinity;
    for (let i = 0; i < count - 1; i++) {
      const row = rows[sorted[i]];
      left.add(row);
      right.remove(row);
      if (at(i + 1) <= at(i) + SAME) continue;
      if (left.count < limits.minSamplesLeaf || right.count < limits.minSamplesLeaf) continue;
      const own = left.weight() + right.weight();
      if (!(own < weight)) continue;
      weight = own;
      const middle = at(i) / 2 + at(i + 1) / 2;
      split = { feature, threshold: middle === at(i + 1) || !Number.isFinite(middle) ? at(i) : middle };
    }
    return { split, weight };
  }

  /** What the split saves, weighted by the share of rows that come here. */
  private decrease(rows: Int32Array, { feature, threshold }: Split, impurity: number): number {
    const { left, right, x } = this;
    left.clear();
    right.clear();
    for (const row of rows) (x.data[row * x.columns + feature] <= threshold ? left : right).add(row);
    const children = (left.count * left.cost() + right.count * right.cost()) / rows.length;
    return (rows.length / x.rows) * (impurity - children);
  }
}

/** Fills `order` with 0 … count − 1 by ascending key, and sorts the keys themselves; equal keys keep their order. */
function sortByKeys(order: Int32Array, keys: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) order[i] = i;
  const before = keys.slice(0, count);
  order.sort((a, b) => before[a] - before[b] || a - b);
  for (let i = 0; i < count; i++) keys[i] = before[order[i]];
}

/** Rows that go left to the front, each side in its order; returns how many they are. */
function partition({ data, columns }: Matrix, rows: Int32Array, { feature, threshold }: Split): number {
  const goesLeft = (row: number): boolean => data[row * columns + feature] <= threshold;
  const left = rows.filter((row) => goesLeft(row));
  const right = rows.filter((row) => !goesLeft(row));
  rows.set(left);
  rows.set(right, left.length);
  return left.length;
}

/** The leaf of each row. */
export function leavesOf({ feature, threshold, left, right }: Tree, { data, rows, columns }: Matrix): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => {
    let node = 0;
    while (feature[node] >= 0) node = data[i * columns + feature[node]] <= threshold[node] ? left[node] : right[node];
    return node;
  });
}

/** Number of comparisons on the longest way to a leaf. */
export function depthOf({ left, right, feature }: Tree): number {
  const depth = new Int32Array(feature.length);
  let most = 0;
  for (let node = 0; node < feature.length; node++) {
    most = Math.max(most, depth[node]);
    if (feature[node] >= 0) depth[left[node]] = depth[right[node]] = depth[node] + 1;
  }
  return most;
}
