// Text by a model: token by token, or by beam search; one text as it comes, or several at once.

import { HostRandom, nextHostRandom } from '../tensor/host-random.js';
import {
  ArgumentError,
  type OptionNames,
  checkHas,
  checkList,
  checkNumber,
  checkNumbers,
  checkOptions,
  checkWhole,
  shown,
  wrongKind,
} from '../tensor/library.js';
import { BeamSearch } from './beam-search.js';
import { Decoding, type GenerativeModel, type Rows, readsSource } from './decoding.js';
import { type SamplingOptions, SAMPLING_OPTIONS, checkSampling, pickToken } from './sampling.js';

export type { GenerativeModel } from './decoding.js';

export interface GenerateOptions extends SamplingOptions {
  /** Most tokens that are made. Default: as many as the model has room for. */
  readonly maxNewTokens?: number;
  /** Ids at which it ends; they are not given out. Default: none. */
  readonly stop?: readonly number[];
  /** Of the random numbers. Default: the generator that `manualSeed` seeds. */
  readonly seed?: number;
  /** Texts that are followed at once, to find the most probable as a whole (beam search). Default 1: the most probable token each time. */
  readonly numBeams?: number;
  /** With beams, scores are divided by the length to this power: above 0 longer texts win more often. Default 1. */
  readonly lengthPenalty?: number;
  /** With beams: end when as many texts as beams have ended (true), when better ones are improbable (false), or impossible ('never'). Default false. */
  readonly earlyStopping?: boolean | 'never';
}

const OPTIONS: OptionNames<GenerateOptions> = {
  ...SAMPLING_OPTIONS,
  maxNewTokens: true,
  stop: true,
  seed: true,
  numBeams: true,
  lengthPenalty: true,
  earlyStopping: true,
};

/**
 * The tokens that a model puts behind `prompt`, ids of at least one token, one after the other; of a T5, the answer to it. Without options the
 * most probable one is taken each time; with `temperature`, `topK` or `topP` it is drawn; with `numBeams` they come when the search is done. It ends
 * after `maxNewTokens`, at an id of `stop`, or when the model's context is full. The model should be in evaluation mode. transformers:
 * model.generate.
 *
 *     for await (const id of generate(model, tokenizer.encode('Once upon a time').ids, { maxNewTokens: 50, topP: 0.9 }))
 *       process.stdout.write(tokenizer.decode([id]));
 */
export async function* generate(
  model: GenerativeModel,
  prompt: ArrayLike<number>,
  options: GenerateOptions = {},
): AsyncGenerator<number, void, undefined> {
  const call = 'generate';
  checkOptionsOf(call, model, options);
  const ids = checkPrompt(call, 'the prompt', prompt);
  const work = workOf(call, model, [ids], options);
  if (work.made === 0) return;
  if (work.beams > 1) {
    const [found] = await searched(work, options);
    yield* found;
    return;
  }
  const { decoding, stops, random } = work;
  const seen = Array.from(decoding.beginnings[0]);
  let rows = await decoding.begin();
  for (let made = 0; ;) {
    const id = pickToken(rows.data, seen, options, random);
    if (stops.has(id)) return;
    seen.push(id);
    yield id;
    if (++made >= work.made) return;
    rows = await decoding.next([id]);
  }
}

/**
 * What a model puts behind each of several prompts, which may have several lengths: the ids of each, without those of the prompts. All are made at
 * once; a text that has ended waits for the others. Options as `generate` has them; where tokens are drawn, the texts draw in turns.
 *
 *     const texts = await generateBatch(model, [[1, 2, 3], [4]], { maxNewTokens: 20, numBeams: 4 });
 */
export async function generateBatch(
  model: GenerativeModel,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions = {},
): Promise<number[][]> {
  const call = 'generateBatch';
  checkOptionsOf(call, model, options);
  checkList(call, 'the prompts', prompts, 'lists of ids');
  if (prompts.length === 0) throw new ArgumentError(`${call}: there are no prompts. Give at least one.`);
  const ids = prompts.map((prompt, i) => checkPrompt(call, `prompt ${i}`, prompt));
  const work = workOf(call, model, ids, options);
  if (work.made === 0) return ids.map(() => []);
  if (work.beams > 1) return searched(work, options);
  const { decoding, stops, random } = work;
  const texts = decoding.beginnings.map((begin): Growing => ({ seen: Array.from(begin), made: [], isDone: false }));
  for (let rows = await decoding.begin(); ;) {
    for (const [i, text] of texts.entries()) {
      if (text.isDone) continue;
      const id = pickToken(rowOf(rows, i), text.seen, options, random);
      if (stops.has(id)) text.isDone = true;
      else {
        text.seen.push(id);
        text.made.push(id);
        text.isDone = text.made.length >= work.made;
      }
    }
    if (texts.every(({ isDone }) => isDone)) return texts.map(({ made }) => made);
    rows = await decoding.next(texts.map(({ seen }) => seen[seen.length - 1]));
  }
}

