// K-fold cross-validation: every item is in the validation part of exactly one fold. Folds can keep the mix of classes, and
// can keep groups (one person's images, say) together so that none is on both sides.
// Numbers in, lists of positions out. Without shuffling, the folds are those of scikit-learn's KFold, StratifiedKFold,
// GroupKFold and StratifiedGroupKFold.

import {
  ArgumentError,
  checkOptions,
  type OptionNames,
  checkGiven,
  checkNumbers,
  checkWhole,
} from '../tensor/library.js';
import { HostRandom } from '../tensor/host-random.js';
import { smallest } from '../tensor/extremes.js';

export interface KFoldOptions {
  /** The class of each item: every fold gets the same mix. */
  readonly stratify?: ArrayLike<number> | undefined;
  /** The group of each item: a group is never on both sides. */
  readonly groups?: ArrayLike<number> | undefined;
  /** Default 0. */
  readonly seed?: number;
  /** Default true; false takes items in their order. */
  readonly shuffle?: boolean;
}

const KFOLD_OPTIONS: OptionNames<KFoldOptions> = { stratify: true, groups: true, seed: true, shuffle: true };

/** Positions, in ascending order. */
export interface Fold {
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

/**
 * The `k` folds of `n` items. Throws ArgumentError for k outside 2 … n, more folds than groups, or a class with fewer items
 * than folds.
 *
 *     for (const { train, validation } of kFold(data.length, 5, { stratify: data.column('y') })) …
 */
export function kFold(n: number, k: number, options: KFoldOptions = {}): Fold[] {
  checkOptions('kFold', options, KFOLD_OPTIONS);
  const { stratify, groups, seed = 0, shuffle = true } = options;
  checkWhole('kFold', 'the number of items', n);
  checkWhole('kFold', 'the number of folds', k);
  checkWhole('kFold', 'seed', seed, -Infinity);
  checkGiven(checkNumbers, 'kFold', { stratify, groups });
  if (!Number.isInteger(k) || k < 2 || k > n)
    throw new ArgumentError(`kFold: ${k} folds of ${n} items. Use a whole number from 2 to the number of items.`);
  checkLength(stratify, n, 'stratify');
  checkLength(groups, n, 'groups');
  const random = shuffle ? new HostRandom(seed, 0xf01d) : undefined;
  let foldOf: Int32Array;
  if (groups !== undefined) foldOf = dealGroups(numberFrom0(groups), stratify && numberFrom0(stratify), k, random);
  else if (stratify !== undefined) foldOf = dealClasses(numberFrom0(stratify), k, random);
  else foldOf = cutEvenly(n, k, random);
  return Array.from({ length: k }, (_, fold) => ({
    train: positionsWhere(foldOf, (f) => f !== fold),
    validation: positionsWhere(foldOf, (f) => f === fold),
  }));
}

function checkLength(labels: ArrayLike<number> | undefined, n: number, name: string): void {
  if (labels !== undefined && labels.length !== n)
    throw new ArgumentError(`kFold: ${name} has ${labels.length} entries for ${n} items. Give one for each.`);
}

function positionsWhere(foldOf: Int32Array, keep: (fold: number) => boolean): Int32Array {
  const out: number[] = [];
  foldOf.forEach((fold, i) => {
    if (keep(fold)) out.push(i);
  });
  return Int32Array.from(out);
}

interface Numbered {
  /** For each item, its label's rank among the labels. */
  readonly ids: Int32Array;
  readonly counts: number[];
}

function numberFrom0(labels: ArrayLike<number>): Numbered {
  const ranks = new Map([...new Set(Array.from(labels))].sort((a, b) => a - b).map((label, i) => [label, i]));
  const ids = Int32Array.from(labels, (label) => ranks.get(label)!);
  const counts = new Array<number>(ranks.size).fill(0);
  for (const id of ids) counts[id]++;
  return { ids, counts };
}

/** Consecutive pieces of the order; the first n mod k are one longer. */
function cutEvenly(n: number, k: number, random: HostRandom | undefined): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  random?.shuffle(order);
  const foldOf = new Int32Array(n);
  const [size, longer] = [Math.floor(n / k), n % k];
  const border = longer * (size + 1);
  order.forEach((item, at) => {
    foldOf[item] = at < border ? Math.floor(at / (size + 1)) : longer + Math.floor((at - border) / size);
  });
  return foldOf;
}

