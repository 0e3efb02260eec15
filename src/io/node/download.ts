// Downloading a file in Node: into a file of this download's own, which is left as `<path>.part` if it breaks off, so that a
// later one goes on with it (HTTP Range); checked against its SHA-256, and only then renamed to its own name. So a file of
// that name is always whole, whoever else downloads it at the same time.
// Address, digest and path in, a file out. Must not know: what is in the file.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import type { FileHandle } from 'node:fs/promises';
import { NablaError } from '../../tensor/library.js';
import { NotThereError, isNotThere } from '../fetch.js';
import { SYSTEM_REASONS } from '../system-reasons.js';

const { createHash, randomBytes } = process.getBuiltinModule('node:crypto');
const { createReadStream } = process.getBuiltinModule('node:fs');
const { mkdir, open, readdir, rename, rm, stat } = process.getBuiltinModule('node:fs/promises');
const { hostname } = process.getBuiltinModule('node:os');
const { basename, dirname, join } = process.getBuiltinModule('node:path');
const { setTimeout: pause } = process.getBuiltinModule('node:timers/promises');

/** How far a download has come. */
export interface DownloadProgress {
  readonly url: string;
  /** Bytes so far, those of earlier attempts included. */
  readonly received: number;
  /** Bytes in all, where known. */
  readonly total: number | undefined;
}

export interface DownloadOptions {
  readonly url: string;
  /** Where the file goes; its folder is made if need be. */
  readonly path: string;
  /** In hexadecimal digits. Without it whatever the server sends is taken. */
  readonly sha256?: string | undefined;
  /** Size of the file; more than that is never stored. Default: what the server says. */
  readonly bytes?: number;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Attempts without a single new byte before giving up. Default 3. */
  readonly attempts?: number;
  /** Milliseconds before another attempt. Default 1000. */
  readonly wait?: number;
}

/** An answer, or a file system, that another attempt will not change. */
class Refused extends NablaError {}

/** Of errors that come before the first byte: nobody answers there. */
const UNREACHABLE = /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/;

/**
 * Downloads a file unless it is there. Throws NablaError if the server refuses, the connection breaks `attempts` times in a
 * row, or the content has another digest; a part of the file stays as `<path>.part` after anything but the last.
 */
export async function download(options: DownloadOptions): Promise<void> {
  const { path } = options;
  if ((await sizeOf(path)) !== undefined) return;
  await onDisk(path, mkdir(dirname(path), { recursive: true }));
  const part = `${path}${ownSuffix()}`;
  // Without a digest nobody would notice that an older part is of another version of the file.
  const mayGoOn = options.sha256 !== undefined;
  if (mayGoOn) await takeOver(path, part);
  try {
    await fill(options, part);
  } catch (error) {
    if (mayGoOn) await rename(part, `${path}.part`).catch(() => {}); // the next download goes on from there
    else await rm(part, { force: true });
    throw error;
  }
  await onDisk(path, rename(part, path));
}

/**
 * Downloads of the same file at the same time, by several processes, each write a file of their own. Its name says who writes,
 * so that what a process that was killed has left can be told from what is being written.
 */
function ownSuffix(): string {
  return `.${host()}-${process.pid}-${randomBytes(4).toString('hex')}.part`;
}

/** Folders may be shared by machines whose processes have the same numbers. */
function host(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
}

/** Makes `part` of what an earlier download has left, if there is any: only one of several gets it. */
async function takeOver(path: string, part: string): Promise<void> {
  const name = basename(path);
  for (const found of await readdir(dirname(path))) {
    if (found !== `${name}.part` && !(found.startsWith(`${name}.`) && isAbandoned(found.slice(name.length)))) continue;
    const isTaken = await rename(join(dirname(path), found), part).then(
      () => true,
      () => false,
    );
    if (isTaken) return;
  }
}

