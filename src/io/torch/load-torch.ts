// Files of PyTorch's torch.save and TorchScript as plain values.

import { ArgumentError, FormatError, checkOptions } from '../../tensor/library.js';
import type { AnyTensor } from '../../tensor/tensor.js';
import type { ByteSource } from '../byte-source.js';
import { kindOf } from '../file-kind.js';
import { FILE_OPTIONS, type FileOptions, type FileSource, openSource } from '../source.js';
import type { StoredTensor } from '../stored-tensor.js';
import { type TorchContent, readArchive } from './archive.js';
import { readLegacy } from './legacy.js';
import { type TorchValue, isDict, isList, keyText, walkTensors } from './value.js';

/** What a file of PyTorch's holds. Tensors are read from it when they are asked for. */
export class TorchFile {
  /** As the file was written: torch.save since 1.6, TorchScript, torch.save before 1.6, or a pickle of plain values. */
  readonly layout: TorchContent['layout'];
  /** What torch.load gives: dicts are Maps, lists arrays, tuples frozen arrays, None is null. */
  readonly value: TorchValue;
  private readonly file: string | undefined;

  /** @internal Use `loadTorch`. */
  constructor({ layout, value }: TorchContent, file?: string) {
    this.layout = layout;
    this.value = value;
    this.file = file;
  }

  /** The value below keys and positions; undefined where there is none: `file.at('hyper_parameters', 'lr')`. */
  at(...path: readonly (string | number)[]): TorchValue | undefined {
    let value: TorchValue | undefined = this.value;
    for (const key of path) {
      if (isDict(value)) value = value.get(key) ?? value.get(typeof key === 'number' ? String(key) : Number(key));
      else value = isList(value) ? value[Number(key)] : undefined;
    }
    return value;
  }

  /**
   * All tensors below keys by their dotted paths, not read yet: `file.stored('model_state_dict')` has '0.weight' where the dict has it.
   * Throws ArgumentError where there is nothing of these keys, FormatError where two tensors have the same path.
   */
  stored(...path: readonly (string | number)[]): Record<string, StoredTensor> {
    const value = this.at(...path);
    if (value === undefined) {
      const known = isDict(this.value)
        ? `There are ${[...this.value.keys()].slice(0, 20).map(keyText).join(', ')}`
        : 'It is no dict';
      throw new ArgumentError(`stored: ${this.file ?? 'the file'} has nothing called '${path.join('.')}'. ${known}.`);
    }
    const found = new Map<string, StoredTensor>();
    for (const [name, tensor] of walkTensors(value, this.file)) {
      if (found.has(name))
        throw new FormatError(`loadTorch: ${this.file ?? 'the file'} has two tensors called '${name}'.`, this.file);
      found.set(name, tensor.named(name));
    }
    return Object.fromEntries(found);
  }

  /** The same tensors, read, in their own dtypes. Throws as `stored` and `StoredTensor.tensor`. */
  async tensors(...path: readonly (string | number)[]): Promise<Record<string, AnyTensor>> {
    const read: [string, AnyTensor][] = [];
    for (const [name, stored] of Object.entries(this.stored(...path))) read.push([name, await stored.tensor()]);
    return Object.fromEntries(read);
  }
}

/**
 * Reads what torch.save or torch.jit.save has written, in all layouts, or a pickle of plain values and NumPy arrays. The pickle in
 * it is read as data and never executed: what it may name is on a list, and anything else (a whole module, an object of some
 * class, a call of os.system) throws a FormatError that says what it was. Numbers of a tensor are read when it is asked for them, so a
 * large file takes no more memory than a tensor. PyTorch: torch.load.
 *
 *     const checkpoint = await loadTorch('checkpoint.pt');
 *     checkpoint.at('epoch');
 *     const weights = await checkpoint.tensors('model_state_dict');
 */
export async function loadTorch(source: FileSource, options: FileOptions = {}): Promise<TorchFile> {
  checkOptions('loadTorch', options, FILE_OPTIONS);
  return readTorch(await openSource('loadTorch', source, options));
}

async function readTorch(source: ByteSource): Promise<TorchFile> {
  const { kind, members = [] } = await kindOf('loadTorch', source);
  if (kind !== 'torch')
    throw new FormatError(
      `loadTorch: ${source.name ?? 'the source'} is ${KINDS[kind]}, not a file of PyTorch's. loadWeights loads it into a model${kind === 'index' ? ', with its shards' : ''}.`,
      source.name,
    );
  const content = members.length > 0 ? await readArchive(source, members) : await readLegacy(source);
  return new TorchFile(content, source.name);
}

const KINDS = { safetensors: 'safetensors', npz: 'an npz file of NumPy', npy: 'an npy file of NumPy', index: 'JSON' };
