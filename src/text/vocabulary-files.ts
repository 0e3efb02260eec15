// Vocabularies without a tokenizer.json: BERT's vocab.txt, and the vocab.json and merges.txt of GPT-2 and RoBERTa, as transformers' classes of
// them read them. Those that tokenizer_config.json names and that read such files in another way are refused.
//   The contents of the files in, an object in tokenizer.json's layout out. Must not know: the package that reads it.

import { isRecord } from '../io/json-file.js';
import { FormatError } from '../tensor/library.js';
import { type Part, template } from './template.js';

type Json = Readonly<Record<string, unknown>>;

/** A file of a vocabulary; `config` is tokenizer_config.json, where there is one. */
export interface VocabularySource {
  readonly call: string;
  readonly name: string;
  readonly config: Json | undefined;
}

/** A special token, by its key in tokenizer_config.json. */
function tokenNamed(config: Json | undefined, key: string, usual: string): string {
  const value = config?.[key];
  if (typeof value === 'string') return value;
  return isRecord(value) && typeof value['content'] === 'string' ? value['content'] : usual;
}

/** How a special token that tokenizer_config.json describes is found in a text. */
function flagsOf(config: Json | undefined, key: string): Partial<Flags> {
  const value = config?.[key];
  return isRecord(value) ? flagsIn(value) : {};
}

function flagsIn(entries: Json): Partial<Flags> {
  return Object.fromEntries(Object.entries(entries).filter(([flag, on]) => flag in SPECIAL && typeof on === 'boolean'));
}

const flagOf = (config: Json | undefined, key: string, missing: boolean): boolean => {
  const value = config?.[key];
  return typeof value === 'boolean' ? value : missing;
};

/** The class that tokenizer_config.json names, without what all names end with. Throws FormatError for one that is not among those known. */
function classOf({ call, name, config }: VocabularySource, known: readonly string[]): string | undefined {
  const value = config?.['tokenizer_class'];
  if (typeof value !== 'string') return undefined;
  const found = /^(.*)Tokenizer(Fast)?$/.exec(value)?.[1];
  if (found !== undefined && known.includes(found)) return found;
  throw new FormatError(
    `${call}: ${name} is of transformers' ${value}, and read are such of ${known.join(', ')}. Save the tokenizer as tokenizer.json: AutoTokenizer.from_pretrained(…).save_pretrained(…).`,
  );
}

type Flags = Readonly<Record<'single_word' | 'lstrip' | 'rstrip' | 'normalized' | 'special', boolean>>;
type Added = Flags & { readonly id: number; readonly content: string };

const SPECIAL: Flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };

/** Special tokens that the vocabulary has, and those that tokenizer_config.json adds. */
function addedTokens(
  vocabulary: ReadonlyMap<string, number>,
  special: Readonly<Record<string, Partial<Flags>>>,
  config: Json | undefined,
): Added[] {
  const found = new Map<number, Added>();
  for (const [content, flags] of Object.entries(special)) {
    const id = vocabulary.get(content);
    if (id !== undefined) found.set(id, { id, content, ...SPECIAL, ...flags });
  }
  const more = config?.['added_tokens_decoder'];
  for (const [key, value] of Object.entries(isRecord(more) ? more : {})) {
    if (!isRecord(value) || typeof value['content'] !== 'string' || !/^\d+$/.test(key)) continue;
    found.set(Number(key), { id: Number(key), content: value['content'], ...SPECIAL, ...flagsIn(value) });
  }
  return Array.from(found.values()).sort((a, b) => a.id - b.id);
}

/** Throws FormatError unless the vocabulary has the token. */
function need(
  { call, name }: VocabularySource,
  whose: string,
  vocabulary: ReadonlyMap<string, number>,
  token: string,
): void {
  if (vocabulary.has(token)) return;
  throw new FormatError(
    `${call}: ${name} has no ${token}: it is no vocabulary of ${whose}, or another token is meant.`,
  );
}

// ---------------------------------------------------------------- vocab.txt

const WORD_PIECES = ['Bert', 'DistilBert', 'Electra', 'MobileBert', 'ConvBert'];

/** A token a line: BERT's WordPiece. */
export function wordPieces(source: VocabularySource, text: string): Json {
  const { config } = source;
  classOf(source, WORD_PIECES);
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  const vocabulary = new Map(lines.map((token, id) => [token, id]));
  const [unknown, begin, end, pad, mask] = [
    tokenNamed(config, 'unk_token', '[UNK]'),
    tokenNamed(config, 'cls_token', '[CLS]'),
    tokenNamed(config, 'sep_token', '[SEP]'),
    tokenNamed(config, 'pad_token', '[PAD]'),
    tokenNamed(config, 'mask_token', '[MASK]'),
  ];
  for (const token of [unknown, begin, end]) need(source, "BERT's", vocabulary, token);
  const special = Object.fromEntries([pad, unknown, begin, end, mask].map((token) => [token, {}]));
  const single: Part[] = [
    [begin, 0],
    ['A', 0],
    [end, 0],
  ];
  const accents = config?.['strip_accents'];
  return {
    version: '1.0',
    added_tokens: addedTokens(vocabulary, special, config),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: flagOf(config, 'tokenize_chinese_chars', true),
      strip_accents: typeof accents === 'boolean' ? accents : null, // null: as lowercase
      lowercase: flagOf(config, 'do_lower_case', true),
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: template(single, [...single, ['B', 1], [end, 1]], (token) => vocabulary.get(token)),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: unknown,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary),
    },
  };
}

