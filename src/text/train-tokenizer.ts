// A tokenizer made from texts: byte-pair encoding on bytes, as GPT-2 has it (Radford et al. 2019), so that no text has a token that is not known.
//   Texts in, an object in tokenizer.json's layout out, which `loadTokenizer` and the tokenizers of other libraries read.

import {
  ArgumentError,
  type OptionNames,
  checkIterable,
  checkList,
  checkOptions,
  checkText,
  checkWhole,
} from '../tensor/library.js';
import { learnMerges } from './bpe-merges.js';

export interface TrainTokenizerOptions {
  /** Most tokens, special ones and the 256 bytes among them. Default 8000. */
  readonly vocabularySize?: number;
  /** Pairs that come less often are not merged. Default 2. */
  readonly minFrequency?: number;
  /** Tokens with the first numbers, which no text gives. Default ['<pad>', '<s>', '</s>']. */
  readonly specialTokens?: readonly string[];
}

const OPTIONS: OptionNames<TrainTokenizerOptions> = { vocabularySize: true, minFrequency: true, specialTokens: true };

/** A tokenizer in the layout of huggingface/tokenizers' tokenizer.json: plain JSON. */
export interface TokenizerJson {
  readonly version: string;
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly special: boolean }[];
  readonly model: {
    readonly type: 'BPE';
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (readonly [string, string])[];
    readonly [part: string]: unknown;
  };
  readonly [part: string]: unknown;
}

/** GPT-2's pieces of a text: words with the blank before them, numbers, signs, white space. */
const PIECES = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** A visible character for each byte, GPT-2's: printable ones of Latin-1 stand for themselves, the others come behind U+0100. */
const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPlain = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCodePoint(isPlain ? byte : next++);
  });
})();

/**
 * A byte-level BPE tokenizer of texts: the pairs that come most often become tokens, until there are `vocabularySize`. Tokens, numbers and merges are
 * those of huggingface/tokenizers' BpeTrainer with a ByteLevel pre-tokenizer. A text is taken to begin with a blank. Deterministic.
 *
 *     const json = trainTokenizer(texts, { vocabularySize: 4000 });
 *     const tokenizer = await tokenizerFrom(json);
 *     writeFileSync('tokenizer.json', JSON.stringify(json));
 */
export function trainTokenizer(texts: Iterable<string>, options: TrainTokenizerOptions = {}): TokenizerJson {
  const call = 'trainTokenizer';
  checkIterable(call, 'the argument', texts, 'texts');
  checkOptions(call, options, OPTIONS);
  const { vocabularySize = 8000, minFrequency = 2, specialTokens = ['<pad>', '<s>', '</s>'] } = options;
  checkWhole(call, 'minFrequency', minFrequency, 1);
  checkList(call, 'specialTokens', specialTokens, 'tokens');
  specialTokens.forEach((token, i) => checkText(call, `special token ${i}`, token));
  const twice = specialTokens.find((token, i) => specialTokens.indexOf(token) !== i);
  if (twice !== undefined) throw new ArgumentError(`${call}: special token '${twice}' comes twice. Give each once.`);
  checkWhole(call, 'vocabularySize', vocabularySize, specialTokens.length + 256);
  const start = [...specialTokens, ...BYTE_CHARACTERS.toSorted((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)];
  const { symbols, merges } = learnMerges(countPieces(call, texts), start, { size: vocabularySize, minFrequency });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(symbols.map((symbol, id) => [symbol, id])),
      merges,
    },
  };
}

/** How often each piece comes, its bytes as characters. */
function countPieces(call: string, texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    checkText(call, 'a text', text);
    if (text === '') continue;
    for (const piece of (text.startsWith(' ') ? text : ` ${text}`).match(PIECES) ?? [])
      counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  const encoder = new TextEncoder();
  return new Map(
    [...counts].map(([piece, count]) => [
      Array.from(encoder.encode(piece), (byte) => BYTE_CHARACTERS[byte]).join(''),
      count,
    ]),
  );
}
