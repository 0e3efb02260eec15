// What networks that were trained with connectionist temporal classification have read or heard: a class for each step becomes a sequence of
// tokens, in which repetitions are one and blanks are none (Graves et al. 2006).

import {
  ArgumentError,
  DTypeError,
  type OptionNames,
  ShapeError,
  checkChoice,
  checkGiven,
  checkFunction,
  checkList,
  checkNumber,
  checkOptions,
  checkWhole,
  formatShape,
} from '../tensor/library.js';
import { type AnyTensor, Tensor, checkTensor } from '../tensor/tensor.js';
import { type CtcLanguageModel, type Scores, beamSearch } from './ctc-beams.js';

export interface CtcDecodeOptions {
  /** The class that stands between tokens. Default 0. */
  readonly blank?: number;
  /** How many steps of each sample count: a list, or int32 [N]. Default: all. */
  readonly lengths?: readonly number[] | AnyTensor;
  /** The text of each class; they are put together as `text`. */
  readonly tokens?: readonly string[];
  /** What the numbers are: logits, which logarithms of probabilities are as well, or probabilities. Default 'logits'. */
  readonly input?: 'logits' | 'probabilities';
  /** Whether inputs are [T, N, C], as `ctcLoss` takes them, and not [N, T, C]. Default false. */
  readonly timeFirst?: boolean;
}

export interface CtcBeamOptions extends CtcDecodeOptions {
  /** How many beginnings are followed at the same time. Default 25. */
  readonly beamWidth?: number;
  /** How many sequences there are in the result, at most. Default 1. */
  readonly count?: number;
  /** How many of a step's classes are tried, the most probable ones. Default: all. */
  readonly tokensPerStep?: number;
  /** The logarithm of the probability of a token after others, from a language model. */
  readonly languageModel?: CtcLanguageModel;
  /** What it is multiplied by. Default 1. */
  readonly languageWeight?: number;
  /** Added for each token; above 0 it makes sequences longer. Default 0. */
  readonly tokenBonus?: number;
  /** Added for each word, that is each token that follows a `separator` or the beginning. Default 0. */
  readonly wordBonus?: number;
  /** The class between words. Default: that whose token is ' ' or '|'. */
  readonly separator?: number;
}

/** A sequence of tokens. */
export interface CtcSequence {
  /** Classes, without blanks. */
  readonly ids: readonly number[];
  /** Their tokens, if there are `tokens`, or ''. */
  readonly text: string;
  /** The logarithm of its probability, with what a language model and bonuses add. */
  readonly score: number;
}

/** A sequence that one way through the steps gives. */
export interface CtcPath extends CtcSequence {
  /** The step at which each token begins. */
  readonly steps: readonly number[];
}

const DECODE_NAMES: OptionNames<CtcDecodeOptions> = {
  blank: true,
  lengths: true,
  tokens: true,
  input: true,
  timeFirst: true,
};
const BEAM_NAMES: OptionNames<CtcBeamOptions> = {
  ...DECODE_NAMES,
  beamWidth: true,
  count: true,
  tokensPerStep: true,
  languageModel: true,
  languageWeight: true,
  tokenBonus: true,
  wordBonus: true,
  separator: true,
};

interface Given {
  /** For each sample its steps, the logarithms of the classes' probabilities one step after the other. */
  readonly samples: readonly Scores[];
  readonly blank: number;
  readonly tokens: readonly string[] | undefined;
}

async function read(op: string, input: AnyTensor, options: CtcDecodeOptions): Promise<Given> {
  checkTensor(input, op, 'the input');
  const { blank = 0, lengths, tokens, input: kind = 'logits', timeFirst = false } = options;
  if (input.dtype === 'bool') throw new DTypeError(`${op}: the input is bool. Give logits.`, ['bool']);
  if (input.rank !== 2 && input.rank !== 3)
    throw new ShapeError(`${op}: input ${formatShape(input.shape)}: needs [N, T, C] or [T, C]`, [input.shape]);
  checkChoice(op, 'input', kind, ['logits', 'probabilities']);
  const numbers: Tensor = input.to('float32').detach();
  const given: Tensor = input.rank === 2 ? numbers.unsqueeze(0) : timeFirst ? numbers.transpose(0, 1) : numbers;
  const [count, steps, classes] = given.shape;
  checkWhole(op, 'blank', blank);
  if (blank >= classes) throw new ArgumentError(`${op}: blank is ${blank}, and there are ${classes} classes.`);
  if (tokens !== undefined) {
    checkList(op, 'tokens', tokens, 'the texts of the classes');
    if (tokens.length !== classes)
      throw new ArgumentError(
        `${op}: ${tokens.length} tokens for ${classes} classes. Give one for each, the blank as well.`,
      );
  }
  const used = lengths === undefined ? undefined : await lengthsOf(op, lengths, count, steps);
  const logs = kind === 'logits' ? given.logSoftmax(-1) : given.log();
  const data = await logs.data();
  const samples = Array.from({ length: count }, (_, n) => {
    const from = n * steps * classes;
    const length = used?.[n] ?? steps;
    return { logs: data.subarray(from, from + length * classes), steps: length, classes };
  });
  return { samples, blank, tokens };
}

