// The files of a tokenizer, whichever a folder has: tokenizer.json, SentencePiece's model with what transformers' class of it adds, or a
// vocabulary alone.
//   A source in, an object in tokenizer.json's layout out. Must not know: the package that reads it.

import { NotThereError, isAddress, isUrl } from '../io/fetch.js';
import { inFolder, isRecord, parseJson, readJson } from '../io/json-file.js';
import { absolutePath } from '../io/path.js';
import { type FileOptions, type FileSource, isBlob, isInNode, openSource } from '../io/source.js';
import { FormatError } from '../tensor/library.js';
import { type SentencePiece, readSentencePiece } from './sentencepiece.js';
import { type Part, template } from './template.js';
import { bytePairs, wordPieces } from './vocabulary-files.js';

export interface TokenizerFile {
  readonly name: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** In the order in which they are looked for. */
const USUAL = ['tokenizer.json', 'spiece.model', 'tokenizer.model', 'vocab.txt', 'vocab.json'];
/** What has to be read beside others of its folder. */
const VOCABULARY = /(^|[/\\])vocab\.(txt|json)(\?.*)?$/;
const OTHER_NUMBERS = 'sentencepiece.bpe.model';

type Json = Readonly<Record<string, unknown>>;

export async function openTokenizer(call: string, source: FileSource, options: FileOptions): Promise<TokenizerFile> {
  const isNamed = typeof source === 'string' || isUrl(source);
  if (!isNamed) return openFile(call, source, 'the file', undefined, options);
  const text = String(source);
  const vocabulary = VOCABULARY.exec(text);
  if (vocabulary !== null) {
    const folder = text.slice(0, vocabulary.index + vocabulary[1].length);
    return openIn(call, folder === '' ? '.' : folder, `vocab.${vocabulary[2]}`, options);
  }
  if (/\.(json|model)(\?.*)?$/.test(text)) return openFile(call, text, text, undefined, options);
  if (!isAddress(text)) return openIn(call, text, await usualIn(call, text), options);
  for (const name of USUAL) {
    try {
      return await openIn(call, text, name, options);
    } catch (error) {
      if (!(error instanceof NotThereError)) throw error;
    }
  }
  throw new FormatError(`${call}: ${text} has no tokenizer: neither ${USUAL.join(' nor ')} is there.`);
}

/** The tokenizer whose file in a folder has this name. */
async function openIn(call: string, folder: string, file: string, options: FileOptions): Promise<TokenizerFile> {
  const name = inFolder(folder, file);
  if (file === 'vocab.txt') {
    const text = await readText(call, name, options);
    return { name, json: wordPieces({ call, name, config: await configOf(call, folder, options) }, text) };
  }
  if (file !== 'vocab.json') return openFile(call, name, name, folder, options);
  const json = await readJson(call, name, options);
  const { sha256: _, ...others } = options; // it was of the other file
  const merges = await readText(call, inFolder(folder, 'merges.txt'), others);
  return { name, json: bytePairs({ call, name, config: await configOf(call, folder, options) }, json, merges) };
}

async function readText(call: string, name: string, options: FileOptions): Promise<string> {
  const opened = await openSource(call, name, options);
  const bytes = await opened.read(0, opened.size);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new FormatError(`${call}: ${name} is no text in UTF-8.`, opened.name);
  }
}

/** The first of the usual files that a folder has; of none, the first one, which then cannot be read. */
async function usualIn(call: string, folder: string): Promise<string> {
  if (!isInNode()) return USUAL[0];
  const { listFolder, pathOf } = await import('../io/node/file-source.js');
  const path = pathOf(folder);
  const names = (await listFolder(absolutePath(path, call), path, call)) ?? [];
  const found = USUAL.find((name) => names.includes(name));
  if (found === undefined && names.includes(OTHER_NUMBERS))
    throw new FormatError(
      `${call}: ${folder} has ${OTHER_NUMBERS} alone, whose numbers transformers changes. Save the tokenizer as tokenizer.json: AutoTokenizer.from_pretrained(…).save_pretrained(…).`,
    );
  return found ?? USUAL[0];
}

async function openFile(
  call: string,
  source: FileSource,
  name: string,
  folder: string | undefined,
  options: FileOptions,
): Promise<TokenizerFile> {
  const opened = await openSource(call, source, options);
  const bytes = await opened.read(0, opened.size);
  if (!isProtobuf(bytes)) {
    const json = parseJson(call, bytes, opened.name ?? (isBlob(source) ? 'the file' : 'the source'), opened.name);
    if (!isRecord(json['model'])) throw new FormatError(`${call}: ${name} is no tokenizer.json: it has no model.`);
    return { name, json };
  }
  const pieces = readSentencePiece(call, name, bytes);
  const config = folder === undefined ? undefined : await configOf(call, folder, options);
  return { name, json: completed(pieces, config) };
}

/** A model of SentencePiece's begins with its first piece. */
const isProtobuf = (bytes: Uint8Array): boolean => bytes[0] === 0x0a && bytes[2] === 0x0a;

/** tokenizer_config.json, where there is one. */
async function configOf(call: string, folder: string, options: FileOptions): Promise<Json | undefined> {
  const name = 'tokenizer_config.json';
  const { sha256: _, ...others } = options; // it was of the other file
  if (!isAddress(folder)) {
    const { listFolder, pathOf } = await import('../io/node/file-source.js');
    const path = pathOf(folder);
    const names = (await listFolder(absolutePath(path, call), path, call)) ?? [];
    return names.includes(name) ? readJson(call, inFolder(folder, name), others) : undefined;
  }
  try {
    return await readJson(call, inFolder(folder, name), others);
  } catch (error) {
    if (error instanceof NotThereError) return undefined;
    throw error;
  }
}

/** With the special tokens around texts, and T5's places for what is to be filled in. */
function completed({ kind, json, begin, end, size }: SentencePiece, config: Json | undefined): Json {
  const isT5 = config === undefined ? kind === 'Unigram' : /^M?T5/.test(String(config['tokenizer_class']));
  const flag = (key: string, missing: boolean): boolean => {
    const value = config?.[key];
    return typeof value === 'boolean' ? value : missing;
  };
  const first = flag('add_bos_token', !isT5) ? begin : undefined;
  const last = flag('add_eos_token', isT5) ? end : undefined;
  const added = json['added_tokens'] as readonly { readonly id: number; readonly content: string }[];
  return {
    ...json,
    added_tokens: isT5 ? [...added, ...placesOf(size, config?.['extra_ids'])] : added,
    post_processor: around(first, last, added),
  };
}

/** <extra_id_99> … <extra_id_0> behind the vocabulary. */
function placesOf(size: number, wanted: unknown): object[] {
  const count = typeof wanted === 'number' ? wanted : 100;
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return Array.from({ length: count }, (_, i) => ({ id: size + i, content: `<extra_id_${count - 1 - i}>`, ...flags }));
}

function around(
  first: string | undefined,
  last: string | undefined,
  added: readonly { readonly id: number; readonly content: string }[],
): object | null {
  if (first === undefined && last === undefined) return null;
  const text = (what: 'A' | 'B', type: 0 | 1): Part[] =>
    [first, what, last].filter((part) => part !== undefined).map((part): Part => [part, type]);
  const idOf = (token: string): number | undefined => added.find(({ content }) => content === token)?.id;
  return template(text('A', 0), [...text('A', 0), ...text('B', 1)], idOf);
}
