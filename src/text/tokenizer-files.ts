// The files of a tokenizer, whichever a folder has: tokenizer.json, or SentencePiece's model with what transformers' class of it adds.
//   A source in, an object in tokenizer.json's layout out. Must not know: the package that reads it.

import { NotThereError, isAddress, isUrl } from '../io/fetch.js';
import { inFolder, isRecord, parseJson, readJson } from '../io/json-file.js';
import { absolutePath } from '../io/path.js';
import { type FileOptions, type FileSource, isBlob, isInNode, openSource } from '../io/source.js';
import { FormatError } from '../tensor/library.js';
import { type SentencePiece, readSentencePiece } from './sentencepiece.js';

export interface TokenizerFile {
  readonly name: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** In the order in which they are looked for. */
const USUAL = ['tokenizer.json', 'spiece.model', 'tokenizer.model'];
const OTHER_NUMBERS = 'sentencepiece.bpe.model';

type Json = Readonly<Record<string, unknown>>;

export async function openTokenizer(call: string, source: FileSource, options: FileOptions): Promise<TokenizerFile> {
  const isNamed = typeof source === 'string' || isUrl(source);
  if (!isNamed) return openFile(call, source, 'the file', undefined, options);
  const text = String(source);
  if (/\.(json|model)(\?.*)?$/.test(text)) return openFile(call, text, text, undefined, options);
  if (!isAddress(text)) {
    const name = await usualIn(call, text);
    return openFile(call, inFolder(text, name), inFolder(text, name), text, options);
  }
  for (const name of USUAL) {
    try {
      return await openFile(call, inFolder(text, name), inFolder(text, name), text, options);
    } catch (error) {
      if (!(error instanceof NotThereError)) throw error;
    }
  }
  throw new FormatError(`${call}: ${text} has no tokenizer: neither ${USUAL.join(' nor ')} is there.`);
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
  const special = [first, last].filter((token) => token !== undefined);
  if (special.length === 0) return null;
  const token = (id: string | undefined, type: number): object[] =>
    id === undefined ? [] : [{ SpecialToken: { id, type_id: type } }];
  const text = (id: string, type: number): object[] => [
    ...token(first, type),
    { Sequence: { id, type_id: type } },
    ...token(last, type),
  ];
  const named = special.map((content) => {
    const id = added.find((other) => other.content === content)?.id;
    return [content, { id: content, ids: [id], tokens: [content] }] as const;
  });
  return {
    type: 'TemplateProcessing',
    single: text('A', 0),
    pair: [...text('A', 0), ...text('B', 0)],
    special_tokens: Object.fromEntries(named),
  };
}
