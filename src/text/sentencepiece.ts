// SentencePiece's own files (spiece.model, tokenizer.model) as what a tokenizer.json has: pieces with scores become the vocabulary of a Unigram
// or BPE model, the flags of the normaliser its rules.
//   Bytes in, an object in tokenizer.json's layout out. Must not know: the package that reads it.
// The messages are those of sentencepiece_model.proto; protobuf is read with pbf, and every length is checked here.

import { PbfReader } from 'pbf';
import { FormatError } from '../tensor/library.js';

type Value = number | Uint8Array;
type Fields = ReadonlyMap<number, readonly Value[]>;

const NO_FIELDS: Fields = new Map();

const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];

/** The fields of a message by their numbers. */
function fieldsOf(bytes: Uint8Array, fail: () => never): Fields {
  const pbf = new PbfReader(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Map<number, Value[]>();
  const take = (length: number): number => {
    const begin = pbf.pos;
    if (!(length >= 0) || begin + length > bytes.length) fail();
    pbf.pos = begin + length;
    return begin;
  };
  const varint = (): number => {
    const value = Number(pbf.readVarint());
    if (!Number.isFinite(value) || pbf.pos > bytes.length) fail();
    return value;
  };
  while (pbf.pos < bytes.length) {
    const tag = varint();
    const values = found.get(Math.floor(tag / 8)) ?? [];
    found.set(Math.floor(tag / 8), values);
    if (tag % 8 === VARINT) values.push(varint());
    else if (tag % 8 === FIXED64) values.push(view.getFloat64(take(8), true));
    else if (tag % 8 === FIXED32) values.push(view.getFloat32(take(4), true));
    else if (tag % 8 === BYTES) {
      const length = varint();
      const begin = take(length);
      values.push(bytes.subarray(begin, begin + length));
    } else fail();
  }
  return found;
}

const text = (value: Value | undefined): string => (value instanceof Uint8Array ? new TextDecoder().decode(value) : '');

const number = (fields: Fields, field: number, missing: number): number => {
  const value = fields.get(field)?.at(-1);
  return typeof value === 'number' ? value : missing;
};

const PIECE_TYPES = { unknown: 2, control: 3, userDefined: 4, unused: 5 };
const MODEL_TYPES: Readonly<Record<number, string>> = { 1: 'Unigram', 2: 'BPE', 3: 'WORD', 4: 'CHAR' };

interface Piece {
  readonly text: string;
  readonly score: number;
  readonly type: number;
}

export interface SentencePiece {
  readonly kind: 'Unigram' | 'BPE';
  /** In tokenizer.json's layout, without a post-processor. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Pieces that a text begins and ends with; undefined for a file that has none. */
  readonly begin: string | undefined;
  readonly end: string | undefined;
  readonly size: number;
}

/** Throws FormatError for a file that is none of SentencePiece's, and for models of other kinds than Unigram and BPE. */
export function readSentencePiece(call: string, name: string, bytes: Uint8Array): SentencePiece {
  const fail = (): never => {
    throw new FormatError(`${call}: ${name} is no file of SentencePiece's, or a damaged one.`);
  };
  const messages = (fields: Fields, field: number): Fields[] =>
    (fields.get(field) ?? []).map((value) => fieldsOf(value instanceof Uint8Array ? value : fail(), fail));
  const model = fieldsOf(bytes, fail);
  const pieces = messages(model, 1).map((fields): Piece => ({
    text: text(fields.get(1)?.[0]),
    score: number(fields, 2, 0),
    type: number(fields, 3, 1),
  }));
  if (pieces.length === 0) fail();
  const [trainer = NO_FIELDS] = messages(model, 2);
  const [normalizer = NO_FIELDS] = messages(model, 3);
  const kind = MODEL_TYPES[number(trainer, 3, 1)];
  if (kind !== 'Unigram' && kind !== 'BPE')
    throw new FormatError(`${call}: ${name} has a model of kind ${kind ?? 'unknown'}. There are Unigram and BPE.`);
  const hasBytes = number(trainer, 35, 0) !== 0;
  if (kind === 'Unigram' && hasBytes)
    throw new FormatError(
      `${call}: ${name} is a Unigram model that falls back to bytes, which is not read. Save the tokenizer as tokenizer.json.`,
    );
  const pieceOf = (field: number, missing: number): string | undefined => {
    const id = number(trainer, field, missing);
    return id >= 0 && id < pieces.length ? pieces[id].text : undefined; // −1 is read as a large number
  };
  const unknown = Math.max(
    0,
    pieces.findIndex(({ type }) => type === PIECE_TYPES.unknown),
  );
  const json = {
    version: '1.0',
    added_tokens: addedTokens(pieces),
    normalizer: normalizerOf(normalizer),
    pre_tokenizer: null,
    post_processor: null,
    decoder: DECODER,
    model: kind === 'BPE' ? bpe(pieces, pieces[unknown].text, hasBytes) : unigram(pieces, unknown),
  };
  return { kind, json, begin: pieceOf(41, 1), end: pieceOf(42, 2), size: pieces.length };
}

/** What is found in a text before the model sees it: pieces that somebody has defined, and those with a meaning of their own. */
function addedTokens(pieces: readonly Piece[]): object[] {
  const { unknown, control, userDefined } = PIECE_TYPES;
  return pieces.flatMap(({ text: content, type }, id) =>
    type === control || type === userDefined || type === unknown
      ? [
          {
            id,
            content,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: type !== userDefined,
          },
        ]
      : [],
  );
}

/** Of the whole text, not of a line. */
const [BEGIN, END] = ['(?<![\\s\\S])', '(?![\\s\\S])'];

const replace = (pattern: object, content: string): object => ({ type: 'Replace', pattern, content });

function normalizerOf(fields: Fields): object {
  const charsmap = fields.get(2)?.at(-1);
  const hasMap = charsmap instanceof Uint8Array && charsmap.length > 0;
  const [addsPrefix, removesSpaces, escapes] = [3, 4, 5].map((field) => number(fields, field, 1) !== 0);
  const normalizers = [
    // the package that reads it has SentencePiece's usual map (NFKC) built in, and looks at no other
    ...(hasMap ? [{ type: 'Precompiled', precompiled_charsmap: '' }] : []),
    ...(removesSpaces ? [replace({ Regex: `${BEGIN} +| +${END}` }, ''), replace({ Regex: ' {2,}' }, ' ')] : []),
    ...(addsPrefix ? [replace({ Regex: `${BEGIN}(?=[\\s\\S])` }, ' ')] : []),
    ...(escapes ? [replace({ String: ' ' }, '▁')] : []),
  ];
  return { type: 'Sequence', normalizers };
}

const DECODER = {
  type: 'Sequence',
  decoders: [
    replace({ String: '▁' }, ' '),
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    { type: 'Strip', content: ' ', start: 1, stop: 0 },
  ],
};

function unigram(pieces: readonly Piece[], unknown: number): object {
  const least = pieces.reduce((low, { score }) => Math.min(low, score), 0);
  // pieces with a meaning of their own never come out of a text
  const scoreOf = ({ score, type }: Piece): number =>
    type === 1 || type === PIECE_TYPES.userDefined ? score : least - 100;
  return { type: 'Unigram', unk_id: unknown, vocab: pieces.map((piece) => [piece.text, scoreOf(piece)]) };
}

/** Two pieces become one where that is a piece; the one with the largest score first. */
function bpe(pieces: readonly Piece[], unknown: string, hasBytes: boolean): object {
  const ids = new Map(pieces.map(({ text: piece }, id) => [piece, id]));
  const merges: { readonly pair: readonly [string, string]; readonly score: number }[] = [];
  for (const { text: piece, score, type } of pieces) {
    if (type !== 1) continue;
    const characters = Array.from(piece);
    for (let at = 1; at < characters.length; at++) {
      const pair = [characters.slice(0, at).join(''), characters.slice(at).join('')] as const;
      if (ids.has(pair[0]) && ids.has(pair[1])) merges.push({ pair, score });
    }
  }
  merges.sort((a, b) => b.score - a.score || b.pair[0].length - a.pair[0].length);
  return {
    type: 'BPE',
    unk_token: unknown,
    fuse_unk: true,
    byte_fallback: hasBytes,
    vocab: Object.fromEntries(ids),
    merges: merges.map(({ pair }) => pair),
  };
}
