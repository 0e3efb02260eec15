// Any file of tensors that is read (safetensors, PyTorch, npz, npy), and several that belong together: the shards that an
// index.json lists, a folder of them, the files that a page's user has chosen. Numbers are read when they are asked for.

import { ArgumentError, FormatError, wrongKind } from '../tensor/library.js';
import type { ByteSource } from './byte-source.js';
import { isAddress, isUrl } from './fetch.js';
import { type FileKind, kindOf } from './file-kind.js';
import { readNpyFile, readNpzFile } from './npz.js';
import { absolutePath } from './path.js';
import { readSafetensors } from './safetensors.js';
import { type FileOptions, type FileSource, isBlob, isInNode, nameOf, openSource } from './source.js';
import type { StoredTensor } from './stored-tensor.js';
import { readArchive } from './torch/archive.js';
import { readLegacy } from './torch/legacy.js';
import { TorchFile } from './torch/load-torch.js';

/** One file; a folder (Node; its weights under the usual names), an index.json with its shards; files that belong together. */
export type TensorSource = FileSource | readonly Blob[];

export interface TensorFile {
  readonly kind: Exclude<FileKind, 'index'>;
  /** By key; dotted paths where a file of PyTorch's nests them. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Texts of safetensors. */
  readonly metadata: Readonly<Record<string, string>>;
  /** All that a file of PyTorch's holds. */
  readonly torch?: TorchFile;
  /** Names of the files, where there are several. */
  readonly shards?: readonly string[];
  /** Bytes of all files. */
  readonly size: number;
}

/** Opens what a source names. Throws NablaError where it cannot be read, FormatError where it is not what it should be. */
export async function openTensors(call: string, source: TensorSource, options: FileOptions = {}): Promise<TensorFile> {
  if (Array.isArray(source)) return openFiles(call, source as readonly Blob[], options);
  const given = source as FileSource; // Array.isArray does not tell readonly arrays apart
  const place = await chooseFile(call, given);
  const opened = await openSource(call, place, options);
  const known = await kindOf(call, opened);
  if (known.kind === 'index') return openIndex(call, place, opened, options);
  return openOne(opened, known);
}

async function openOne(
  source: ByteSource,
  { kind, members = [] }: Awaited<ReturnType<typeof kindOf>>,
): Promise<TensorFile> {
  const common = { metadata: {}, size: source.size };
  switch (kind) {
    case 'safetensors':
      return { kind, ...common, ...(await readSafetensors(source)) };
    case 'npz':
      return { kind, ...common, tensors: await readNpzFile(source, members) };
    case 'npy':
      return { kind, ...common, tensors: new Map([['array', (await readNpyFile(source)).named('array')]]) };
    case 'torch': {
      const content = members.length > 0 ? await readArchive(source, members) : await readLegacy(source);
      const torch = new TorchFile(content, source.name);
      return { kind, ...common, torch, tensors: new Map(Object.entries(torch.stored())) };
    }
    default:
      throw new FormatError(`${source.name ?? 'the source'} is an index of files, and was named by another one.`);
  }
}

// ---------------------------------------------------------------- several files

/** Which files in a folder are its weights: the first of these that is there. */
const USUAL = [
  'model.safetensors.index.json',
  'model.safetensors',
  'pytorch_model.bin.index.json',
  'pytorch_model.bin',
  'diffusion_pytorch_model.safetensors.index.json',
  'diffusion_pytorch_model.safetensors',
];
const ENDINGS = /\.(safetensors|index\.json|pt|pth|bin|ckpt|npz)$/;

/** The file that stands for a folder; anything else as it is. */
async function chooseFile(call: string, source: FileSource): Promise<FileSource> {
  if ((typeof source !== 'string' && !isUrl(source)) || isAddress(String(source)) || !isInNode()) return source;
  const { joinPath, listFolder, pathOf } = await import('./node/file-source.js');
  const path = pathOf(String(source));
  const names = await listFolder(absolutePath(path, call), path, call);
  if (names === undefined) return path;
  const usual = USUAL.find((name) => names.includes(name));
  const others = names.filter(
    (name) => ENDINGS.test(name) && !/^(training_args|optimizer|scheduler|rng_state)/.test(name),
  );
  const chosen = usual ?? (others.length === 1 ? others[0] : undefined);
  if (chosen !== undefined) return joinPath(path, chosen);
  throw new ArgumentError(
    `${call}: the folder ${path} has ${others.length === 0 ? 'no weights in it' : `several files of weights (${others.slice(0, 8).join(', ')})`}. Name a file: ${USUAL[1]}, ${USUAL[0]}, ….`,
  );
}

