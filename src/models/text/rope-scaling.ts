// How the angles of rotary positions are scaled for texts longer than those of the training, by transformers' names.
//   Numbers in, frequencies out. Must not know: tensors, models.

import {
  ArgumentError,
  FormatError,
  checkChoice,
  checkNumber,
  checkNumbers,
  checkRecord,
  checkWhole,
  shown,
} from '../../tensor/library.js';
import type { Config } from './config.js';

/** Names and meaning are transformers'. */
export type RopeScaling = Stretched | Llama3 | Yarn | LongRope;

interface Stretched {
  /** 'linear': all positions are divided by `factor`. 'dynamic': the base grows with the text, beyond the length of the training. */
  readonly ropeType: 'linear' | 'dynamic';
  readonly factor: number;
}

/** Long waves are divided by `factor`, short ones stay. */
interface Llama3 {
  readonly ropeType: 'llama3';
  readonly factor: number;
  /** Turns in the training's length below which a pair is divided. */
  readonly lowFreqFactor: number;
  /** Turns from which on it stays. */
  readonly highFreqFactor: number;
  readonly originalMaxPositionEmbeddings: number;
}

/** Peng et al. 2023 */
interface Yarn {
  readonly ropeType: 'yarn';
  readonly factor: number;
  readonly originalMaxPositionEmbeddings: number;
  /** Of cosines and sines. Default: 0.1 ln `factor` + 1, or the quotient of those with `mscale` and `mscaleAllDim` before the logarithm. */
  readonly attentionFactor?: number;
  /** Turns in the training's length from which on a pair keeps its frequency. Default 32. */
  readonly betaFast?: number;
  /** Turns below which it is divided by `factor`. Default 1. */
  readonly betaSlow?: number;
  readonly mscale?: number;
  readonly mscaleAllDim?: number;
  /** Round the pairs at the edges to whole ones. Default true. */
  readonly truncate?: boolean;
}

/** Ding et al. 2024: each pair's wave is stretched by a factor of its own, in long texts by others than in short ones. */
interface LongRope {
  readonly ropeType: 'longrope';
  /** By how much longer the longest text is than those of the training; it makes the `attentionFactor`. */
  readonly factor: number;
  /** The longest of the short texts. */
  readonly originalMaxPositionEmbeddings: number;
  /** One for each pair. */
  readonly shortFactor: readonly number[];
  readonly longFactor: readonly number[];
  /** Of cosines and sines. Default: √(1 + ln `factor` / ln `originalMaxPositionEmbeddings`). */
  readonly attentionFactor?: number;
}

const TYPES = ['linear', 'dynamic', 'llama3', 'yarn', 'longrope'] as const;

/** `width`: features of a head that are turned. */
export function checkRopeScaling(call: string, scaling: RopeScaling | undefined, width: number): void {
  if (scaling === undefined) return;
  checkRecord(call, 'ropeScaling', scaling, 'settings');
  checkChoice(call, 'ropeScaling.ropeType', scaling.ropeType, TYPES);
  const { factor } = scaling;
  if (!(factor >= 1))
    throw new ArgumentError(`${call}: ropeScaling.factor is ${shown(factor)}. Use a number from 1 on.`);
  if (scaling.ropeType === 'longrope') return checkLongRope(call, scaling, width);
  if (scaling.ropeType !== 'llama3' && scaling.ropeType !== 'yarn') return;
  checkWhole(call, 'ropeScaling.originalMaxPositionEmbeddings', scaling.originalMaxPositionEmbeddings, 1);
  const numbers =
    scaling.ropeType === 'yarn'
      ? yarnNumbers(scaling)
      : { lowFreqFactor: scaling.lowFreqFactor, highFreqFactor: scaling.highFreqFactor };
  for (const [name, value] of Object.entries(numbers))
    if (value !== undefined || scaling.ropeType === 'llama3') checkNumber(call, `ropeScaling.${name}`, value);
}

