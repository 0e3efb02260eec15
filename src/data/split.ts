// Which items go into which part of a split: seeded, disjoint, on request with the same mix of classes in each part.
// Numbers in, lists of positions out.

import { ArgumentError, type OptionNames, checkNumbers, checkOptions, checkWhole } from '../tensor/library.js';
import { HostRandom } from '../tensor/host-random.js';
import { largest } from '../tensor/extremes.js';

export interface SplitOptions {
  /** Default 0: a split does not change between runs unless asked to. */
  readonly seed?: number;
  /** Default true; false takes items in order. */
  readonly shuffle?: boolean;
}

/** What the items of a split have in common. */
export interface SplitLabels {
  /** The class of each item, for a stratified split. */
  readonly classes?: ArrayLike<number> | undefined;
  /** The group of each item, for a split that keeps groups whole; parts are then only about as large as asked. */
  readonly groups?: ArrayLike<number> | undefined;
}

const SPLIT_OPTIONS: OptionNames<SplitOptions & SplitLabels> = {
  seed: true,
  shuffle: true,
  classes: true,
  groups: true,
};

/** Positions 0 … length − 1 dealt to parts of the given sizes. */
export function splitIndices(
  length: number,
  parts: readonly number[],
  options: SplitOptions & SplitLabels = {},
): Int32Array[] {
  checkOptions('splitIndices', options, SPLIT_OPTIONS);
  const { seed = 0, shuffle = true, classes, groups } = options;
  checkWhole('splitIndices', 'the length', length);
  checkNumbers('splitIndices', 'the list of parts', parts);
  checkWhole('split', 'seed', seed, -Infinity);
  for (const labels of [classes, groups]) {
    if (labels !== undefined && labels.length !== length)
      throw new ArgumentError(`split: ${labels.length} labels for ${length} items. Give one for each.`);
  }
  if (classes !== undefined && groups !== undefined)
    throw new ArgumentError('split: stratify and groups together are not offered here. Use a fold of kFold.');
  const sizes = partSizes(length, parts);
  const random = new HostRandom(seed, 0x5b117);
  const order = Int32Array.from({ length }, (_, i) => i);
  if (shuffle) random.shuffle(order);
  if (groups !== undefined) return dealWhole(order, groups, sizes);
  if (classes === undefined) return cut(order, sizes);
  const byClass = order.toSorted((a, b) => classes[a] - classes[b]); // stable: random order within a class
  const dealt = deal(byClass, sizes);
  return dealt.map((list) => (shuffle ? random.shuffle(list) : list.sort()));
}

/** Fractions as counts: rounded so that they add up to what their sum gives. */
function partSizes(length: number, parts: readonly number[]): number[] {
  if (parts.length === 0 || parts.some((p) => !(p >= 0))) {
    throw new ArgumentError(
      `split: parts [${parts.join(', ')}] are not valid. Give fractions or counts of at least 0.`,
    );
  }
  const sum = parts.reduce((a, b) => a + b, 0);
  if (sum <= 1 + 1e-9) {
    let before = 0;
    let taken = 0;
    return parts.map((p) => {
      before += p;
      const size = Math.min(Math.round(before * length), length) - taken;
      taken += size;
      return size;
    });
  }
  if (parts.some((p) => !Number.isInteger(p)) || sum > length) {
    throw new ArgumentError(
      `split: parts [${parts.join(', ')}] are neither fractions with a sum of at most 1 nor counts with a sum of at most ${length}.`,
    );
  }
  return [...parts];
}

function cut(order: Int32Array, sizes: readonly number[]): Int32Array[] {
  let from = 0;
  return sizes.map((size) => order.slice(from, (from += size)));
}

/** Deals the items in turn so that after each one every part has its share so far: runs of a class are shared evenly. */
function deal(order: Int32Array, wanted: readonly number[]): Int32Array[] {
  const rest = order.length - wanted.reduce((a, b) => a + b, 0);
  const sizes = [...wanted, rest];
  const lists: number[][] = sizes.map(() => []);
  order.forEach((item, i) => {
    let best = -1;
    let most = -Infinity;
    sizes.forEach((size, part) => {
      const lacking = ((i + 1) * size) / order.length - lists[part].length;
      if (lists[part].length < size && lacking > most) [best, most] = [part, lacking];
    });
    lists[best].push(item);
  });
  return lists.slice(0, wanted.length).map((list) => Int32Array.from(list));
}

/** Gives each group as a whole to the part that lacks most; what belongs to no part is one that takes groups, too. */
function dealWhole(order: Int32Array, groups: ArrayLike<number>, wanted: readonly number[]): Int32Array[] {
  const members = new Map<number, number[]>(); // groups in the order in which they come up
  for (const item of order) {
    const list = members.get(groups[item]);
    if (list === undefined) members.set(groups[item], [item]);
    else list.push(item);
  }
  const rest = order.length - wanted.reduce((a, b) => a + b, 0);
  const lacking = [...wanted, rest];
  const lists: number[][] = lacking.map(() => []);
  for (const items of members.values()) {
    const part = lacking.indexOf(largest(lacking));
    lacking[part] -= items.length;
    for (const item of items) lists[part].push(item);
  }
  return lists.slice(0, wanted.length).map((list) => Int32Array.from(list));
}