/** A text of a batch. */
interface Growing {
  /** With the prompt, and without it. */
  readonly seen: number[];
  readonly made: number[];
  isDone: boolean;
}

const rowOf = ({ data, width }: Rows, i: number): Float64Array => data.subarray(i * width, (i + 1) * width);

/** Beam search for each of the prompts; those that are done go on idly until all are. */
async function searched(work: Work, options: GenerateOptions): Promise<number[][]> {
  const { decoding, beams, stops, made: maxNewTokens } = work;
  const { lengthPenalty = 1, earlyStopping = false, repetitionPenalty, noRepeatNgramSize } = options;
  const rules = {
    ...(repetitionPenalty !== undefined && { repetitionPenalty }),
    ...(noRepeatNgramSize !== undefined && { noRepeatNgramSize }),
  };
  const common = { numBeams: beams, lengthPenalty, earlyStopping, maxNewTokens, stops, rules };
  const searches = decoding.beginnings.map((begin) => new BeamSearch(begin, common));
  const idle = { ids: new Array<number>(beams).fill(0), from: Array.from({ length: beams }, (_, i) => i) };
  for (let rows = await decoding.begin(); ;) {
    const steps = searches.map((search, text) =>
      search.isDone ? idle : search.advance((beam) => rowOf(rows, text * beams + beam)),
    );
    if (searches.every(({ isDone }) => isDone)) return searches.map(({ best }) => Array.from(best));
    const from = steps.flatMap((step, text) => step.from.map((beam) => text * beams + beam));
    rows = await decoding.next(
      steps.flatMap(({ ids }) => ids),
      from,
    );
  }
}

interface Work {
  readonly decoding: Decoding;
  readonly beams: number;
  /** Tokens that may be made. */
  readonly made: number;
  readonly stops: ReadonlySet<number>;
  readonly random: HostRandom;
}

function workOf(
  call: string,
  model: GenerativeModel,
  prompts: readonly (readonly number[])[],
  { maxNewTokens = Infinity, numBeams = 1, stop = [], seed }: GenerateOptions,
): Work {
  const { contextLength } = model;
  const longest = readsSource(model) ? 1 : prompts.reduce((most, { length }) => Math.max(most, length), 0);
  if (longest > contextLength)
    throw new ArgumentError(
      `${call}: the prompt has ${longest} tokens, the model's context is ${contextLength}. Give its last ones: ids.slice(${-contextLength}).`,
    );
  const made = Math.min(maxNewTokens, contextLength - longest);
  const random = seed === undefined ? nextHostRandom() : new HostRandom(seed);
  return {
    decoding: new Decoding(call, model, prompts, numBeams, made),
    beams: numBeams,
    made,
    stops: new Set(stop),
    random,
  };
}

function checkOptionsOf(call: string, model: GenerativeModel, options: GenerateOptions): void {
  const advice = 'Give a GPT2, a Llama, a T5, or a module of yours with newCache, step and contextLength';
  checkHas(call, 'the model', model, ['step', 'contextLength'], advice);
  if (!readsSource(model)) checkHas(call, 'the model', model, ['newCache'], advice);
  checkOptions(call, options, OPTIONS);
  checkSampling(call, options);
  const { maxNewTokens, stop, seed, numBeams = 1, lengthPenalty, earlyStopping } = options;
  if (maxNewTokens !== undefined) checkWhole(call, 'maxNewTokens', maxNewTokens);
  if (stop !== undefined) checkNumbers(call, 'stop', stop);
  if (seed !== undefined) checkWhole(call, 'seed', seed);
  checkWhole(call, 'numBeams', numBeams, 1);
  if (lengthPenalty !== undefined) checkNumber(call, 'lengthPenalty', lengthPenalty);
  if (earlyStopping !== undefined && typeof earlyStopping !== 'boolean' && earlyStopping !== 'never')
    throw wrongKind(call, 'earlyStopping', earlyStopping, "Use true, false or 'never'");
  if (numBeams === 1) return;
  const { temperature = 0, topK, topP } = options;
  if (temperature !== 0 || topK !== undefined || topP !== undefined)
    throw new ArgumentError(
      `${call}: with numBeams ${numBeams} nothing is drawn. Leave temperature, topK and topP out, or numBeams.`,
    );
}

function checkPrompt(call: string, what: string, prompt: ArrayLike<number>): readonly number[] {
  checkNumbers(call, what, prompt);
  const ids = Array.from(prompt);
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0);
  if (wrong !== undefined)
    throw new ArgumentError(`${call}: ${what} has ${shown(wrong)}. Give ids, whole numbers from 0 on.`);
  if (ids.length > 0) return ids;
  throw new ArgumentError(`${call}: ${what} is empty. Give at least one id, such as that of the text's beginning.`);
}