function checkLongRope(call: string, scaling: LongRope, width: number): void {
  const { shortFactor, longFactor, attentionFactor, originalMaxPositionEmbeddings } = scaling;
  checkWhole(call, 'ropeScaling.originalMaxPositionEmbeddings', originalMaxPositionEmbeddings, 2);
  for (const [name, factors] of Object.entries({ shortFactor, longFactor })) {
    checkNumbers(call, `ropeScaling.${name}`, factors);
    if (factors.length !== width / 2)
      throw new ArgumentError(
        `${call}: ropeScaling.${name} has ${factors.length} factors, and heads have ${width / 2} pairs of features that are turned. Give one for each.`,
      );
    const wrong = factors.find((factor) => !(factor > 0));
    if (wrong !== undefined)
      throw new ArgumentError(`${call}: ropeScaling.${name} has ${shown(wrong)}. Use numbers above 0.`);
  }
  if (attentionFactor !== undefined) checkNumber(call, 'ropeScaling.attentionFactor', attentionFactor);
}

function yarnNumbers({ attentionFactor, betaFast, betaSlow, mscale, mscaleAllDim }: Yarn): object {
  return { attentionFactor, betaFast, betaSlow, mscale, mscaleAllDim };
}

/** Radians a position, for each pair of `width` features, and what cosines and sines are multiplied by. */
export interface Frequencies {
  readonly frequencies: Float64Array;
  readonly amplitude: number;
}

export function scaledFrequencies(width: number, theta: number, scaling: RopeScaling | undefined): Frequencies {
  const plain = Float64Array.from({ length: width / 2 }, (_, i) => theta ** ((-2 * i) / width));
  switch (scaling?.ropeType) {
    case 'linear':
      return { frequencies: plain.map((f) => f / scaling.factor), amplitude: 1 };
    case 'llama3': {
      const { factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPositionEmbeddings: length } = scaling;
      const frequencies = plain.map((f) => {
        const turns = (length * f) / (2 * Math.PI); // in a text of the training
        const share = Math.min(1, Math.max(0, (turns - low) / (high - low)));
        return ((1 - share) * f) / factor + share * f;
      });
      return { frequencies, amplitude: 1 };
    }
    case 'yarn':
      return yarn(width, theta, plain, scaling);
    case 'longrope': {
      const { factor, originalMaxPositionEmbeddings: length, shortFactor } = scaling;
      const usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(length));
      return {
        frequencies: plain.map((f, i) => f / shortFactor[i]),
        amplitude: scaling.attentionFactor ?? usual,
      };
    }
    default: // 'dynamic' begins to differ beyond the length of the training
      return { frequencies: plain, amplitude: 1 };
  }
}

/** Of texts that are longer than those of the training. */
export function longFrequencies(width: number, theta: number, { longFactor }: LongRope): Float64Array {
  return Float64Array.from({ length: width / 2 }, (_, i) => theta ** ((-2 * i) / width) / longFactor[i]);
}