async function lengthsOf(
  op: string,
  lengths: readonly number[] | AnyTensor,
  count: number,
  most: number,
): Promise<ArrayLike<number>> {
  if (!Array.isArray(lengths)) checkTensor(lengths, op, 'lengths');
  const list: ArrayLike<number> = lengths instanceof Tensor ? await lengths.data() : lengths;
  if (list.length !== count)
    throw new ArgumentError(`${op}: ${list.length} lengths for ${count} samples. Give one for each.`);
  for (let i = 0; i < count; i++) {
    checkWhole(op, 'a length', list[i]);
    if (list[i] > most) throw new ArgumentError(`${op}: a length is ${list[i]}, and there are ${most} steps.`);
  }
  return list;
}

function textOf(ids: readonly number[], tokens: readonly string[] | undefined): string {
  return tokens === undefined ? '' : ids.map((id) => tokens[id]).join('');
}

/**
 * The sequence of the most probable class of each step, for each sample: logits [N, T, C] or [T, C] → a list of N. Reads the logits.
 *
 *     const [{ text }] = await ctcGreedyDecode(logits, { tokens: ['', 'a', 'b', 'c'] });
 */
export async function ctcGreedyDecode(input: AnyTensor, options: CtcDecodeOptions = {}): Promise<CtcPath[]> {
  const op = 'ctcGreedyDecode';
  checkOptions(op, options, DECODE_NAMES);
  const { samples, blank, tokens } = await read(op, input, options);
  return samples.map(({ logs, steps, classes }) => {
    const [ids, begins]: [number[], number[]] = [[], []];
    let [before, score] = [blank, 0];
    for (let t = 0; t < steps; t++) {
      let best = 0;
      for (let c = 1; c < classes; c++) if (logs[t * classes + c] > logs[t * classes + best]) best = c;
      score += logs[t * classes + best];
      if (best !== blank && best !== before) {
        ids.push(best);
        begins.push(t);
      }
      before = best;
    }
    return { ids, text: textOf(ids, tokens), score, steps: begins };
  });
}

/**
 * The most probable sequences, whatever the ways through the steps that lead to them, for each sample: logits [N, T, C] or [T, C] → a list
 * of N lists, best first. Beginnings of sequences are followed `beamWidth` at a time (Hannun et al. 2014), with a language model if there
 * is one. Reads the logits.
 *
 *     const [[best]] = await ctcBeamSearch(logits, { tokens, beamWidth: 50, languageModel: (ids, next) => bigram[ids.at(-1) ?? 0][next] });
 */
export async function ctcBeamSearch(input: AnyTensor, options: CtcBeamOptions = {}): Promise<CtcSequence[][]> {
  const op = 'ctcBeamSearch';
  checkOptions(op, options, BEAM_NAMES);
  const { beamWidth = 25, count = 1, tokensPerStep, languageModel, separator, ...rest } = options;
  const { languageWeight = 1, tokenBonus = 0, wordBonus = 0 } = rest;
  checkWhole(op, 'beamWidth', beamWidth, 1);
  checkWhole(op, 'count', count, 1);
  checkGiven((call, what, value) => checkWhole(call, what, value, 1), op, { tokensPerStep });
  checkGiven(checkNumber, op, { languageWeight, tokenBonus, wordBonus });
  if (languageModel !== undefined) checkFunction(op, languageModel, 'languageModel');
  const { samples, blank, tokens } = await read(op, input, rest);
  const space = separator ?? tokens?.findIndex((token) => token === ' ' || token === '|') ?? -1;
  if (separator !== undefined) checkWhole(op, 'separator', separator);
  if (wordBonus !== 0 && space < 0)
    throw new ArgumentError(`${op}: wordBonus needs to know where words end. Give the separator.`);
  return samples.map((scores) =>
    beamSearch(scores, {
      blank,
      beamWidth,
      count,
      tokensPerStep: tokensPerStep ?? scores.classes,
      added: (prefix, next) => {
        const heard = languageModel === undefined ? 0 : languageWeight * checkedScore(op, languageModel(prefix, next));
        const isWord = next !== space && (prefix.length === 0 || prefix[prefix.length - 1] === space);
        return heard + tokenBonus + (isWord ? wordBonus : 0);
      },
    }).map(({ ids, score }) => ({ ids, text: textOf(ids, tokens), score })),
  );
}

function checkedScore(op: string, score: number): number {
  checkNumber(op, 'what languageModel gives', score);
  return score;
}
