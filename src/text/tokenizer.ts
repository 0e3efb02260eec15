// Texts to numbers of tokens and back, by the files of a model. The work is done by @huggingface/tokenizers, an optional
// dependency that is loaded when it is needed.

import type { FileOptions, FileSource } from '../io/source.js';
import { tensor } from '../tensor/creation.js';
import {
  ArgumentError,
  FormatError,
  NablaError,
  type OptionNames,
  checkList,
  checkNumbers,
  checkOptions,
  checkRecord,
  checkText,
  checkWhole,
} from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { isRecord } from '../io/json-file.js';
import { openTokenizer } from './tokenizer-files.js';
import { largest } from '../tensor/extremes.js';

/** What is used of the package's Tokenizer: types of nabla do not need it installed. */
interface Inner {
  encode(
    text: string,
    options: { text_pair?: string; add_special_tokens: boolean; return_token_type_ids: true },
  ): { readonly ids: number[]; readonly tokens: string[]; readonly token_type_ids?: number[] };
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  get_vocab(): ReadonlyMap<string, number>;
  get_added_tokens_decoder(): ReadonlyMap<number, { readonly special: boolean }>;
}

/** Numbers of tokens and what belongs to them. */
export interface Encoded {
  readonly ids: readonly number[];
  /** The tokens as the vocabulary writes them. */
  readonly tokens: readonly string[];
  /** 0 in the first text, 1 in the second. */
  readonly tokenTypeIds: readonly number[];
}

/** Several texts as tensors, [B, T]: shorter ones are padded behind. */
export interface EncodedBatch {
  readonly ids: Tensor<[number, number], 'int32'>;
  /** 1 for a token, 0 for padding. */
  readonly attentionMask: Tensor<[number, number], 'int32'>;
  /** 0 in the first text, 1 in the second. */
  readonly tokenTypeIds: Tensor<[number, number], 'int32'>;
}

export interface EncodeOptions {
  /** A second text behind the first one, as BERT's pairs. */
  readonly pair?: string;
  /** Put the model's special tokens around the text: [CLS], [SEP]. Default true. */
  readonly addSpecialTokens?: boolean;
}

export interface BatchOptions {
  readonly addSpecialTokens?: boolean;
  /** Cut to so many tokens; special ones at the ends stay. Default: not cut. */
  readonly maxLength?: number;
  /** Default: the tokenizer's padding token, and 0 for one that has none. */
  readonly padId?: number;
}

export interface DecodeOptions {
  /** Leave special tokens out. Default true. */
  readonly skipSpecialTokens?: boolean;
}

const ENCODE_OPTIONS: OptionNames<EncodeOptions> = { pair: true, addSpecialTokens: true };
const BATCH_OPTIONS: OptionNames<BatchOptions> = { addSpecialTokens: true, maxLength: true, padId: true };
const DECODE_OPTIONS: OptionNames<DecodeOptions> = { skipSpecialTokens: true };

/** A tokenizer that `loadTokenizer` has read. */
export class Tokenizer {
  private readonly inner: Inner;
  /** Of the padding token; undefined for a tokenizer that has none. */
  readonly padId: number | undefined;

  /** For `loadTokenizer`. */
  constructor(inner: Inner, padId: number | undefined) {
    this.inner = inner;
    this.padId = padId;
  }

  /** How many tokens there are, special ones among them. */
  get vocabularySize(): number {
    return this.inner.get_vocab().size;
  }

  encode(text: string, options: EncodeOptions = {}): Encoded {
    checkText('encode', 'the text', text);
    checkOptions('encode', options, ENCODE_OPTIONS);
    const { pair, addSpecialTokens = true } = options;
    if (pair !== undefined) checkText('encode', 'pair', pair);
    const found = this.inner.encode(text, {
      ...(pair !== undefined && { text_pair: pair }),
      add_special_tokens: addSpecialTokens,
      return_token_type_ids: true,
    });
    const { ids, tokens, token_type_ids: tokenTypeIds = ids.map(() => 0) } = found; // without a post-processor there are none
    return { ids, tokens, tokenTypeIds };
  }

