// Weights from addresses, kept in the user's cache: the same address, and digest where one is given, is fetched once.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import { cacheFolder } from './cache-folder.js';
import { type DownloadProgress, download } from './download.js';

const { createHash } = process.getBuiltinModule('node:crypto');
const { join } = process.getBuiltinModule('node:path');

export interface CachedFile {
  readonly url: string;
  readonly sha256: string | undefined;
  readonly onProgress: ((progress: DownloadProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Path of the file in the cache, where it is whole. Throws NablaError as `download`. */
export async function cachedDownload(file: CachedFile): Promise<string> {
  const key = createHash('sha256')
    .update(`${file.url}\n${file.sha256 ?? ''}`)
    .digest('hex')
    .slice(0, 16);
  const name = new URL(file.url).pathname
    .split('/')
    .at(-1)!
    .replaceAll(/[^\w.-]/g, '_')
    .slice(-80);
  const path = join(cacheFolder('weights'), `${key}-${name === '' ? 'file' : name}`);
  await download({ ...file, path });
  return path;
}
