// Where the bytes of a file come from, a stretch at a time, so that a reader needs no more of a large file in memory than it
// looks at: bytes that are there already, a Blob (what a page's user has chosen), a file (node/file-source.ts).
// Must not know: what the bytes mean.

import { FormatError } from '../tensor/library.js';

export interface ByteSource {
  /** Of the file, for messages. */
  readonly name: string | undefined;
  /** Bytes in all. */
  readonly size: number;
  /** The bytes from `begin` up to `end`, both within the size; a view of what lies in memory already. */
  read(begin: number, end: number): Promise<Uint8Array>;
}

export function bytesSource(bytes: Uint8Array, name?: string): ByteSource {
  return {
    name,
    size: bytes.length,
    read: (begin, end) => Promise.resolve(bytes.subarray(begin, end)),
  };
}

export function blobSource(blob: Blob, name?: string): ByteSource {
  return {
    name,
    size: blob.size,
    async read(begin, end) {
      const bytes = new Uint8Array(await blob.slice(begin, end).arrayBuffer());
      if (bytes.length !== end - begin) throw changedMeanwhile(name, begin);
      return bytes;
    },
  };
}

/** The file is shorter now than it was when its size was asked for. */
export function changedMeanwhile(name: string | undefined, offset: number): FormatError {
  return new FormatError(
    `read: ${name ?? 'the file'} has become shorter while it was read (at byte ${offset}). Read it again.`,
    name,
    offset,
  );
}
