// The layout of torch.save before PyTorch 1.6: pickles in a row (a magic number, the protocol, the machine, the object, the keys
// of its storages), then the storages, each with the number of its elements before it. A file that begins with another
// pickle is one of plain values: NumPy arrays, as some projects publish their weights.

import type { ByteSource } from '../byte-source.js';
import { faultOf } from '../formats/fault.js';
import { STORED_DTYPES, type StoredDType } from '../stored-dtype.js';
import { type Storage, StorageCache } from '../stored-tensor.js';
import { type TorchContent, storageId } from './archive.js';
import { namesOf } from './names.js';
import { PickleCut, type PickleWorld, readPickle } from './pickle.js';
import { StorageReference } from './rebuild.js';
import { type TorchValue, isDict, isList } from './value.js';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** What is read of a file at first; twice as much each time that a pickle does not end in it. */
const FIRST_WINDOW = 1 << 20;

/** A storage whose place is known only behind the pickles. */
class LateStorage implements Storage {
  readonly size: number;
  readonly file: string | undefined;
  isBigEndian = false;
  private place: (() => Promise<Uint8Array>) | undefined;
  constructor(size: number, file: string | undefined) {
    this.size = size;
    this.file = file;
  }
  found(read: () => Promise<Uint8Array>): void {
    this.place = read;
  }
  get isFound(): boolean {
    return this.place !== undefined;
  }
  bytes(): Promise<Uint8Array> {
    return this.place!();
  }
}

interface Root {
  readonly reference: StorageReference;
  readonly storage: LateStorage;
  readonly dtype: StoredDType | 'untyped';
  readonly elements: number;
}

export async function readLegacy(source: ByteSource): Promise<TorchContent> {
  const fault = faultOf('loadTorch', source.name);
  let window = Math.min(source.size, FIRST_WINDOW);
  for (;;) {
    const bytes = await source.read(0, window);
    try {
      return await readPickles(source, bytes);
    } catch (error) {
      if (!(error instanceof PickleCut)) throw error;
      if (window === source.size) return fault('the pickle ends before it is complete', source.size);
      window = Math.min(source.size, 2 * window);
    }
  }
}

async function readPickles(source: ByteSource, bytes: Uint8Array): Promise<TorchContent> {
  const fault = faultOf('loadTorch', source.name);
  const roots = new Map<string, Root>();
  const world: PickleWorld = {
    fault,
    where: source.name === undefined ? 'loadTorch' : `loadTorch: ${source.name}`,
    file: source.name,
    find: namesOf(source.name, source.size, false),
    // ('storage', type, key, device, elements, part of it or None)
    persistent(id, costs) {
      const { type, key, elements, view } = storageId(id, costs);
      const { dtype } = type;
      const own = dtype === 'untyped' ? undefined : dtype;
      const bytesOfElement = own === undefined ? 1 : STORED_DTYPES[own].bytes;
      let root = roots.get(key);
      if (root === undefined) {
        if (elements * bytesOfElement > source.size)
          return costs.fail(`storage '${key}' has ${elements} elements, more than the file can hold`);
        const storage = new LateStorage(elements * bytesOfElement, source.name);
        root = { storage, dtype, elements, reference: new StorageReference(key, storage, own) };
        roots.set(key, root);
      } else if (root.dtype !== dtype || root.elements !== elements)
        return costs.fail(`storage '${key}' is described in two ways`);
      if (view === null) return root.reference;
      const [, offset, size] = isList(view) ? view : [];
      if (typeof offset !== 'number' || typeof size !== 'number' || !(offset >= 0) || !(offset + size <= elements))
        return costs.fail(`a part of storage '${key}' is not understood`);
      return new StorageReference(`of ${key}`, root.storage, own, offset);
    },
  };
  const first = readPickle(bytes, 0, world);
  if (first.value !== MAGIC) {
    for (const key of roots.keys()) fault(`storage '${key}', which a tensor is kept in, is missing`, first.end);
    return { layout: 'pickle', value: first.value };
  }
  const protocol = readPickle(bytes, first.end, world);
  if (protocol.value !== PROTOCOL) fault('the protocol of torch.save is not known', first.end);
  const machine = readPickle(bytes, protocol.end, world);
  const object = readPickle(bytes, machine.end, world);
  const keys = readPickle(bytes, object.end, world);
  const isBigEndian = isDict(machine.value) && machine.value.get('little_endian') === false;
  await placeStorages(source, roots, keys.value, keys.end, isBigEndian);
  return { layout: 'legacy', value: object.value };
}

/** Each key in turn: 8 bytes, how many elements, and these. */
async function placeStorages(
  source: ByteSource,
  roots: ReadonlyMap<string, Root>,
  keys: TorchValue,
  start: number,
  isBigEndian: boolean,
): Promise<void> {
  const fault = faultOf('loadTorch', source.name);
  if (!isList(keys)) return fault('the keys of the storages are no list', start);
  const cache = new StorageCache();
  let at = start;
  for (const key of keys) {
    const root = typeof key === 'string' || typeof key === 'number' ? roots.get(String(key)) : undefined;
    if (root === undefined || root.storage.isFound) return fault('a storage that no tensor is kept in', at);
    const name = String(key);
    if (at + 8 > source.size) fault(`storage '${name}' is missing`, at);
    const head = await source.read(at, at + 8);
    const count = new DataView(head.buffer, head.byteOffset, 8).getBigInt64(0, true);
    if (count !== BigInt(root.elements))
      fault(`storage '${name}' has ${count} elements, and its tensors say ${root.elements}`, at);
    const [begin, end] = [at + 8, at + 8 + root.storage.size];
    if (end > source.size) fault(`storage '${name}' of ${root.storage.size} bytes goes beyond the end`, source.size);
    root.storage.isBigEndian = isBigEndian;
    root.storage.found(() => cache.get(root, () => source.read(begin, end)));
    at = end;
  }
  for (const [key, { storage }] of roots)
    if (!storage.isFound) fault(`storage '${key}', which a tensor is kept in, is missing`, start);
  if (at !== source.size) fault(`${source.size - at} bytes behind the last storage belong to nothing`, at);
}
