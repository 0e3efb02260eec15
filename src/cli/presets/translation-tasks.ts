// What `nabla train translate` can learn: pairs of texts, and how they become numbers. 0 is padding, 1 begins an answer, 2 ends a text.

import { CharVocabulary, type SentencePairs, SequenceDataset, dates, multi30k } from '../../data/index.js';
import { tokenizerFrom, trainTokenizer } from '../../text/index.js';

export const [PAD, START, END] = [0, 1, 2];
/** Lengths of batches are multiples of it: finer ones have less padding, and more steps to compile. */
export const WIDTH = 12;
const SPECIALS = ['<pad>', '<s>', '</s>'];

/** Texts to numbers and back. */
export interface Coder {
  readonly size: number;
  encode(text: string): number[];
  decode(ids: readonly number[]): string;
  /** Tokens as they are written below a picture. */
  tokens(ids: readonly number[]): string[];
}

export interface TranslationTask {
  readonly train: SentencePairs;
  readonly validation: SentencePairs;
  readonly test: SentencePairs;
  readonly coder: Coder;
  /** Most tokens of a text. */
  readonly contextLength: number;
}

function part({ source, target }: SentencePairs, from: number, to: number): SentencePairs {
  return { source: source.slice(from, to), target: target.slice(from, to) };
}

/** Dates as they are written, to ISO's form; character by character. */
function dateTask(): TranslationTask {
  const all = dates({ samples: 4600 });
  const vocabulary = CharVocabulary.of([...all.source, ...all.target].join(''));
  const coder = {
    size: vocabulary.size + SPECIALS.length,
    encode: (text: string) => Array.from(vocabulary.encode(text), (id) => id + SPECIALS.length),
    decode: (ids: readonly number[]) =>
      vocabulary.decode(ids.filter((id) => id >= SPECIALS.length).map((id) => id - SPECIALS.length)),
    tokens: (ids: readonly number[]) => ids.map((id) => SPECIALS[id] ?? vocabulary.tokenOf(id - SPECIALS.length)),
  };
  const [train, validation, test] = [part(all, 0, 4000), part(all, 4000, 4300), part(all, 4300, 4600)];
  return { train, validation, test, coder, contextLength: 40 };
}

/** German to English: one vocabulary of byte pairs for both. */
async function multi30kTask(vocabularySize: number): Promise<TranslationTask> {
  const { train, validation, test } = await multi30k();
  const json = trainTokenizer([...train.source, ...train.target], { vocabularySize, specialTokens: SPECIALS });
  const tokenizer = await tokenizerFrom(json);
  const coder = {
    size: tokenizer.vocabularySize,
    encode: (text: string) => [...tokenizer.encode(text).ids],
    decode: (ids: readonly number[]) => tokenizer.decode(ids).trim(),
    tokens: (ids: readonly number[]) => ids.map((id) => SPECIALS[id] ?? tokenizer.decode([id]).trim()),
  };
  return { train, validation, test, coder, contextLength: 80 };
}

export const TASKS: Readonly<Record<string, (vocabularySize: number) => TranslationTask | Promise<TranslationTask>>> = {
  dates: dateTask,
  multi30k: multi30kTask,
};

/** As a dataset: sources end with END, answers begin with START and end with END. Pairs that are too long are left out, if asked for. */
export function datasetOf(
  { source, target }: SentencePairs,
  { coder, contextLength }: TranslationTask,
  { dropLong }: { readonly dropLong: boolean },
) {
  const pairs = source
    .map((text, i) => ({ x: [...coder.encode(text), END], y: [START, ...coder.encode(target[i]), END] }))
    .filter(({ x, y }) => !dropLong || (x.length <= contextLength && y.length <= contextLength));
  return new SequenceDataset(
    {
      x: pairs.map(({ x }) => Int32Array.from(x.slice(0, contextLength))),
      y: pairs.map(({ y }) => Int32Array.from(y.slice(0, contextLength))),
    },
    { multipleOf: WIDTH },
  );
}
