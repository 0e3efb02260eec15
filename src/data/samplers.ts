// Samplers: which items an epoch visits, in which order. An order follows from the seed and the number of the epoch alone,
// so that an epoch can be repeated and entered in its middle.
// Number of items (and weights, classes, ranks) in, positions out. Must not know: datasets, batches of tensors.

import {
  ArgumentError,
  checkOptions,
  type OptionNames,
  checkHas,
  checkNumbers,
  checkWhole,
  checkNeededOptions,
} from '../tensor/library.js';
import { HostRandom } from '../tensor/host-random.js';

/** The order in which an epoch visits a dataset. */
export interface Sampler {
  /** Items an epoch. */
  readonly length: number;
  /** Positions in the dataset, in the order of epoch `epoch`. */
  order(epoch: number): Int32Array;
}

/** A dataset, or its length. */
export type Sized = number | { readonly length: number };

function lengthOf(sized: Sized, op: string): number {
  if (typeof sized !== 'number') checkHas(op, 'the argument', sized, ['length'], 'Give a dataset, or its length');
  const length = typeof sized === 'number' ? sized : sized.length;
  return checkCount(length, `${op}: the length`, 0);
}

function checkCount(value: number, what: string, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new ArgumentError(`${what} is ${value}. Use a whole number of at least ${least}.`);
}

const countUp = (length: number): Int32Array => Int32Array.from({ length }, (_, i) => i);

/** The order the items have. PyTorch: SequentialSampler. */
export class SequentialSampler implements Sampler {
  readonly length: number;

  constructor(dataset: Sized) {
    this.length = lengthOf(dataset, 'SequentialSampler');
  }

  order(): Int32Array {
    return countUp(this.length);
  }
}

export interface RandomSamplerOptions {
  /** Default 0. */
  readonly seed?: number;
  /** Items may come again. Default false. */
  readonly replacement?: boolean;
  /** Items an epoch; default all. More than there are need `replacement`. */
  readonly numSamples?: number;
}

const RANDOM_SAMPLER_OPTIONS: OptionNames<RandomSamplerOptions> = { seed: true, replacement: true, numSamples: true };

/** A new random order in each epoch. PyTorch: RandomSampler. */
export class RandomSampler implements Sampler {
  readonly length: number;
  readonly seed: number;
  private readonly count: number;
  private readonly replacement: boolean;

  constructor(dataset: Sized, options: RandomSamplerOptions = {}) {
    checkOptions(new.target.name, options, RANDOM_SAMPLER_OPTIONS);
    const { seed = 0, replacement = false, numSamples } = options;
    checkWhole('RandomSampler', 'seed', seed, -Infinity);
    this.count = lengthOf(dataset, 'RandomSampler');
    this.length = checkCount(numSamples ?? this.count, 'RandomSampler: numSamples', 0);
    this.seed = seed;
    this.replacement = replacement;
    if (this.length > this.count && (!replacement || this.count === 0)) {
      throw new ArgumentError(
        `RandomSampler: numSamples is ${this.length}, of ${this.count} items. Use at most ${this.count}, or replacement.`,
      );
    }
  }

  order(epoch: number): Int32Array {
    const random = new HostRandom(this.seed, epoch);
    if (this.replacement) return Int32Array.from({ length: this.length }, () => random.below(this.count));
    return random.shuffle(countUp(this.count)).subarray(0, this.length);
  }
}

export interface WeightedRandomSamplerOptions {
  /** Default 0. */
  readonly seed?: number;
  /** Default true. */
  readonly replacement?: boolean;
}

const WEIGHTED_RANDOM_SAMPLER_OPTIONS: OptionNames<WeightedRandomSamplerOptions> = { seed: true, replacement: true };

/**
 * `numSamples` items drawn with the given weights, which need not add up to 1: 1 / (items of its class) as an item's
 * weight evens out the classes. PyTorch: WeightedRandomSampler. Without replacement: Efraimidis and Spirakis, 2006.
 */
export class WeightedRandomSampler implements Sampler {
  readonly length: number;
  readonly seed: number;
  private readonly weights: Float64Array;
  private readonly replacement: boolean;

  constructor(weights: ArrayLike<number>, numSamples: number, options: WeightedRandomSamplerOptions = {}) {
    checkOptions(new.target.name, options, WEIGHTED_RANDOM_SAMPLER_OPTIONS);
    const { seed = 0, replacement = true } = options;
    checkWhole('WeightedRandomSampler', 'seed', seed, -Infinity);
    checkNumbers('WeightedRandomSampler', 'the list of weights', weights);
    this.weights = Float64Array.from(weights);
    const at = this.weights.findIndex((w) => !(w >= 0 && w < Infinity));
    if (at >= 0) {
      throw new ArgumentError(`WeightedRandomSampler: weight ${at} is ${weights[at]}. Use finite numbers from 0.`);
    }
    this.length = checkCount(numSamples, 'WeightedRandomSampler: numSamples', 1);
    const possible = this.weights.filter((w) => w > 0).length;
    if (possible === 0 || (!replacement && possible < this.length)) {
      throw new ArgumentError(
        `WeightedRandomSampler: ${possible} of ${weights.length} weights are above 0, and ${this.length} items are asked for${replacement ? '' : ' without replacement'}.`,
      );
    }
    this.seed = seed;
    this.replacement = replacement;
  }

  order(epoch: number): Int32Array {
    const random = new HostRandom(this.seed, epoch);
    return this.replacement ? this.drawAgain(random) : this.drawOnce(random);
  }

