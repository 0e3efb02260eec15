// Text as numbers: vocabularies of characters and of words, and windows of a long text whose targets are the next tokens.
// Strings in, Int32Arrays and datasets out. Must not know: files, models.

import { tensor } from '../tensor/creation.js';
import {
  ArgumentError,
  checkOptions,
  IndexError,
  type OptionNames,
  checkFunction,
  checkIterable,
  checkList,
  checkNumber,
  checkText,
  wrongKind,
  checkNeededOptions,
} from '../tensor/library.js';
import { isInt32Array } from '../tensor/typed-arrays.js';
import type { Tensor } from '../tensor/tensor.js';
import type { BatchSource, Dataset } from './dataset.js';

/** Tokens with numbers 0, 1, … */
export class Vocabulary {
  readonly tokens: readonly string[];
  private readonly ids: ReadonlyMap<string, number>;

  constructor(tokens: readonly string[]) {
    checkList('Vocabulary', 'the argument', tokens, 'tokens');
    tokens.forEach((token, i) => checkText('Vocabulary', `token ${i}`, token));
    this.tokens = tokens;
    this.ids = new Map(tokens.map((token, i) => [token, i]));
    if (this.ids.size !== tokens.length) throw new ArgumentError('Vocabulary: a token comes twice. Give each once.');
  }

  get size(): number {
    return this.tokens.length;
  }

  /** The number of a token, or undefined. */
  idOf(token: string): number | undefined {
    return this.ids.get(token);
  }

  /** The tokens of numbers. */
  protected tokensOf(ids: Iterable<number>): string[] {
    checkIterable('decode', 'the argument', ids, 'numbers');
    return Array.from(ids, (id) => this.tokenOf(id));
  }

  /** The token of a number; IndexError beyond the vocabulary. */
  tokenOf(id: number): string {
    const token = this.tokens[id];
    if (token === undefined) {
      throw new IndexError(`Vocabulary: token ${id} of ${this.size}. Use 0 to ${this.size - 1}.`, id, this.size);
    }
    return token;
  }
}

/**
 * The characters (Unicode code points) of a text, in the order of their code points.
 *
 *     const vocabulary = CharVocabulary.of(text);
 *     vocabulary.decode(vocabulary.encode(text)) === text
 */
export class CharVocabulary extends Vocabulary {
  static of(text: string): CharVocabulary {
    checkText('CharVocabulary', 'the text', text);
    const points = new Set<number>();
    for (const character of text) points.add(character.codePointAt(0)!);
    return new CharVocabulary([...points].sort((a, b) => a - b).map((point) => String.fromCodePoint(point)));
  }

  /** One number for each character; ArgumentError for one that is not in the vocabulary. */
  encode(text: string): Int32Array {
    checkText('encode', 'the text', text);
    const out = new Int32Array(text.length);
    let used = 0;
    for (const character of text) {
      const id = this.idOf(character);
      if (id === undefined)
        throw new ArgumentError(
          `CharVocabulary: ${JSON.stringify(character)} (character ${used}) is not among the ${this.size} characters. Make the vocabulary of all texts.`,
        );
      out[used++] = id;
    }
    return used === text.length ? out : out.slice(0, used);
  }

  decode(ids: Iterable<number>): string {
    return this.tokensOf(ids).join('');
  }
}

export interface WordOptions {
  /** Least number of times that a word must come. Default 1. */
  readonly minFrequency?: number;
  /** Most tokens, specials included. Default: no limit. */
  readonly maxSize?: number;
  /** Tokens before all others. Default ['<unk>']; unknown words need '<unk>'. */
  readonly specials?: readonly string[];
  /** How text is cut. Default: words in lower case and single punctuation marks. */
  readonly tokenize?: (text: string) => string[];
}

const WORD_OPTIONS: OptionNames<WordOptions> = { minFrequency: true, maxSize: true, specials: true, tokenize: true };

const UNKNOWN = '<unk>';

/**
 * Words (letters with their marks, digits, apostrophes) in lower case, and punctuation marks, one by one. What looks the same is
 * the same: e with an accent of its own is é (Unicode's NFC).
 */
