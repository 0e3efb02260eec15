// From the keys of a file to those of a model: wrappers are taken off, a prefix is cut, names are changed.
// Keys in, keys out. Must not know: tensors, files, modules.

import { ArgumentError, checkFunction, checkRecord, checkText, wrongKind } from '../../tensor/library.js';

/**
 * How keys of a file are called in the model. An object: each name stands for the key or for the beginning of keys up to a dot, the
 * longest that fits counts, and null leaves the key out. A function of the key, which may return undefined to leave it out. A list
 * of pairs [pattern, replacement], each applied to what the one before has left, as `replace` of texts does.
 */
export type KeyMap =
  | Readonly<Record<string, string | null>>
  | ((key: string) => string | null | undefined)
  | readonly (readonly [pattern: RegExp | string, replacement: string])[];

/** What DataParallel and torch.compile put before every key. */
const WRAPPERS = ['module.', '_orig_mod.'];

/** `prefix` that all keys have, put there by a wrapper, unless the model has such keys itself; '' if there is none. */
export function wrapperOf(keys: readonly string[], wanted: ReadonlySet<string>): string {
  let prefix = '';
  for (;;) {
    const next = WRAPPERS.find((wrapper) => keys.every((key) => key.startsWith(prefix + wrapper)));
    if (next === undefined || keys.length === 0) return prefix;
    if ([...wanted].some((key) => key.startsWith(next))) return prefix;
    prefix += next;
  }
}

type Rename = (key: string) => string | null | undefined;

/** Throws ArgumentError for what is no map of keys. */
export function renameBy(call: string, map: KeyMap | undefined): Rename {
  if (map === undefined) return (key) => key;
  if (typeof map === 'function') {
    checkFunction(call, map, 'map');
    return (key) => {
      const name: unknown = map(key);
      if (name !== null && name !== undefined && typeof name !== 'string')
        throw wrongKind(
          call,
          `what map returns for '${key}'`,
          name,
          'Return a text, or undefined to leave the key out',
        );
      return name;
    };
  }
  if (Array.isArray(map)) return renameByPairs(call, map as readonly (readonly [RegExp | string, string])[]);
  checkRecord(call, 'map', map, 'names');
  const names = map as Readonly<Record<string, string | null>>;
  for (const [key, name] of Object.entries(names)) if (name !== null) checkText(call, `map of '${key}'`, name);
  return (key) => renameByNames(key, names);
}

function renameByNames(key: string, names: Readonly<Record<string, string | null>>): string | null {
  for (let end = key.length; end > 0; end = key.lastIndexOf('.', end - 1)) {
    const begin = key.slice(0, end);
    if (!Object.hasOwn(names, begin)) continue;
    const name = names[begin];
    if (name === null) return null;
    // A name for the beginning may be empty: what is below moves up.
    return name === '' ? key.slice(end + 1) : name + key.slice(end);
  }
  return key;
}

function renameByPairs(call: string, pairs: readonly (readonly [RegExp | string, string])[]): Rename {
  for (const [i, pair] of pairs.entries()) {
    const [pattern, replacement] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
    const isPattern = typeof pattern === 'string' || Object.prototype.toString.call(pattern) === '[object RegExp]';
    if (!isPattern || typeof replacement !== 'string')
      throw wrongKind(call, `pair ${i} of map`, pair, 'Give [pattern, replacement]: a RegExp or a text, and a text');
  }
  return (key) => pairs.reduce((name, [pattern, replacement]) => name.replace(pattern, replacement), key);
}

export interface Renamed<T> {
  readonly entries: Map<string, T>;
  /** Keys of the file by what they are called in the model. */
  readonly origins: ReadonlyMap<string, string>;
  /** What was taken off every key. */
  readonly stripped: string;
}

/** The tensors that have the prefix, by their new keys. Throws ArgumentError where two would have the same. */
export function renameKeys<T>(
  call: string,
  tensors: ReadonlyMap<string, T>,
  wanted: ReadonlySet<string>,
  prefix: string,
  rename: Rename,
): Renamed<T> {
  const keys = [...tensors.keys()];
  const stripped = prefix !== '' && keys.some((key) => key.startsWith(prefix)) ? '' : wrapperOf(keys, wanted);
  const entries = new Map<string, T>();
  const origins = new Map<string, string>();
  for (const [key, value] of tensors) {
    const bare = key.slice(stripped.length);
    if (!bare.startsWith(prefix)) continue;
    const name = rename(bare.slice(prefix.length));
    if (name === null || name === undefined) continue;
    const other = origins.get(name);
    if (other !== undefined) throw new ArgumentError(`${call}: map calls both '${other}' and '${key}' '${name}'.`);
    entries.set(name, value);
    origins.set(name, key);
  }
  return { entries, origins, stripped };
}
