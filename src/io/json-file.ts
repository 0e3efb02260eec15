// Files of JSON: what models and tokenizers are described by.

import { FormatError } from '../tensor/library.js';
import { isAddress } from './fetch.js';
import { type FileOptions, type FileSource, isBlob, openSource } from './source.js';

/** The entries of a JSON file; throws FormatError for one that has none. */
export async function readJson(
  call: string,
  source: FileSource,
  options: FileOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const opened = await openSource(call, source, options);
  const name = opened.name ?? (isBlob(source) ? 'the file' : 'the source');
  return parseJson(call, await opened.read(0, opened.size), name, opened.name);
}

/** The entries in the bytes of a JSON file; `name` for messages. */
export function parseJson(
  call: string,
  bytes: Uint8Array,
  name: string,
  file?: string,
): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new FormatError(`${call}: ${name} is not JSON.`, file);
  }
  if (!isRecord(value)) throw new FormatError(`${call}: ${name} has no object of entries.`, file);
  return value;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A file in a folder that is a path or an address. */
export function inFolder(folder: string, file: string): string {
  if (!isAddress(folder)) return `${folder.replace(/[/\\]$/, '')}/${file}`;
  return new URL(file, folder.endsWith('/') ? folder : `${folder}/`).href;
}
