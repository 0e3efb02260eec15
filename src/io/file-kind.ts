// Which format a file has, by how it begins. One row each; what is known and not read says what to do.

import type { ByteSource } from './byte-source.js';
import { type ZipMember, readDirectory } from './formats/zip.js';
import { FormatError } from '../tensor/library.js';
import { pickleOf } from './torch/archive.js';

export type FileKind = 'safetensors' | 'torch' | 'npz' | 'npy' | 'index';

/** A file's format, with the directory of an archive. */
export interface KnownFile {
  readonly kind: FileKind;
  readonly members?: readonly ZipMember[];
}

const HEAD_BYTES = 512;

const text = (bytes: Uint8Array, begin: number, end: number): string =>
  Array.from(bytes.subarray(begin, end), (byte) => String.fromCharCode(byte)).join('');

/** Formats that are recognised and not read here. */
const OTHERS: readonly [begins: (head: Uint8Array) => boolean, what: string][] = [
  [(h) => text(h, 0, 8) === '\x89HDF\r\n\x1a\n', 'an HDF5 file (Keras). Save the weights as safetensors or npz'],
  [(h) => text(h, 0, 4) === 'GGUF', 'a GGUF file (llama.cpp). Take the original weights as safetensors'],
  [(h) => text(h, 257, 262) === 'ustar', 'a tar archive. Unpack it, or save the weights with torch.save'],
  [(h) => h[0] === 0x1f && h[1] === 0x8b, 'gzip. Unpack it first'],
  [(h) => h[0] === 0x08 && h[1] < 0x20 && h[2] !== 0, 'probably an ONNX file. Load it with loadOnnx of nabla/onnx'],
  [
    (h) => text(h, 0, 42) === 'version https://git-lfs.github.com/spec/v1',
    'a pointer of Git LFS, not the file itself. Fetch it with git lfs pull',
  ],
  [
    (h) => /^\s*<(!doctype|html|\?xml)/i.test(text(h, 0, 64)),
    'a web page, not a file of weights. Look at what the address answers',
  ],
];

/** How a pickle begins: protocol 2 and later, and PyTorch's magic number in protocol 0 and 1. */
const isPickle = (head: Uint8Array): boolean =>
  (head[0] === 0x80 && head[1] <= 5) || text(head, 0, 8) === 'L1195470' || head[0] === 0x8a;

/**
 * The length of a header, below 2³², and its brace. Asked first: a length may begin as other files do (128 is a pickle's 0x80), and none
 * of those has four zeros and a brace there.
 */
export const isSafetensors = (head: Uint8Array): boolean =>
  head.length > 8 && head[8] === 0x7b && head.subarray(4, 8).every((byte) => byte === 0);

/** Throws FormatError for what is none of the formats that are read. */
export async function kindOf(call: string, source: ByteSource): Promise<KnownFile> {
  const where = source.name ?? 'the source';
  const fail = (what: string): never => {
    throw new FormatError(`${call}: ${where} ${what}.`, source.name, 0);
  };
  if (source.size === 0) fail('is empty');
  const head = await source.read(0, Math.min(HEAD_BYTES, source.size));
  if (isSafetensors(head)) return { kind: 'safetensors' };
  if (head[0] === 0x50 && head[1] === 0x4b) return zipKind(source, fail);
  if (text(head, 0, 6) === '\x93NUMPY') return { kind: 'npy' };
  if (isPickle(head)) return { kind: 'torch' };
  if (/^\s*\{/.test(text(head, 0, 64))) return { kind: 'index' };
  const other = OTHERS.find(([begins]) => begins(head));
  if (other !== undefined) return fail(`is ${other[1]}`);
  // What a damaged safetensors file has is said by its reader.
  if (source.name?.endsWith('.safetensors')) return { kind: 'safetensors' };
  return fail('is in no format that is read: safetensors, PyTorch (.pt, .pth, .bin), npz, npy');
}

async function zipKind(source: ByteSource, fail: (what: string) => never): Promise<KnownFile> {
  const members = await readDirectory(source);
  if (pickleOf(members) !== undefined) return { kind: 'torch', members };
  if (members.some(({ name }) => name.endsWith('.npy'))) return { kind: 'npz', members };
  const names = members.slice(0, 5).map(({ name }) => name);
  return fail(
    members.length === 0
      ? 'is an empty zip archive'
      : `is a zip archive without data.pkl (PyTorch) and .npy files (NumPy); it holds ${names.join(', ')}`,
  );
}
