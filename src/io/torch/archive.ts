// The layout of torch.save since PyTorch 1.6, and of TorchScript: a zip archive with data.pkl, and a member data/KEY for each
// storage. TorchScript has constants.pkl and constants/ beside it, and the code, which is left alone.
// Members are read one at a time: the pickle at once, a storage when a tensor on it is asked for.

import type { ByteSource } from '../byte-source.js';
import { faultOf } from '../formats/fault.js';
import { type ZipMember, readMember, verifyMember } from '../formats/zip.js';
import { STORED_DTYPES } from '../stored-dtype.js';
import { type Storage, StorageCache } from '../stored-tensor.js';
import { StorageType, namesOf } from './names.js';
import { PickleCut, type PickleCosts, type PickleWorld, readPickle } from './pickle.js';
import { StorageReference } from './rebuild.js';
import { type OpenDict, type TorchValue, isList } from './value.js';

export interface TorchContent {
  readonly layout: 'zip' | 'torchscript' | 'legacy' | 'pickle';
  readonly value: TorchValue;
}

/** The archive's one folder and its pickle; undefined where it is no file of PyTorch's. */
export function pickleOf(members: readonly ZipMember[]): ZipMember | undefined {
  return members.find(({ name }) => /^([^/]+\/)?data\.pkl$/.test(name));
}

export async function readArchive(source: ByteSource, members: readonly ZipMember[]): Promise<TorchContent> {
  const data = pickleOf(members);
  if (data === undefined) return faultOf('loadTorch', source.name)('the archive has no data.pkl', 0);
  const folder = data.name.slice(0, -'data.pkl'.length);
  // PyTorch writes 0 where it was told to compute no checksums.
  const checked = members.map((member) => (member.crc === 0 ? { ...member, crc: undefined } : member));
  const byName = new Map(checked.map((member) => [member.name, member]));
  const isScript = byName.has(`${folder}constants.pkl`);
  const order = byName.get(`${folder}byteorder`);
  const isBigEndian = order !== undefined && new TextDecoder().decode(await readMember(source, order)) === 'big';
  const cache = new StorageCache();
  const read = (name: 'data' | 'constants'): Promise<TorchValue> =>
    readMemberPickle(source, byName, folder, name, isScript, isBigEndian, cache);
  const value = await read('data');
  if (!isScript) return { layout: 'zip', value };
  const constants = await read('constants');
  if (value instanceof Map && isList(constants) && constants.length > 0) {
    const named: OpenDict = new Map(constants.map((constant, i) => [`c${i}`, constant]));
    (value as OpenDict).set('CONSTANTS', named); // as the code of TorchScript calls them
  }
  return { layout: 'torchscript', value };
}

async function readMemberPickle(
  source: ByteSource,
  members: ReadonlyMap<string, ZipMember>,
  folder: string,
  name: 'data' | 'constants',
  isScript: boolean,
  isBigEndian: boolean,
  cache: StorageCache,
): Promise<TorchValue> {
  const member = members.get(`${folder}${name}.pkl`)!;
  const where = source.name === undefined ? member.name : `${source.name} (${member.name})`;
  const fault = faultOf('loadTorch', where);
  const bytes = await readMember(source, member);
  const storages = new Map<string, StorageReference>();
  const world: PickleWorld = {
    fault,
    where: `loadTorch: ${where}`,
    file: source.name,
    find: namesOf(source.name, source.size, isScript),
    // ('storage', type, key, device, elements)
    persistent(id, costs) {
      const { type, key, elements } = storageId(id, costs);
      const known = storages.get(key);
      if (known !== undefined) return known;
      const place = `${folder}${name}/${key}`;
      const stored = members.get(place);
      if (stored === undefined) return costs.fail(`the archive has no '${place}', which a tensor is kept in`);
      const dtype = type.dtype === 'untyped' ? undefined : type.dtype;
      const size = elements * (dtype === undefined ? 1 : STORED_DTYPES[dtype].bytes);
      if (size > stored.size) costs.fail(`'${place}' has ${stored.size} bytes, and its storage ${size}`);
      const storage: Storage = {
        size: stored.size,
        file: source.name,
        isBigEndian,
        bytes: () => cache.get(stored, () => readMember(source, stored)),
        verify: () => verifyMember(source, stored),
      };
      const reference = new StorageReference(key, storage, dtype);
      storages.set(key, reference);
      return reference;
    },
  };
  return wholePickle(bytes, 0, world).value;
}

/** A pickle that has to end within these bytes. */
export function wholePickle(bytes: Uint8Array, start: number, world: PickleWorld): { value: TorchValue; end: number } {
  try {
    return readPickle(bytes, start, world);
  } catch (error) {
    if (error instanceof PickleCut) return world.fault('the pickle ends before it is complete', bytes.length);
    throw error;
  }
}

export interface StorageId {
  readonly type: StorageType;
  readonly key: string;
  readonly elements: number;
  /** Of the old layout: (key, offset, size) of a part of the storage. */
  readonly view: TorchValue;
}

export function storageId(id: TorchValue, { fail }: PickleCosts): StorageId {
  if (!isList(id) || id[0] !== 'storage') return fail('a reference to what is no storage');
  const [, type, key, , elements, view] = id;
  if (!(type instanceof StorageType) || (typeof key !== 'string' && typeof key !== 'number'))
    return fail('a reference to a storage is not understood');
  if (typeof elements !== 'number' || !Number.isSafeInteger(elements) || elements < 0)
    return fail('the size of a storage is no whole number');
  return { type, key: String(key), elements, view: view ?? null };
}
