// What a user names as a file (a path, an address, a File of a page, bytes) as a source of bytes. What is fetched is kept in
// the cache of the user (Node) or of the page, where there is one, and checked against its SHA-256, where that is given.

import {
  ArgumentError,
  FormatError,
  type OptionNames,
  checkFunction,
  checkHas,
  checkText,
  wrongKind,
} from '../tensor/library.js';
import { isUint8Array } from '../tensor/typed-arrays.js';
import { type ByteSource, blobSource, bytesSource } from './byte-source.js';
import { answerOf, isAddress, isUrl } from './fetch.js';
import type { DownloadProgress } from './node/download.js';
import { absolutePath } from './path.js';

/** A path or file: URL (Node), an http(s) address, what a page's user has chosen, or the bytes themselves. */
export type FileSource = string | URL | Blob | Uint8Array | ArrayBuffer;

export interface FileOptions {
  /** Hears how far a download has come. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Stops a download. */
  readonly signal?: AbortSignal;
  /** SHA-256 that the file must have, in hexadecimal digits. Throws FormatError for any other. */
  readonly sha256?: string;
  /**
   * Keep what is fetched from an address, and take it from there the next time: in the folder of the user's cache in Node
   * (`~/.cache/nabla/weights` on Linux), in the Cache API of a page where there is one. It goes by the address and `sha256`: whether the
   * server has another file by now is not asked. Default true.
   */
  readonly cache?: boolean;
}

export const FILE_OPTIONS: OptionNames<FileOptions> = { onProgress: true, signal: true, sha256: true, cache: true };

const SOURCE_ADVICE = 'Give a path, an address, a File, or the bytes as Uint8Array';

export function checkFileOptions(call: string, { onProgress, signal, sha256 }: FileOptions): void {
  if (onProgress !== undefined) checkFunction(call, onProgress, 'onProgress');
  if (signal !== undefined)
    checkHas(call, 'signal', signal, ['throwIfAborted'], 'Give the signal of an AbortController');
  if (sha256 === undefined) return;
  checkText(call, 'sha256', sha256);
  if (!/^[0-9a-f]{64}$/i.test(sha256))
    throw new ArgumentError(`${call}: sha256 is '${sha256}'. Give the 64 hexadecimal digits that sha256sum prints.`);
}

export const isBlob = (value: unknown): value is Blob =>
  typeof value === 'object' && value !== null && 'arrayBuffer' in value && 'slice' in value && 'size' in value;

const isArrayBuffer = (value: unknown): value is ArrayBuffer =>
  Object.prototype.toString.call(value) === '[object ArrayBuffer]';

/** Where the bytes of a file come from. Throws NablaError where it cannot be read. */
export async function openSource(call: string, source: FileSource, options: FileOptions = {}): Promise<ByteSource> {
  checkFileOptions(call, options);
  const opened = await open(call, source, options);
  if (options.sha256 !== undefined) await checkDigest(call, opened, options.sha256.toLowerCase());
  return opened;
}

async function open(call: string, source: FileSource, options: FileOptions): Promise<ByteSource> {
  if (isUint8Array(source)) return bytesSource(source);
  if (isArrayBuffer(source)) return bytesSource(new Uint8Array(source));
  if (isBlob(source)) return blobSource(source, nameOf(source));
  if (typeof source !== 'string' && !isUrl(source)) throw wrongKind(call, 'the source', source, SOURCE_ADVICE);
  const text = String(source);
  if (text === '') throw new ArgumentError(`${call}: the source is an empty text. ${SOURCE_ADVICE}.`);
  if (isAddress(text)) return fetched(call, checkedAddress(call, text), options);
  if (isInNode()) {
    const { fileSource, pathOf } = await import('./node/file-source.js');
    const path = pathOf(text);
    return fileSource(absolutePath(path, call), path, call);
  }
  throw new ArgumentError(
    `${call}: there are no files here, so '${text}' cannot be read. Give an http address, a File, or bytes.`,
  );
}

