// Where a data set's files are: in the folders where they are looked for, or downloaded when that is asked for.
// Names in, paths out. Files are there in Node only; elsewhere this says what to do instead.

import { ArgumentError, NablaError, type OptionNames } from '../../tensor/library.js';
import type { DownloadProgress } from '../node/download.js';

/** Options of every set that is kept in files. */
export interface SetOptions {
  /**
   * Where the files are, under their original names, compressed or not. Default: the folder of the set's name in
   * `NABLA_DATA`, `NABLA_DATA` itself, and the folder of the set's name in the user's cache.
   */
  readonly folder?: string;
  /** Download what is not there, into `folder`, else into `NABLA_DATA`, else into the cache. Default false. */
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
  if (options.download !== true) throw notFound(set, folders, remote);
  const target = folders[0];
  const { download } = await import('../node/download.js');
  const { join } = await import('../node/files.js');
  for (const { name, url, bytes, sha256 } of remote) {
    const { onProgress, signal } = options;
    await download({ url, path: join(target, name), bytes, sha256, onProgress, signal });
  }
  return locate(set, remote, { ...options, folder: target, download: false });
}

function notFound(
  { call, layouts }: { readonly call: string; readonly layouts: readonly Layout[] },
  folders: readonly string[],
  remote: readonly RemoteFile[],
): NablaError {
  const files = Object.values(layouts[0]).map(([name]) => name);
  const size = (remote.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(1);
  const host = remote[0] === undefined ? '' : new URL(remote[0].url).host;
  return new NablaError(
    `${call}: the files are not there. Looked for ${files.join(', ')} (with or without .gz) in ${folders.join(', ')}. Put them there, set NABLA_DATA or folder, or give download: true (${size} MB from ${host}).`,
  );
}