/** Every k-th of the items sorted by class says how many of each class a fold gets. */
function dealClasses({ ids, counts }: Numbered, k: number, random: HostRandom | undefined): Int32Array {
  const least = smallest(counts);
  if (least < k)
    throw new ArgumentError(`kFold: a class has ${least} items, and there are ${k} folds. Use at most ${least} folds.`);
  // Classes in order of first appearance, so that the result does not depend on how they are called.
  const ranks = new Map<number, number>();
  for (const id of ids) if (!ranks.has(id)) ranks.set(id, ranks.size);
  const sorted = Array.from(ids, (id) => ranks.get(id)!).sort((a, b) => a - b);
  const shares = counts.map(() => new Array<number>(k).fill(0)); // [class][fold]
  sorted.forEach((id, i) => shares[id][i % k]++);
  const queues = shares.map((share) => {
    const folds = share.flatMap((count, fold) => new Array<number>(count).fill(fold));
    return (random?.shuffle(folds) ?? folds).reverse();
  });
  return ids.map((id) => queues[ranks.get(id)!].pop()!);
}

/** Large groups first, each to the fold that is best off with it: smallest, or nearest to the mix of classes. */
function dealGroups(
  groups: Numbered,
  classes: Numbered | undefined,
  k: number,
  random: HostRandom | undefined,
): Int32Array {
  const count = groups.counts.length;
  if (count < k) throw new ArgumentError(`kFold: ${count} groups for ${k} folds. Use at most ${count} folds.`);
  const order = Array.from({ length: count }, (_, g) => g);
  random?.shuffle(order);
  const foldOfGroup = classes === undefined ? bySize(groups, order, k) : byMix(groups, classes, order, k);
  return groups.ids.map((group) => foldOfGroup[group]);
}

function bySize({ counts }: Numbered, order: number[], k: number): Int32Array {
  // Among equals scikit-learn takes the group that comes last.
  const largestFirst = order.reverse().sort((a, b) => counts[b] - counts[a]);
  const sizes = new Array<number>(k).fill(0);
  const foldOfGroup = new Int32Array(counts.length);
  for (const group of largestFirst) {
    const fold = sizes.indexOf(smallest(sizes));
    sizes[fold] += counts[group];
    foldOfGroup[group] = fold;
  }
  return foldOfGroup;
}

function byMix(groups: Numbered, classes: Numbered, order: number[], k: number): Int32Array {
  const mix = groups.counts.map(() => new Array<number>(classes.counts.length).fill(0)); // [group][class]
  groups.ids.forEach((group, i) => mix[group][classes.ids[i]]++);
  const spread = mix.map((row) => deviation(row));
  const mostUnevenFirst = order.sort((a, b) => spread[b] - spread[a]);
  const folds = Array.from({ length: k }, () => new Array<number>(classes.counts.length).fill(0));
  const foldOfGroup = new Int32Array(groups.counts.length);
  for (const group of mostUnevenFirst) {
    let [best, least, smallest] = [0, Infinity, Infinity];
    for (let fold = 0; fold < k; fold++) {
      const row = folds[fold];
      const add = (sign: number) => mix[group].forEach((v, c) => (row[c] += sign * v));
      add(1);
      const shares = classes.counts.map((total, c) => deviation(folds.map((f) => f[c] / total)));
      const unevenness = shares.reduce((a, b) => a + b, 0) / shares.length;
      add(-1);
      const size = row.reduce((a, b) => a + b, 0);
      const equal = Math.abs(unevenness - least) <= 1e-8 + 1e-5 * least;
      if (unevenness < least || (equal && size < smallest)) [best, least, smallest] = [fold, unevenness, size];
    }
    mix[group].forEach((v, c) => (folds[best][c] += v));
    foldOfGroup[group] = best;
  }
  return foldOfGroup;
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
}