// ---------------------------------------------------------------- vocab.json and merges.txt

const BYTE_PAIRS = ['GPT2', 'Roberta', 'Bart'];

/** Pairs of bytes that become one token: GPT-2's, and RoBERTa's with other special tokens. `merges`: the text of merges.txt. */
export function bytePairs(source: VocabularySource, json: Json, merges: string): Json {
  const { config } = source;
  const vocabulary = numbered(source, json);
  const named = classOf(source, BYTE_PAIRS);
  const isGpt2 = named === undefined ? !['<s>', '</s>', '<mask>'].every((t) => vocabulary.has(t)) : named === 'GPT2';
  const addsSpace = flagOf(config, 'add_prefix_space', false);
  return {
    version: '1.0',
    ...(isGpt2 ? ofGpt2(source, vocabulary) : ofRoberta(source, vocabulary)),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: addsSpace, trim_offsets: true, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(vocabulary),
      merges: pairsIn(source, merges, vocabulary),
    },
  };
}

function ofGpt2(source: VocabularySource, vocabulary: ReadonlyMap<string, number>): Json {
  const { config } = source;
  const [begin, end, unknown] = ['bos_token', 'eos_token', 'unk_token'].map((key) =>
    tokenNamed(config, key, '<|endoftext|>'),
  );
  const special = Object.fromEntries([begin, end, unknown].map((token) => [token, {}]));
  const added_tokens = addedTokens(vocabulary, special, config);
  const idOf = (token: string): number | undefined => vocabulary.get(token);
  const hasBegin = flagOf(config, 'add_bos_token', false);
  if (hasBegin) need(source, "GPT-2's", vocabulary, begin);
  const single: Part[] = hasBegin
    ? [
        [begin, 0],
        ['A', 0],
      ]
    : [['A', 0]];
  return { added_tokens, post_processor: template(single, [...single, ['B', 1]], idOf) };
}

function ofRoberta(source: VocabularySource, vocabulary: ReadonlyMap<string, number>): Json {
  const { config } = source;
  const [begin, end, pad, unknown, mask] = [
    tokenNamed(config, 'cls_token', '<s>'),
    tokenNamed(config, 'sep_token', '</s>'),
    tokenNamed(config, 'pad_token', '<pad>'),
    tokenNamed(config, 'unk_token', '<unk>'),
    tokenNamed(config, 'mask_token', '<mask>'),
  ];
  for (const token of [begin, end]) need(source, "RoBERTa's", vocabulary, token);
  // a space in front of the mask belongs to it, as to a word
  const special = {
    [begin]: {},
    [pad]: {},
    [end]: {},
    [unknown]: {},
    [mask]: { lstrip: true, ...flagsOf(config, 'mask_token') },
  };
  const single: Part[] = [
    [begin, 0],
    ['A', 0],
    [end, 0],
  ];
  const pair: Part[] = [...single, [end, 0], ['B', 0], [end, 0]];
  return {
    added_tokens: addedTokens(vocabulary, special, config),
    post_processor: template(single, pair, (token) => vocabulary.get(token)),
  };
}

/** The vocabulary of a vocab.json. Throws FormatError unless each token has a number of its own, and none is of CLIP's kind. */
function numbered({ call, name }: VocabularySource, json: Json): Map<string, number> {
  const found = new Map<string, number>();
  const fail = (why: string): never => {
    throw new FormatError(`${call}: ${name} is no vocabulary: ${why}.`);
  };
  for (const [token, id] of Object.entries(json)) {
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0)
      return fail(`the number of '${token}' is ${String(id)}`);
    if (token.endsWith('</w>'))
      throw new FormatError(
        `${call}: the words of ${name} end with </w>, as CLIP's do, which is not read. Save the tokenizer as tokenizer.json.`,
      );
    found.set(token, id);
  }
  if (found.size === 0) fail('it has no tokens');
  return found;
}

function pairsIn(
  { call, name }: VocabularySource,
  text: string,
  vocabulary: ReadonlyMap<string, number>,
): (readonly [string, string])[] {
  return text.split(/\r\n|\n/).flatMap((line, i) => {
    if (line === '' || line.startsWith('#version')) return [];
    const [left, right, ...rest] = line.split(' ');
    if (right === undefined || rest.length > 0)
      throw new FormatError(`${call}: line ${i + 1} of merges.txt beside ${name} is '${line}', and no two pieces.`);
    if (!vocabulary.has(left + right))
      throw new FormatError(
        `${call}: line ${i + 1} of merges.txt makes '${left + right}', which ${name} does not have. Give files of one tokenizer.`,
      );
    return [[left, right] as const];
  });
}