export function isInNode(): boolean {
  const { process } = globalThis as { process?: NodeJS.Process };
  return process?.versions?.node !== undefined;
}

/** A File has a name, a Blob has none. */
export function nameOf(source: unknown): string | undefined {
  const { name } = (source ?? {}) as { readonly name?: unknown };
  return typeof name === 'string' && name !== '' ? name : undefined;
}

// ---------------------------------------------------------------- addresses

function checkedAddress(call: string, text: string): string {
  if (URL.canParse(text)) return text;
  throw new ArgumentError(`${call}: '${text}' is no address. Give one such as https://host/model.safetensors.`);
}

const PAGE_CACHE = 'nabla-weights';

async function fetched(call: string, address: string, options: FileOptions): Promise<ByteSource> {
  const { cache = true, onProgress, signal, sha256 } = options;
  if (!cache || !/^https?:/.test(address)) return blobSource(await received(call, address, options), address);
  if (isInNode()) {
    const { cachedDownload } = await import('./node/weights-cache.js');
    const path = await cachedDownload({ url: address, onProgress, signal, sha256: sha256?.toLowerCase() });
    const { fileSource } = await import('./node/file-source.js');
    return fileSource(path, address, call);
  }
  const store = await pageCache();
  const wanted = sha256?.toLowerCase();
  const kept = await (await store?.match(address))?.blob();
  if (kept !== undefined) {
    const source = blobSource(kept, address);
    if (wanted === undefined || (await digestOf(source)) === wanted) return source;
    await store?.delete(address); // of another version
  }
  const blob = await received(call, address, options);
  const source = blobSource(blob, address);
  if (wanted !== undefined) await checkDigest(call, source, wanted);
  // What does not fit into the page's share of the disk is fetched again the next time.
  await store?.put(address, new Response(blob)).catch(() => {});
  return source;
}

/** Pages have a cache where they are secure (https, localhost), and may be told not to use it. */
async function pageCache(): Promise<Cache | undefined> {
  const { caches } = globalThis as { caches?: CacheStorage };
  return caches?.open(PAGE_CACHE).catch(() => undefined);
}

/** The body of an answer, piece by piece, so that progress can be told. */
async function received(call: string, address: string, { onProgress, signal }: FileOptions): Promise<Blob> {
  const response = await answerOf(call, address, signal);
  if (onProgress === undefined || response.body === null) return response.blob();
  const isPlain = response.headers.get('content-encoding') === null;
  const length = isPlain ? Number(response.headers.get('content-length') ?? NaN) : NaN;
  const total = Number.isFinite(length) ? length : undefined;
  const parts: BlobPart[] = [];
  let count = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value as Uint8Array<ArrayBuffer>);
    count += part.value.length;
    onProgress({ url: address, received: count, total });
  }
  return new Blob(parts);
}

// ---------------------------------------------------------------- digests

const HASHED_AT_ONCE = 1 << 24;

async function checkDigest(call: string, source: ByteSource, wanted: string): Promise<void> {
  const found = await digestOf(source);
  if (found === wanted) return;
  throw new FormatError(
    `${call}: ${source.name ?? 'the source'} has the SHA-256 ${found}, and ${wanted} was expected. It is another file, or somebody has changed it.`,
    source.name,
  );
}

async function digestOf(source: ByteSource): Promise<string> {
  const { process } = globalThis as { process?: NodeJS.Process };
  const crypto = process?.getBuiltinModule?.('node:crypto');
  if (crypto === undefined) {
    const bytes = (await source.read(0, source.size)) as Uint8Array<ArrayBuffer>;
    const digest = new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', bytes));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  const hash = crypto.createHash('sha256');
  for (let at = 0; at < source.size; at += HASHED_AT_ONCE)
    hash.update(await source.read(at, Math.min(at + HASHED_AT_ONCE, source.size)));
  return hash.digest('hex');
}