  /** Texts, or pairs of texts, of one batch, padded to the longest. */
  encodeBatch(texts: readonly (string | readonly [string, string])[], options: BatchOptions = {}): EncodedBatch {
    checkList('encodeBatch', 'the texts', texts, 'texts, or pairs of texts');
    checkOptions('encodeBatch', options, BATCH_OPTIONS);
    const { maxLength = Infinity, padId = this.padId ?? 0, ...rest } = options;
    if (maxLength !== Infinity) checkWhole('encodeBatch', 'maxLength', maxLength, 1);
    checkWhole('encodeBatch', 'padId', padId);
    if (texts.length === 0) throw new ArgumentError('encodeBatch: there are no texts. Give at least one.');
    const all = texts.map((text) => {
      const encoded =
        typeof text === 'string' ? this.encode(text, rest) : this.encode(text[0], { ...rest, pair: text[1] });
      return this.cut(encoded, maxLength);
    });
    const length = Math.max(1, largest(all.map(({ ids }) => ids.length)));
    const filled = (part: (one: Encoded) => readonly number[], fill: number): Tensor<[number, number], 'int32'> => {
      const numbers = new Int32Array(all.length * length).fill(fill);
      for (const [i, one] of all.entries()) numbers.set(part(one), i * length);
      return tensor(numbers, { shape: [all.length, length] });
    };
    return {
      ids: filled(({ ids }) => ids, padId),
      attentionMask: filled(({ ids }) => ids.map(() => 1), 0),
      tokenTypeIds: filled(({ tokenTypeIds }) => tokenTypeIds, 0),
    };
  }

  /** A special token at the end stays there. */
  private cut(encoded: Encoded, length: number): Encoded {
    const { ids, tokens, tokenTypeIds } = encoded;
    if (ids.length <= length) return encoded;
    const last = ids[ids.length - 1];
    const ends = length > 1 && this.inner.get_added_tokens_decoder().get(last)?.special === true;
    const cut = <T>(list: readonly T[]): T[] =>
      ends ? [...list.slice(0, length - 1), list[list.length - 1]] : list.slice(0, length);
    return { ids: cut(ids), tokens: cut(tokens), tokenTypeIds: cut(tokenTypeIds) };
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    checkNumbers('decode', 'the ids', ids);
    checkOptions('decode', options, DECODE_OPTIONS);
    const numbers = Array.from(ids);
    if (numbers.length === 0) return '';
    return this.inner.decode(numbers, {
      skip_special_tokens: options.skipSpecialTokens ?? true,
      clean_up_tokenization_spaces: false,
    });
  }

  /** The number of a token as the vocabulary writes it; undefined for one that it does not have. */
  idOf(token: string): number | undefined {
    return this.inner.token_to_id(token);
  }

  tokenOf(id: number): string | undefined {
    return this.inner.id_to_token(id);
  }
}

/**
 * A tokenizer from a folder with tokenizer.json, or with SentencePiece's spiece.model or tokenizer.model (and tokenizer_config.json, which
 * says what stands around texts); from such a file, its address, or its bytes. Throws NablaError where @huggingface/tokenizers is not
 * installed, FormatError for a file that is neither. transformers: AutoTokenizer.from_pretrained.
 *
 *     const tokenizer = await loadTokenizer('bert-base-uncased');
 *     const { ids, attentionMask } = tokenizer.encodeBatch(['one text', 'and another one']);
 */
export async function loadTokenizer(source: FileSource, options: FileOptions = {}): Promise<Tokenizer> {
  const call = 'loadTokenizer';
  const { name, json } = await openTokenizer(call, source, options);
  const inner = await innerOf(call, name, json);
  return new Tokenizer(inner, paddingOf(json, inner));
}

/**
 * A tokenizer from an object in tokenizer.json's layout, such as `trainTokenizer` makes. Throws NablaError where @huggingface/tokenizers is not
 * installed, FormatError for an object that is no tokenizer.
 */
export async function tokenizerFrom(json: Readonly<Record<string, unknown>>): Promise<Tokenizer> {
  const call = 'tokenizerFrom';
  checkRecord(call, 'the argument', json, 'the parts of a tokenizer');
  if (!isRecord(json['model'])) throw new FormatError(`${call}: the object is no tokenizer: it has no model.`);
  const inner = await innerOf(call, 'the object', json);
  return new Tokenizer(inner, paddingOf(json, inner));
}

async function innerOf(call: string, name: string, json: object): Promise<Inner> {
  let made: (json: object) => Inner;
  try {
    const library = await import('@huggingface/tokenizers');
    made = (given) => new library.Tokenizer(given, {});
  } catch (cause) {
    throw new NablaError(
      `${call}: this needs the package @huggingface/tokenizers, which is not installed. Run npm install @huggingface/tokenizers.`,
      { cause },
    );
  }
  try {
    return made(json);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(`${call}: @huggingface/tokenizers cannot read ${name} (${reason}).`);
  }
}

/** The padding that the file names, or the token that is usual for it. */
function paddingOf(json: Readonly<Record<string, unknown>>, inner: Inner): number | undefined {
  const padding = json['padding'];
  if (typeof padding === 'object' && padding !== null && 'pad_id' in padding && typeof padding.pad_id === 'number')
    return padding.pad_id;
  for (const token of ['[PAD]', '<pad>', '<|padding|>', '<|endoftext|>']) {
    const id = inner.token_to_id(token);
    if (id !== undefined) return id;
  }
  return undefined;
}