function yarn(width: number, theta: number, plain: Float64Array, scaling: Yarn): Frequencies {
  const { factor, originalMaxPositionEmbeddings: length, betaFast = 32, betaSlow = 1, truncate = true } = scaling;
  // the pair that makes so many turns in a text of the training
  const pairOf = (turns: number): number => (width * Math.log(length / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [pairOf(betaFast), pairOf(betaSlow)];
  const low = Math.max(0, truncate ? Math.floor(first) : first);
  const high = Math.min(width - 1, truncate ? Math.ceil(last) : last);
  const span = high === low ? 0.001 : high - low;
  const frequencies = plain.map((f, i) => {
    const share = Math.min(1, Math.max(0, (i - low) / span)); // of the divided frequency
    return (f / factor) * share + f * (1 - share);
  });
  return { frequencies, amplitude: scaling.attentionFactor ?? attentionFactorOf(scaling) };
}

function attentionFactorOf({ factor, mscale, mscaleAllDim }: Yarn): number {
  const of = (scale: number): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  if (mscale === undefined || mscaleAllDim === undefined || mscale === 0 || mscaleAllDim === 0) return of(1);
  return of(mscale) / of(mscaleAllDim);
}

/** 'dynamic' multiplies each frequency by the power of its number here of the length's growth. */
export function dynamicExponents(width: number): Float64Array {
  return Float64Array.from({ length: width / 2 }, (_, i) => (-2 * i) / (width - 2));
}

export interface RopeOptions {
  readonly ropeTheta?: number;
  readonly ropeScaling?: RopeScaling;
}

/**
 * `rope_parameters`, or before transformers 5 `rope_theta` and `rope_scaling`; of a config.json that has `original_max_position_embeddings`
 * whatever it says, `original`.
 */
export function ropeOf(config: Config, maxPositionEmbeddings: number, original?: number): RopeOptions {
  const isPhi = config.modelType === 'phi3';
  const rope = config.part('rope_parameters') ?? config.part('rope_scaling');
  const theta = rope?.number('rope_theta') ?? config.number('rope_theta');
  const found = theta === undefined ? {} : { ropeTheta: theta };
  if (!isPhi) for (const part of [config, rope]) part?.refuse('partial_rotary_factor', [1, undefined]);
  if (rope === undefined) return found;
  const said: unknown = rope.get('rope_type') ?? rope.get('type') ?? 'default';
  if (said === 'default') return found;
  const ropeType = isPhi && (said === 'su' || said === 'yarn') ? 'longrope' : said; // as older files call it
  const length =
    config.number('original_max_position_embeddings') ??
    rope.number('original_max_position_embeddings') ??
    original ??
    maxPositionEmbeddings;
  const factor = (): number => needed(rope, 'factor');
  switch (ropeType) {
    case 'linear':
    case 'dynamic':
      return { ...found, ropeScaling: { ropeType, factor: factor() } };
    case 'llama3': {
      const [lowFreqFactor, highFreqFactor] = [needed(rope, 'low_freq_factor'), needed(rope, 'high_freq_factor')];
      const edges = { lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings: length };
      return { ...found, ropeScaling: { ropeType, factor: factor(), ...edges } };
    }
    case 'yarn': {
      const own = rope.options<Omit<Yarn, 'ropeType'>>(YARN_OPTIONS);
      const scale = rope.number('factor') ?? maxPositionEmbeddings / length;
      return { ...found, ropeScaling: { ...own, ropeType, factor: scale, originalMaxPositionEmbeddings: length } };
    }
    case 'longrope': {
      const attentionFactor = rope.number('attention_factor');
      const ropeScaling: LongRope = {
        ropeType,
        factor: rope.number('factor') ?? maxPositionEmbeddings / length,
        originalMaxPositionEmbeddings: length,
        shortFactor: factorsIn(rope, 'short_factor'),
        longFactor: factorsIn(rope, 'long_factor'),
        ...(attentionFactor !== undefined && { attentionFactor }),
      };
      return { ...found, ropeScaling };
    }
    default:
      throw new ArgumentError(
        `fromPretrained: ${config.name} has rotary positions of type ${shown(ropeType)}. There are 'default', ${TYPES.map(shown).join(', ')}.`,
      );
  }
}

const YARN_OPTIONS = {
  factor: true,
  originalMaxPositionEmbeddings: true,
  attentionFactor: true,
  betaFast: true,
  betaSlow: true,
  mscale: true,
  mscaleAllDim: true,
  truncate: true,
} as const satisfies Record<Exclude<keyof Yarn, 'ropeType'>, true>;

function needed(rope: Config, key: string): number {
  const value = rope.number(key);
  if (value !== undefined) return value;
  throw new FormatError(`fromPretrained: ${rope.name} has rotary positions without ${key}.`, rope.name);
}

function factorsIn(rope: Config, key: string): readonly number[] {
  const value: unknown = rope.get(key);
  if (Array.isArray(value) && value.every((one) => typeof one === 'number')) return value;
  throw new FormatError(
    `fromPretrained: ${rope.name} has rotary positions whose ${key} is ${shown(value)}, and no list of numbers.`,
    rope.name,
  );
}