function isAbandoned(suffix: string): boolean {
  const [, where, pid] = /^\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.part$/.exec(suffix) ?? [];
  if (where !== host()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/** Leaves the whole file in `part`, checked. */
async function fill(options: DownloadOptions, part: string): Promise<void> {
  const { url, sha256 } = options;
  const isContinued = ((await sizeOf(part)) ?? 0) > 0;
  await complete(options, part);
  if (sha256 === undefined) return;
  let digest = await digestOf(part);
  if (digest !== sha256 && isContinued) {
    // The older part may be of another version of the file.
    await rm(part, { force: true });
    await complete(options, part);
    digest = await digestOf(part);
  }
  if (digest !== sha256) {
    await rm(part, { force: true });
    throw new NablaError(
      `download: ${url} has the SHA-256 ${digest}, and ${sha256} was expected. The file has changed, or somebody changed it on the way; it was deleted.`,
    );
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

/** Goes on until the server has sent everything. */
async function complete(options: DownloadOptions, part: string): Promise<void> {
  const { url, attempts = 3, wait = 1000, signal } = options;
  for (let fruitless = 0; ;) {
    const before = (await sizeOf(part)) ?? 0;
    try {
      await receive(options, part, before);
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Refused || error instanceof NotThereError) throw error;
      fruitless = ((await sizeOf(part)) ?? 0) > before ? 0 : fruitless + 1;
      if (fruitless >= attempts) {
        const reason = error instanceof Error ? reasonOf(error) : String(error);
        const what = UNREACHABLE.test(codeOf(error)) ? 'cannot be reached' : `broke off ${attempts} times in a row`;
        const kept =
          options.sha256 === undefined || (await sizeOf(part)) === undefined
            ? ''
            : `: ${options.path}.part is kept, and the download goes on from there`;
        throw new NablaError(`download: ${url} ${what} (${reason}). Try again later${kept}.`, { cause: error });
      }
      await pause(wait, undefined, signal === undefined ? {} : { signal });
    }
  }
}

/** fetch says little; its cause does, or the causes of that where a host has several addresses. */
function reasonOf({ message, cause }: Error): string {
  if (!(cause instanceof Error)) return message;
  const [first] = cause instanceof AggregateError ? (cause.errors as readonly unknown[]) : [];
  return cause.message !== '' ? cause.message : first instanceof Error ? first.message : message;
}

function codeOf(error: unknown): string {
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
  return typeof code === 'string' ? code : cause === undefined ? '' : codeOf(cause);
}

/** Makes or writes a file; what the file system refuses is final. */
async function onDisk<T>(path: string, doing: Promise<T>): Promise<T> {
  try {
    return await doing;
  } catch (cause) {
    const reasons: Readonly<Record<string, string>> = {
      ...SYSTEM_REASONS,
      EEXIST: SYSTEM_REASONS.ENOTDIR, // of mkdir
    };
    const reason = reasons[codeOf(cause)] ?? (cause instanceof Error ? cause.message : String(cause));
    throw new Refused(`download: ${path} cannot be written (${reason}). Make room for it, or choose another folder.`, {
      cause,
    });
  }
}

/** One request: appends to `part`, from byte `have` on if the server can. */
async function receive(options: DownloadOptions, part: string, have: number): Promise<void> {
  const { url, bytes, signal } = options;
  if (bytes !== undefined && have >= bytes) {
    if (have === bytes) return;
    await rm(part, { force: true });
    have = 0;
  }
  const headers = { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) };
  const response = await fetch(url, { headers, ...(signal && { signal }) });
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
  if (response.status === 416 || (response.status === 206 && Number(range?.[1]) !== have)) {
    // What is there does not fit to what the server has.
    await response.body?.cancel();
    await rm(part, { force: true });
    throw new NablaError(`the server has no bytes from ${have} on`);
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    const text = `download: ${url} answers ${response.status} ${response.statusText}.`;
    const mayChange = response.status >= 500 || response.status === 408 || response.status === 429;
    if (isNotThere(response.status)) throw new NotThereError(text);
    throw mayChange ? new NablaError(text) : new Refused(text);
  }
  const begin = response.status === 206 ? have : 0; // 200: the server sends all of it again
  const length = response.headers.get('content-encoding') === null ? response.headers.get('content-length') : null;
  if (bytes !== undefined && length !== null && begin + Number(length) !== bytes) {
    await response.body.cancel();
    throw new Refused(
      `download: ${url} has ${begin + Number(length)} bytes, and ${bytes} were expected. The file has changed.`,
    );
  }
  const total = bytes ?? (length === null ? undefined : begin + Number(length));
  const file = await onDisk(part, open(part, begin > 0 ? 'a' : 'w'));
  try {
    await store(response.body, file, part, begin, total, options);
    await onDisk(part, file.sync());
  } finally {
    await file.close();
  }
}

async function store(
  body: ReadableStream<Uint8Array>,
  file: FileHandle,
  part: string,
  begin: number,
  total: number | undefined,
  { url, onProgress }: DownloadOptions,
): Promise<void> {
  let received = begin;
  for await (const chunk of body) {
    received += chunk.length;
    if (total !== undefined && received > total)
      throw new Refused(`download: ${url} sends more than the ${total} bytes that the file has.`);
    await onDisk(part, file.writeFile(chunk));
    onProgress?.({ url, received, total });
  }
  if (total !== undefined && received < total) throw new NablaError(`it ended after ${received} of ${total} bytes`);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
