// What a file of PyTorch's holds, as plain values of JavaScript: a dict is a Map, a list an array, a tuple a frozen array.
// Must not know: how it is written.

import { FormatError } from '../../tensor/library.js';
import { StoredTensor } from '../stored-tensor.js';

/** Something that a file calls by its name only: a dtype (`torch.float32`), a device (`device('cuda:0')`), a type (`builtins.int`). */
export class PythonName {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  toString(): string {
    return this.name;
  }
}

/** Dict, OrderedDict, Counter, Namespace, and what TorchScript keeps of a module: by key, in the file's order. */
export interface TorchDict extends ReadonlyMap<TorchValue, TorchValue> {}
/** List; a tuple and torch.Size are frozen. */
export interface TorchList extends ReadonlyArray<TorchValue> {}
export interface TorchSet extends ReadonlySet<TorchValue> {}

/** Whole numbers beyond 2⁵³ are bigint, None is null, bytes are a Uint8Array. */
export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | StoredTensor
  | PythonName
  | TorchDict
  | TorchList
  | TorchSet;

export const isDict = (value: TorchValue | undefined): value is TorchDict => value instanceof Map;
export const isList = (value: TorchValue | undefined): value is TorchList => Array.isArray(value);

/** A dict that is still being read. */
export type OpenDict = Map<TorchValue, TorchValue>;

/** A key as it stands in a dotted path. */
export function keyText(key: TorchValue): string {
  if (typeof key === 'string') return key;
  if (isList(key)) return `(${key.map((item) => (isList(item) ? '…' : keyText(item))).join(', ')})`;
  if (key === null) return 'None';
  if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean') return String(key);
  return key instanceof PythonName ? key.name : '…';
}

/** More is no checkpoint: a file can say the same list twice in itself, and so on, thirty times. */
const MOST_VISITED = 2_000_000;
const DEEPEST = 200;

/**
 * Every tensor below a value with its dotted path: keys of dicts, positions in lists. What is in a circle is seen once.
 * Throws FormatError for what is nested without end.
 */
export function* walkTensors(
  root: TorchValue,
  file?: string,
): Generator<[path: string, tensor: StoredTensor], void, void> {
  let visited = 0;
  const open = new Set<TorchValue>();
  function* walk(value: TorchValue, path: string): Generator<[string, StoredTensor], void, void> {
    if (value instanceof StoredTensor) yield [path, value];
    if (!(isDict(value) || isList(value)) || open.has(value)) return;
    if (open.size >= DEEPEST) throw tooMuch(file, `its values are nested more than ${DEEPEST} deep`);
    open.add(value);
    const entries = isDict(value) ? value : value.entries();
    for (const [key, item] of entries) {
      if (++visited > MOST_VISITED) throw tooMuch(file, `it has more than ${MOST_VISITED} values`);
      if (typeof item !== 'object' || item === null) continue;
      const name = keyText(key);
      yield* walk(item, path === '' ? name : `${path}.${name}`);
    }
    open.delete(value);
  }
  yield* walk(root, '');
}

function tooMuch(file: string | undefined, what: string): FormatError {
  return new FormatError(`loadTorch: ${file === undefined ? '' : `${file}: `}${what}, which no state dict is.`, file);
}