/** The files of the weight map, in its order, with the keys that each should have. */
function shardsOf(call: string, bytes: Uint8Array, name: string | undefined): Map<string, string[]> {
  const fail = (what: string): never => {
    throw new FormatError(
      `${call}: ${name ?? 'the source'} ${what}. An index has { "weight_map": { "key": "file" } }.`,
      name,
    );
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return fail('begins like JSON, and is none');
  }
  const map = (parsed as { readonly weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) return fail('has no weight_map');
  const shards = new Map<string, string[]>();
  for (const [key, file] of Object.entries(map)) {
    // An index is data from somebody else: it may not lead out of its folder.
    if (typeof file !== 'string' || /[\\/]|^\.\.?$|^$/.test(file))
      return fail(`names '${String(file)}', which is no file beside it`);
    const keys = shards.get(file) ?? [];
    keys.push(key);
    shards.set(file, keys);
  }
  return shards;
}

const MOST_INDEX_BYTES = 1 << 28;

async function openIndex(
  call: string,
  place: FileSource,
  index: ByteSource,
  options: FileOptions,
): Promise<TensorFile> {
  if (index.size > MOST_INDEX_BYTES)
    throw new FormatError(`${call}: ${index.name ?? 'the source'} is too long for an index.`, index.name);
  const shards = shardsOf(call, await index.read(0, index.size), index.name);
  if (typeof place !== 'string' && !isUrl(place))
    throw wrongKind(call, 'the source', place, 'An index has its shards beside it: give all files, [index, ...shards]');
  const { sha256: _, ...others } = options; // it was of the index
  const parts: [string, TensorFile][] = [];
  for (const file of shards.keys()) {
    const opened = await openSource(call, await besideIndex(place, file), others);
    const known = await kindOf(call, opened);
    parts.push([file, await openOne(opened, known)]);
  }
  return joined(call, parts, shards);
}

async function besideIndex(place: string | URL, file: string): Promise<string> {
  const text = String(place);
  if (isAddress(text)) return new URL(encodeURIComponent(file), text).href;
  const { folderOf, joinPath } = await import('./node/file-source.js');
  return joinPath(folderOf(text), file);
}

/** Files that a page's user has chosen: shards, with their index or without. */
async function openFiles(call: string, files: readonly Blob[], options: FileOptions): Promise<TensorFile> {
  if (files.length === 0 || !files.every(isBlob))
    throw wrongKind(call, 'the source', files, 'Give a path, an address, bytes, or a list of Files');
  const parts: [string, TensorFile][] = [];
  let shards: Map<string, string[]> | undefined;
  const { sha256: _, ...others } = options;
  for (const [i, file] of files.entries()) {
    const opened = await openSource(call, file, others);
    const known = await kindOf(call, opened);
    if (known.kind === 'index') shards = shardsOf(call, await opened.read(0, opened.size), opened.name);
    else parts.push([nameOf(file) ?? `file ${i}`, await openOne(opened, known)]);
  }
  return joined(call, parts, shards);
}

function joined(
  call: string,
  parts: readonly (readonly [name: string, file: TensorFile])[],
  shards: ReadonlyMap<string, readonly string[]> | undefined,
): TensorFile {
  const byName = new Map(parts);
  for (const [file, keys] of shards ?? []) {
    const part = byName.get(file);
    if (part === undefined) throw new ArgumentError(`${call}: the index names ${file}, which is not among the files.`);
    const missing = keys.find((key) => !part.tensors.has(key));
    if (missing !== undefined)
      throw new FormatError(`${call}: ${file} has no tensor '${missing}', which the index says it has.`, file);
  }
  const tensors = new Map<string, StoredTensor>();
  const metadata: Record<string, string> = {};
  for (const [name, part] of parts) {
    Object.assign(metadata, part.metadata);
    for (const [key, stored] of part.tensors) {
      if (tensors.has(key))
        throw new FormatError(`${call}: tensor '${key}' is in ${name}, and in a file before it.`, name);
      tensors.set(key, stored);
    }
  }
  const size = parts.reduce((sum, [, part]) => sum + part.size, 0);
  return { kind: parts[0]?.[1].kind ?? 'safetensors', tensors, metadata, shards: parts.map(([name]) => name), size };
}
