// Datasets that worker threads can make again. A function cannot be sent to a thread; the address of a module can.

import { ArgumentError, wrongKind } from '../tensor/library.js';
import type { DatasetRecipe } from './worker-pool.js';

/** A module whose default export makes a dataset from one argument. */
export interface DatasetModule<Args = never, D = { readonly length: number }> {
  readonly default: (args: Args) => D | Promise<D>;
}

type ArgsOf<M extends DatasetModule> = Parameters<M['default']>[0];
type DatasetOf<M extends DatasetModule> = Awaited<ReturnType<M['default']>>;

const recipes = new WeakMap<object, DatasetRecipe>();

/**
 * A dataset that a DataLoader's `workers` can make, too: what the default export of `module` returns for `args`. Each thread
 * imports the module and makes a dataset of its own, so it must depend on `args` alone. These are plain data; typed arrays
 * over a SharedArrayBuffer are shared with the threads instead of copied. Throws ArgumentError if there is no such export.
 *
 *     const train = await workerDataset<typeof import('./photos.js')>(new URL('./photos.js', import.meta.url), { part: 'train' });
 *     for await (const batch of new DataLoader(train, { batchSize: 64, shuffle: true, workers: 2 })) …
 */
export async function workerDataset<M extends DatasetModule = DatasetModule<unknown>>(
  module: URL | string,
  args?: ArgsOf<M>,
): Promise<DatasetOf<M>> {
  if (typeof module !== 'string' && Object.prototype.toString.call(module) !== '[object URL]')
    throw wrongKind('workerDataset', 'the module', module, "Give its URL: new URL('./data.js', import.meta.url)");
  const url = String(module);
  const loaded = (await load(url)) as Partial<DatasetModule<unknown, object>>;
  if (typeof loaded.default !== 'function') {
    throw new ArgumentError(`workerDataset: ${url} has no default export that makes a dataset.`);
  }
  const dataset = await loaded.default(args);
  recipes.set(dataset, { module: url, args });
  return dataset as DatasetOf<M>;
}

async function load(url: string): Promise<unknown> {
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ url);
  } catch (cause) {
    const { code, message } = cause as { readonly code?: unknown; readonly message?: string };
    // What the module itself throws is its own.
    if (typeof code !== 'string' || !/^ERR_(MODULE_NOT_FOUND|INVALID_|UNSUPPORTED_)/.test(code)) throw cause;
    throw new ArgumentError(
      `workerDataset: '${url}' cannot be loaded (${message}). Give its URL: new URL('./data.js', import.meta.url).`,
      { cause },
    );
  }
}

/** How threads make this very dataset, if it comes from `workerDataset`. */
export function recipeOf(dataset: object): DatasetRecipe | undefined {
  return recipes.get(dataset);
}
