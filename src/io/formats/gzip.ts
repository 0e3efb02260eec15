// gzip, known by its first bytes and not by the file's name. The last four bytes of the file claim the size of the content;
// no more than that is ever produced, and a claim that the compressed bytes cannot hold is refused before anything is.
// Bytes in, bytes out. Must not know: what they mean.

import { type OptionNames, checkOptions } from '../../tensor/library.js';
import { faultOf, checkBytes } from './fault.js';

/** Deflate makes at most 1032 bytes of one. */
export const MOST_RATIO = 1032;

const SMALLEST = 18; // header and trailer

export interface GzipOptions {
  /** For messages. */
  readonly path?: string | undefined;
  /** Most bytes to produce. Default: what the file claims; more is needed for several gzip files in a row. */
  readonly maxBytes?: number;
}

const GZIP_OPTIONS: OptionNames<GzipOptions> = { path: true, maxBytes: true };

/** The bytes themselves, or their content if they are gzip. Throws FormatError, also for more than `maxBytes` of either. */
export async function decompress(bytes: Uint8Array, options: GzipOptions = {}): Promise<Uint8Array> {
  checkBytes('decompress', bytes);
  checkOptions('decompress', options, GZIP_OPTIONS);
  if (isGzip(bytes)) return gunzip(bytes, options);
  const { path, maxBytes = Infinity } = options;
  if (bytes.length > maxBytes)
    faultOf('read', path)(`it has ${bytes.length} bytes, more than maxBytes (${maxBytes})`, 0);
  return bytes;
}

export function isGzip(bytes: Uint8Array): boolean {
  checkBytes('isGzip', bytes);
  return bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The content of a gzip file. Throws FormatError if it is cut, damaged, or larger than it claims. */
export async function gunzip(bytes: Uint8Array, options: GzipOptions = {}): Promise<Uint8Array> {
  checkBytes('gunzip', bytes);
  checkOptions('gunzip', options, GZIP_OPTIONS);
  const { path, maxBytes } = options;
  const fault = faultOf('gzip', path);
  if (bytes.length < SMALLEST) fault(`${bytes.length} bytes are too few`, bytes.length);
  const end = bytes.length - 4;
  const claim = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(end, true);
  if (claim > MOST_RATIO * bytes.length) fault(`${bytes.length} bytes cannot hold the claimed ${claim}`, end);
  const limit = maxBytes ?? claim;
  const inflate = nodeInflate() ?? streamInflate;
  const content = await inflate(bytes, limit).catch((error: unknown) => {
    if (error instanceof TooLong) {
      return fault(
        maxBytes === undefined
          ? `the content is longer than the claimed ${claim} bytes; several gzip files in a row need maxBytes`
          : `the content is longer than maxBytes (${maxBytes})`,
        end,
      );
    }
    return fault(`the compressed data are not valid: ${error instanceof Error ? error.message : String(error)}`, 0);
  });
  if (maxBytes === undefined && content.length !== claim)
    fault(`the content has ${content.length} bytes, and the file claims ${claim}`, end);
  return content;
}

class TooLong extends Error {}

type Inflate = (bytes: Uint8Array, limit: number) => Promise<Uint8Array>;

function nodeInflate(): Inflate | undefined {
  const { process } = globalThis as { process?: NodeJS.Process };
  const zlib = process?.getBuiltinModule?.('node:zlib');
  if (zlib === undefined) return undefined;
  return (bytes, limit) =>
    new Promise((resolve, reject) => {
      zlib.gunzip(bytes, { maxOutputLength: Math.max(1, limit) }, (error, content) => {
        if (error === null) resolve(new Uint8Array(content.buffer, content.byteOffset, content.byteLength));
        else reject((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? new TooLong() : error);
      });
    });
}

/** Any host with DecompressionStream; exported for its test. */
export async function streamInflate(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = source.pipeThrough(new DecompressionStream('gzip')).getReader();
  const out = new Uint8Array(limit);
  let used = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (used + part.value.length > limit) {
      reader.cancel().catch(() => {});
      throw new TooLong();
    }
    out.set(part.value, used);
    used += part.value.length;
  }
  return out.subarray(0, used);
}