export function tokenizeWords(text: string): string[] {
  checkText('tokenizeWords', 'the text', text);
  const word = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:['’][\p{L}\p{N}][\p{L}\p{N}\p{M}]*)*|[^\s\p{L}\p{N}]/gu;
  return text.toLowerCase().normalize('NFC').match(word) ?? [];
}

/** The words of texts, most frequent first, and equally frequent ones in the order of their characters. */
export class WordVocabulary extends Vocabulary {
  private readonly tokenize: (text: string) => string[];

  constructor(tokens: readonly string[], tokenize: (text: string) => string[] = tokenizeWords) {
    super(tokens);
    this.tokenize = tokenize;
  }

  static of(texts: Iterable<string>, options: WordOptions = {}): WordVocabulary {
    checkOptions('WordVocabulary.of', options, WORD_OPTIONS);
    const { minFrequency = 1, maxSize = Infinity, specials = [UNKNOWN], tokenize = tokenizeWords } = options;
    checkIterable('WordVocabulary.of', 'the argument', texts, 'texts');
    checkNumber('WordVocabulary.of', 'minFrequency', minFrequency);
    checkNumber('WordVocabulary.of', 'maxSize', maxSize);
    checkList('WordVocabulary.of', 'specials', specials, 'tokens');
    checkFunction('WordVocabulary.of', tokenize, 'tokenize');
    const counts = new Map<string, number>();
    for (const text of texts) {
      checkText('WordVocabulary.of', 'a text', text);
      const words = tokenize(text);
      checkIterable('WordVocabulary.of', 'what tokenize returned', words, 'words');
      for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    for (const special of specials) counts.delete(special);
    const words = [...counts]
      .filter(([, count]) => count >= minFrequency)
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .map(([word]) => word);
    return new WordVocabulary([...specials, ...words].slice(0, Math.max(specials.length, maxSize)), tokenize);
  }

  /** One number for each word, that of `<unk>` for unknown ones; ArgumentError if there is no `<unk>`. */
  encode(text: string): Int32Array {
    checkText('encode', 'the text', text);
    const unknown = this.idOf(UNKNOWN);
    return Int32Array.from(this.tokenize(text), (word) => {
      const id = this.idOf(word) ?? unknown;
      if (id === undefined)
        throw new ArgumentError(
          `WordVocabulary: '${word}' is not known, and there is no '${UNKNOWN}' to stand for it.`,
        );
      return id;
    });
  }

  /** The words, with blanks between them. */
  decode(ids: Iterable<number>): string {
    return this.tokensOf(ids).join(' ');
  }
}

export interface WindowOptions {
  /** Tokens a window. */
  readonly length: number;
  /** Tokens from one window's beginning to the next. Default: `length`, so that every token is a target once. */
  readonly stride?: number;
}

const WINDOW_OPTIONS: OptionNames<WindowOptions> = { length: true, stride: true };

interface HostWindows {
  readonly x: Int32Array;
  readonly y: Int32Array;
  readonly count: number;
}

/**
 * Windows of a long text for a language model: x the tokens, y for each the one that follows, both int32 [length]. With
 * stride 1 and a RandomSampler's `numSamples`, batches begin anywhere. Does not copy the tokens.
 *
 *     new DataLoader(new TokenWindows(vocabulary.encode(text), { length: 64 }), { batchSize: 32, shuffle: true })
 */
export class TokenWindows
  implements
    Dataset<{ x: Int32Array; y: Int32Array }>,
    BatchSource<HostWindows, { x: Tensor<[number, number], 'int32'>; y: Tensor<[number, number], 'int32'> }>
{
  readonly tokens: Int32Array;
  readonly windowLength: number;
  readonly stride: number;

  constructor(tokens: Int32Array, options: WindowOptions) {
    checkNeededOptions('TokenWindows', options, WINDOW_OPTIONS, '{ length: 64 }');
    const { length, stride = length } = options;
    if (!isInt32Array(tokens))
      throw wrongKind('TokenWindows', 'the list of tokens', tokens, 'Give an Int32Array, as encode() makes it');
    for (const [name, value] of Object.entries({ length, stride })) {
      if (!Number.isInteger(value) || value < 1)
        throw new ArgumentError(`TokenWindows: ${name} is ${value}. Use a whole number of at least 1.`);
    }
    if (tokens.length < length + 1)
      throw new ArgumentError(
        `TokenWindows: ${tokens.length} tokens are too few for windows of ${length} and a next one.`,
      );
    this.tokens = tokens;
    this.windowLength = length;
    this.stride = stride;
  }

  get length(): number {
    return Math.floor((this.tokens.length - 1 - this.windowLength) / this.stride) + 1;
  }

  get(index: number): { x: Int32Array; y: Int32Array } {
    const { x, y } = this.gather([index]);
    return { x, y };
  }

  gather(positions: ArrayLike<number>): HostWindows {
    const size = this.windowLength;
    const [x, y] = [0, 1].map(() => new Int32Array(positions.length * size));
    for (let i = 0; i < positions.length; i++) {
      const index = positions[i];
      if (!(Number.isInteger(index) && index >= 0 && index < this.length))
        throw new IndexError(`TokenWindows: window ${index} of ${this.length}.`, index, this.length);
      const at = index * this.stride;
      x.set(this.tokens.subarray(at, at + size), i * size);
      y.set(this.tokens.subarray(at + 1, at + 1 + size), i * size);
    }
    return { x, y, count: positions.length };
  }

  upload({ x, y, count }: HostWindows): { x: Tensor<[number, number], 'int32'>; y: Tensor<[number, number], 'int32'> } {
    const shape: [number, number] = [count, this.windowLength];
    return { x: tensor(x, { shape }), y: tensor(y, { shape }) };
  }
}