  private drawAgain(random: HostRandom): Int32Array {
    let sum = 0;
    const ends = this.weights.map((w) => (sum += w));
    return Int32Array.from({ length: this.length }, () => {
      const target = random.uniform() * sum;
      let [low, high] = [0, ends.length - 1]; // the first end beyond the target
      while (low < high) {
        const middle = (low + high) >> 1;
        if (ends[middle] > target) high = middle;
        else low = middle + 1;
      }
      return low;
    });
  }

  private drawOnce(random: HostRandom): Int32Array {
    // The largest u^(1/w), compared by their logarithms.
    const keys = this.weights.map((w) => {
      const u = random.uniform();
      return w > 0 ? Math.log(1 - u) / w : -Infinity;
    });
    return countUp(keys.length)
      .sort((a, b) => keys[b] - keys[a])
      .slice(0, this.length);
  }
}

export interface StratifiedSamplerOptions {
  readonly batchSize: number;
  /** Default 0. */
  readonly seed?: number;
}

const STRATIFIED_SAMPLER_OPTIONS: OptionNames<StratifiedSamplerOptions> = { batchSize: true, seed: true };

/**
 * Every item once, in an order whose batches all have the mix of classes of the whole: the items of a class in a batch
 * differ from its share by less than two. `classes` holds the class of each item; use the loader's batch size.
 */
export class StratifiedSampler implements Sampler {
  readonly length: number;
  readonly seed: number;
  readonly batchSize: number;
  private readonly byClass: readonly (readonly number[])[];

  constructor(classes: ArrayLike<number>, options: StratifiedSamplerOptions) {
    checkNeededOptions(new.target.name, options, STRATIFIED_SAMPLER_OPTIONS, '{ batchSize: 64 }');
    const { batchSize, seed = 0 } = options;
    checkNumbers('StratifiedSampler', 'the list of classes', classes);
    checkWhole('StratifiedSampler', 'seed', seed, -Infinity);
    this.length = classes.length;
    this.seed = seed;
    this.batchSize = checkCount(batchSize, 'StratifiedSampler: batchSize', 1);
    const members = new Map<number, number[]>();
    for (let i = 0; i < classes.length; i++) {
      const list = members.get(classes[i]);
      if (list === undefined) members.set(classes[i], [i]);
      else list.push(i);
    }
    this.byClass = [...members.keys()].sort((a, b) => a - b).map((label) => members.get(label)!);
  }

  order(epoch: number): Int32Array {
    const random = new HostRandom(this.seed, epoch);
    const rest = this.byClass.map((members) => random.shuffle([...members]));
    const out = new Int32Array(this.length);
    for (let from = 0; from < this.length; from += this.batchSize) {
      const to = Math.min(from + this.batchSize, this.length);
      // What each class still lacks of its share of all items up to here.
      const lacking = rest.map((list, c) => {
        const { length } = this.byClass[c];
        return (length * to) / this.length - (length - list.length);
      });
      for (let at = from; at < to; at++) {
        let most = -1;
        lacking.forEach((value, c) => {
          if (rest[c].length > 0 && (most < 0 || value > lacking[most])) most = c;
        });
        lacking[most]--;
        out[at] = rest[most].pop()!;
      }
      random.shuffle(out.subarray(from, to));
    }
    return out;
  }
}

export interface DistributedSamplerOptions {
  /** Number of processes that train together. */
  readonly numReplicas: number;
  /** Which of them this is, from 0. */
  readonly rank: number;
  /** Default true. */
  readonly shuffle?: boolean;
  /** The same in all processes. Default 0. */
  readonly seed?: number;
  /** Leave out the last items if they cannot be shared evenly; default: some come twice instead. */
  readonly dropLast?: boolean;
}

const DISTRIBUTED_SAMPLER_OPTIONS: OptionNames<DistributedSamplerOptions> = {
  numReplicas: true,
  rank: true,
  shuffle: true,
  seed: true,
  dropLast: true,
};

/** One process's share: every `numReplicas`-th item of an order that all processes agree upon. PyTorch: DistributedSampler. */
export class DistributedSampler implements Sampler {
  readonly length: number;
  private readonly count: number;
  private readonly numReplicas: number;
  private readonly rank: number;
  private readonly whole: Sampler;

  constructor(dataset: Sized, options: DistributedSamplerOptions) {
    checkNeededOptions(new.target.name, options, DISTRIBUTED_SAMPLER_OPTIONS, '{ numReplicas: 2, rank: 0 }');
    const { numReplicas, rank, shuffle = true, seed = 0, dropLast = false } = options;
    this.count = lengthOf(dataset, 'DistributedSampler');
    this.numReplicas = checkCount(numReplicas, 'DistributedSampler: numReplicas', 1);
    this.rank = checkCount(rank, 'DistributedSampler: rank', 0);
    if (rank >= numReplicas)
      throw new ArgumentError(
        `DistributedSampler: rank ${rank} of ${numReplicas} processes. Use 0 to ${numReplicas - 1}.`,
      );
    const share = this.count / numReplicas;
    this.length = dropLast ? Math.floor(share) : Math.ceil(share);
    this.whole = shuffle ? new RandomSampler(this.count, { seed }) : new SequentialSampler(this.count);
  }

  order(epoch: number): Int32Array {
    const order = this.whole.order(epoch);
    return Int32Array.from({ length: this.length }, (_, i) => order[(i * this.numReplicas + this.rank) % this.count]);
  }
}
