// Where a data set's files are: in the folders where they are looked for, or downloaded when that is asked for.
// Names in, paths out. Files are there in Node only; elsewhere this says what to do instead.

import { ArgumentError, NablaError, type OptionNames, checkFunction, checkText } from '../../tensor/library.js';
import type { DownloadProgress } from '../../io/node/download.js';

/** Options of every set that is kept in files. */
export interface SetOptions {
  /**
   * Where the files are, under their original names, compressed or not. Default: the folder of the set's name in
   * `NABLA_DATA`, `NABLA_DATA` itself, and the folder of the set's name in the user's cache.
   */
  readonly folder?: string;
  /**
   * Download what is not there, into `folder`, else into `NABLA_DATA`, else into the cache. Default false, or true where
   * `NABLA_DOWNLOAD` is 1. `NABLA_MIRROR`, an http(s) address, takes the place of the publisher's: files are then asked
   * for at `<mirror>/<name of the set>/<file>`, and checked as ever.
   */
  readonly download?: boolean;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Stops a download; what has come so far is kept for the next one. */
  readonly signal?: AbortSignal;
}

export const SET_OPTIONS: OptionNames<SetOptions> = { folder: true, download: true, onProgress: true, signal: true };

/** A file as it is published. */
export interface RemoteFile {
  /** Its name when it is stored; the address ends in it unless `url` says otherwise. */
  readonly name: string;
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * What holds for every set whose options do not say otherwise: the command line shows progress, ends downloads with Ctrl-C,
 * and has words of its own for how they are asked for.
 */
export interface DownloadDefaults {
  /** What to do about files that are not there; `size` is how much a download is, and from where. */
  advice(size: string): string;
  onProgress: ((progress: DownloadProgress) => void) | undefined;
  signal: AbortSignal | undefined;
}

export const downloadDefaults: DownloadDefaults = {
  advice: (size) => `Put them there, set NABLA_DATA or folder, or give download: true (${size}).`,
  onProgress: undefined,
  signal: undefined,
};

/** One way in which a set may lie in a folder: for each of its files, the names that it may have. */
export type Layout = Readonly<Record<string, readonly string[]>>;

/** Path by file, and which layout it was. */
export interface Found {
  readonly layout: number;
  readonly paths: Readonly<Record<string, string>>;
}

/** A name, and the same without or with `.gz`; also within folders of these names. */
export function namesOf(name: string, ...folders: readonly string[]): string[] {
  const plain = name.replace(/\.gz$/, '');
  return ['', ...folders.map((folder) => `${folder}/`)].flatMap((folder) => [
    `${folder}${plain}`,
    `${folder}${plain}.gz`,
  ]);
}

/**
 * The first folder that has all files of one of the layouts, and of these the first. Throws NablaError that names the
 * folders if there is none and a download is not asked for. A download makes the first layout complete.
 */
export async function locate(
  set: { readonly name: string; readonly call: string; readonly layouts: readonly Layout[] },
  remote: readonly RemoteFile[],
  options: SetOptions,
): Promise<Found> {
  const { folder, onProgress } = options;
  if (folder !== undefined) checkText(set.call, 'folder', folder);
  if (onProgress !== undefined) checkFunction(set.call, onProgress, 'onProgress');
  const { process } = globalThis as { process?: NodeJS.Process };
  if (process?.versions?.node === undefined) {
    throw new ArgumentError(
      `${set.call}: there are no files here. Fetch them and read the bytes with readIdx, readCifar10, readText, ….`,
    );
  }
  const { findIn, foldersOf } = await import('../node/files.js');
  const folders = foldersOf(set.name, options.folder);
  for (const folder of folders) {
    for (const [layout, files] of set.layouts.entries()) {
      const found = Object.entries(files).map(([file, names]) => [file, findIn(folder, names)] as const);
      if (found.every(([, path]) => path !== undefined)) {
        return { layout, paths: Object.fromEntries(found) as Record<string, string> };
      }
    }
  }
  const { download = isYes('NABLA_DOWNLOAD', process.env['NABLA_DOWNLOAD']) } = options;
  const there = remote.map((file) => mirrored(set.name, file, process.env['NABLA_MIRROR']));
  if (!download) throw notFound(set, folders, there);
  const target = folders[0];
  await fetchAll(set.call, there, target, options);
  return locate(set, remote, { ...options, folder: target, download: false });
}

/** Whether a variable of the environment says yes. */
function isYes(name: string, value: string | undefined): boolean {
  if (value === undefined || value === '' || value === '0') return false;
  if (value === '1') return true;
  throw new ArgumentError(`${name}: '${value}' is not known. Use 1 or 0.`);
}

/** The file where the mirror has it, if there is one. */
function mirrored(set: string, file: RemoteFile, mirror: string | undefined): RemoteFile {
  if (mirror === undefined || mirror === '') return file;
  if (!/^https?:\/\/[^/]/.test(mirror))
    throw new ArgumentError(`NABLA_MIRROR: '${mirror}' is no address. Use one that begins with http:// or https://.`);
  return { ...file, url: `${mirror.replace(/\/+$/, '')}/${set}/${file.name}` };
}

/** Throws NablaError that says what to do by hand. */
async function fetchAll(
  call: string,
  files: readonly RemoteFile[],
  target: string,
  { onProgress = downloadDefaults.onProgress, signal = downloadDefaults.signal }: SetOptions,
): Promise<void> {
  const { download } = await import('../../io/node/download.js');
  const { join } = await import('../node/files.js');
  for (const { name, url, bytes, sha256 } of files) {
    try {
      await download({ url, path: join(target, name), bytes, sha256, onProgress, signal });
    } catch (error) {
      if (signal?.aborted || !(error instanceof NablaError)) throw error;
      const reason = error.message.replace(/^download: /, '');
      throw new NablaError(
        `${call}: ${reason} Or fetch ${addresses(files)} in another way, and put ${files.length === 1 ? 'it' : 'them'} into ${target}.`,
        {
          cause: error,
        },
      );
    }
  }
}

/** `a, b from https://host/folder/`, or whole addresses where they have no folder in common. */
function addresses(files: readonly RemoteFile[]): string {
  const base = files[0].url.replace(/[^/]*$/, '');
  if (files.length === 1 || files.some(({ name, url }) => url !== base + name))
    return files.map(({ name, url }) => (url.endsWith(`/${name}`) ? url : `${url} (as ${name})`)).join(', ');
  return `${files.map(({ name }) => name).join(', ')} from ${base}`;
}

function notFound(
  { call, layouts }: { readonly call: string; readonly layouts: readonly Layout[] },
  folders: readonly string[],
  remote: readonly RemoteFile[],
): NablaError {
  const files = Object.values(layouts[0]).map(([name]) => name);
  const size = (remote.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(1);
  const advice =
    remote.length === 0
      ? 'Put them there, or set NABLA_DATA or folder.'
      : downloadDefaults.advice(`${size} MB from ${new URL(remote[0].url).host}`);
  return new NablaError(
    `${call}: the files are not there. Looked for ${files.join(', ')} (with or without .gz) in ${folders.join(', ')}. ${advice}`,
  );
}
