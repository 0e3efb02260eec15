// Files of a page that outlive it, for weights above all: in the browser's private file system (OPFS), or in IndexedDB where there is none.
// Bytes by name, in a folder; other folders see nothing of it.
// Must not know: what is in the bytes.

import {
  ArgumentError,
  NablaError,
  type OptionNames,
  checkChoice,
  checkOptions,
  checkText,
  wrongKind,
} from '../tensor/library.js';
import { isUint8Array } from '../tensor/typed-arrays.js';

export interface BrowserFilesOptions {
  /** Default: 'opfs' where the browser has it, 'indexeddb' elsewhere. */
  readonly in?: 'opfs' | 'indexeddb';
  /** Name of the folder. Default 'nabla'. */
  readonly folder?: string;
}

const OPTIONS: OptionNames<BrowserFilesOptions> = { in: true, folder: true };

export interface BrowserFiles {
  readonly in: 'opfs' | 'indexeddb';
  /** Keeps the bytes under a name; what was there before is replaced when all of them are written. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Throws NablaError where there is none of that name. */
  read(name: string): Promise<Uint8Array>;
  has(name: string): Promise<boolean>;
  /** Names, sorted. */
  list(): Promise<string[]>;
  /** Nothing happens where there is none of that name. */
  delete(name: string): Promise<void>;
}

/** What both stores do; names are checked before. */
interface Store {
  write(name: string, bytes: Uint8Array): Promise<void>;
  read(name: string): Promise<Uint8Array | undefined>;
  list(): Promise<string[]>;
  delete(name: string): Promise<void>;
}

/**
 * Files that a page keeps in its browser, in a page and in a worker. A browser may delete them when its disk is full, unless
 * `navigator.storage.persist()` was granted. Throws ArgumentError outside of browsers, NablaError where storage is forbidden.
 *
 *     const files = await openBrowserFiles();
 *     await files.write('digits.safetensors', await toSafetensors(model.stateDict()));
 *     await loadWeights(model, await files.read('digits.safetensors'));
 */
export async function openBrowserFiles(options: BrowserFilesOptions = {}): Promise<BrowserFiles> {
  const call = 'openBrowserFiles';
  checkOptions(call, options, OPTIONS);
  const { folder = 'nabla' } = options;
  checkText(call, 'folder', folder);
  checkName(call, folder);
  const hasFiles = typeof navigator === 'object' && typeof navigator.storage?.getDirectory === 'function';
  const { in: place = hasFiles ? 'opfs' : 'indexeddb' } = options;
  checkChoice(call, 'in', place, ['opfs', 'indexeddb']);
  if (place === 'opfs' && !hasFiles)
    throw new ArgumentError(
      `${call}: there is no private file system here (it needs a browser, and https). Use in: 'indexeddb'.`,
    );
  if (place === 'indexeddb' && typeof indexedDB !== 'object')
    throw new ArgumentError(`${call}: there is no storage of a browser here. In Node, use files.`);
  const store = await told(`${call}: storage cannot be opened`, () =>
    place === 'opfs' ? openFolder(folder) : openDatabase(folder),
  );
  return checked(place, store);
}

function checked(place: 'opfs' | 'indexeddb', store: Store): BrowserFiles {
  const named = (call: string, name: string): void => {
    checkText(call, 'the name', name);
    checkName(call, name);
  };
  return {
    in: place,
    async write(name, bytes) {
      named('write', name);
      if (!isUint8Array(bytes)) throw wrongKind('write', 'the second argument', bytes, 'a Uint8Array');
      await told(`write: '${name}' cannot be kept`, () => store.write(name, bytes));
    },
    async read(name) {
      named('read', name);
      const bytes = await told(`read: '${name}' cannot be read`, () => store.read(name));
      if (bytes !== undefined) return bytes;
      const names = await store.list();
      throw new NablaError(
        `read: there is no '${name}'. There ${names.length === 0 ? 'is nothing' : `are ${names.join(', ')}`}.`,
      );
    },
    async has(name) {
      named('has', name);
      return (await told('has', () => store.list())).includes(name);
    },
    list: () => told('list: the names cannot be read', () => store.list()),
    async delete(name) {
      named('delete', name);
      await told(`delete: '${name}' cannot be deleted`, () => store.delete(name));
    },
  };
}

/** One part of a path: the private file system takes no other. */
function checkName(call: string, name: string): void {
  if (name === '' || name === '.' || name === '..' || /[/\\]/.test(name) || name.length > 200)
    throw new ArgumentError(
      `${call}: '${name.slice(0, 60)}' is no name of a file. Use up to 200 letters, without slashes.`,
    );
}

/** Errors of a browser are of many classes and say little: what was wanted stands before them. */
async function told<T>(text: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new NablaError(`${text} (${cause instanceof Error ? cause.message : String(cause)}).`, { cause });
  }
}

const isMissing = (error: unknown): boolean => (error as { name?: unknown } | null)?.name === 'NotFoundError';

async function openFolder(name: string): Promise<Store> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(name, { create: true });
  return {
    async write(file, bytes) {
      const handle = await folder.getFileHandle(file, { create: true });
      const stream = await handle.createWritable();
      await stream.write(bytes.slice());
      await stream.close();
    },
    async read(file) {
      try {
        const handle = await folder.getFileHandle(file);
        return new Uint8Array(await (await handle.getFile()).arrayBuffer());
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    async list() {
      const names: string[] = [];
      for await (const file of folder.keys()) names.push(file);
      return names.toSorted();
    },
    async delete(file) {
      try {
        await folder.removeEntry(file);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}

const TABLE = 'files';

async function openDatabase(name: string): Promise<Store> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(TABLE);
  const database = await answerOf(opening);
  const table = (mode: IDBTransactionMode): IDBObjectStore => database.transaction(TABLE, mode).objectStore(TABLE);
  return {
    async write(file, bytes) {
      const rows = table('readwrite');
      rows.put(bytes.slice(), file);
      await new Promise<void>((done, fail) => {
        rows.transaction.oncomplete = () => done();
        rows.transaction.onabort = () => fail(rows.transaction.error ?? new Error('it was broken off'));
      });
    },
    async read(file) {
      const found: unknown = await answerOf(table('readonly').get(file));
      return isUint8Array(found) ? found : undefined;
    },
    list: async () => (await answerOf(table('readonly').getAllKeys())).map(String).toSorted(),
    async delete(file) {
      await answerOf(table('readwrite').delete(file));
    },
  };
}

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error ?? new Error('no reason is given'));
  });
}
