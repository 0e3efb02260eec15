// Which token comes next, from the logits of all: scores are changed, tokens are left out, one is taken or drawn. The order is that of
// transformers: repetition penalty, n-grams, temperature, top-k, top-p.
// Numbers in, a number out. Must not know: models, tensors.

import type { HostRandom } from '../tensor/host-random.js';
import { ArgumentError, type OptionNames, checkGiven, checkNumber, checkWhole, shown } from '../tensor/library.js';

export interface LogitRules {
  /** Positive logits of tokens that are there already are divided by it, negative ones multiplied (Keskar et al. 2019). Default 1. */
  readonly repetitionPenalty?: number;
  /** No so many tokens in a row come twice, those of the prompt counted. Default: they may. */
  readonly noRepeatNgramSize?: number;
}

export interface SamplingOptions extends LogitRules {
  /** Logits are divided by it, and a token is drawn; 0 takes the most probable one. Default 1 with `topK` or `topP`, and 0 without. */
  readonly temperature?: number;
  /** Draw from so many of the most probable tokens. Default: from all. */
  readonly topK?: number;
  /** Draw from the fewest of the most probable tokens whose probabilities add up to it. Default 1. */
  readonly topP?: number;
}

export const SAMPLING_OPTIONS: OptionNames<SamplingOptions> = {
  temperature: true,
  topK: true,
  topP: true,
  repetitionPenalty: true,
  noRepeatNgramSize: true,
};

export function checkSampling(call: string, options: SamplingOptions): void {
  const { temperature, topK, topP, repetitionPenalty, noRepeatNgramSize } = options;
  checkGiven(checkNumber, call, { temperature, topP, repetitionPenalty });
  if (topK !== undefined) checkWhole(call, 'topK', topK, 1);
  if (noRepeatNgramSize !== undefined) checkWhole(call, 'noRepeatNgramSize', noRepeatNgramSize, 1);
  if (temperature !== undefined && !(temperature >= 0))
    throw new ArgumentError(`${call}: temperature is ${shown(temperature)}. Use a number from 0 on.`);
  if (topP !== undefined && !(topP > 0 && topP <= 1))
    throw new ArgumentError(`${call}: topP is ${shown(topP)}. Use a number above 0, at most 1.`);
  if (repetitionPenalty !== undefined && !(repetitionPenalty > 0))
    throw new ArgumentError(`${call}: repetitionPenalty is ${shown(repetitionPenalty)}. Use a number above 0.`);
}

/** Changes the scores of tokens by what is there already. */
export function applyRules(scores: Float64Array, seen: readonly number[], rules: LogitRules): void {
  const { repetitionPenalty = 1, noRepeatNgramSize: size } = rules;
  if (repetitionPenalty !== 1)
    for (const id of new Set(seen))
      scores[id] = scores[id] > 0 ? scores[id] / repetitionPenalty : scores[id] * repetitionPenalty;
  if (size === undefined) return;
  // the last tokens would be the beginning of an n-gram: what has followed them before does not follow again
  const end = seen.length - size + 1;
  for (let at = 0; at < end; at++) {
    let same = 0;
    while (same < size - 1 && seen[at + same] === seen[end + same]) same++;
    if (same === size - 1) scores[seen[at + same]] = -Infinity;
  }
}

/** Tokens that may come, the most probable first, with their probabilities. */
export interface Candidates {
  readonly ids: readonly number[];
  readonly probabilities: readonly number[];
}

/** What a token is drawn from: one token alone with temperature 0. Equal logits: the smaller id first. */
export function candidatesFor(
  logits: ArrayLike<number>,
  seen: readonly number[],
  { temperature, topK = Infinity, topP = 1, ...rules }: SamplingOptions,
): Candidates {
  const scores = Float64Array.from(logits);
  applyRules(scores, seen, rules);
  const draws = temperature ?? (topK !== Infinity || topP !== 1 ? 1 : 0);
  if (draws === 0) return { ids: [indexOfLargest(scores)], probabilities: [1] };
  const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b);
  const kept = order.slice(0, Math.min(topK, order.length));
  const most = scores[kept[0]];
  const weights = kept.map((id) => Math.exp((scores[id] - most) / draws));
  const total = weights.reduce((a, b) => a + b, 0);
  let count = 0;
  for (let sum = 0; count < kept.length && sum < topP * total; count++) sum += weights[count];
  const share = weights.slice(0, count).reduce((a, b) => a + b, 0);
  return { ids: kept.slice(0, count), probabilities: weights.slice(0, count).map((w) => w / share) };
}

function indexOfLargest(scores: Float64Array): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i] > scores[best]) best = i;
  return best;
}

export function pickToken(
  logits: ArrayLike<number>,
  seen: readonly number[],
  options: SamplingOptions,
  random: HostRandom,
): number {
  const { ids, probabilities } = candidatesFor(logits, seen, options);
  if (ids.length === 1) return ids[0];
  let rest = random.uniform();
  for (const [i, id] of ids.entries()) if ((rest -= probabilities[i]) < 0) return id;
  return ids[ids.length - 1];
}
