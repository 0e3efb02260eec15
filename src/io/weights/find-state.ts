// Which of a checkpoint's dicts is the state dict of a model: the one that has most of the model's keys; of equal ones the one
// under the better-known name.
// Values of a file and keys of a model in; tensors by key out. Must not know: modules.

import { StoredTensor } from '../stored-tensor.js';
import type { TorchFile } from '../torch/load-torch.js';
import { type TorchDict, isDict, keyText } from '../torch/value.js';

/** A state dict and where in the file it was: '' for the file itself. */
export interface FoundState<T = StoredTensor> {
  readonly key: string;
  readonly tensors: ReadonlyMap<string, T>;
}

/** Under which names checkpoints have the weights, the best known first. */
const KNOWN = [
  'state_dict',
  'model_state_dict',
  'model',
  'net',
  'network',
  'module',
  'weights',
  'params',
  'generator',
  'ema',
  'ema_state_dict',
  'model_ema',
  'params_ema',
];
/** What stands beside them, and has tensors too. */
const OTHERS = /^(optim|optimizer|scheduler|lr_sched|scaler|amp|rng|random|callbacks|loops|hyper|args|config)/i;
const DEEPEST = 3;

/** All dicts that may be a state dict: the file as a whole, and those in it, by their dotted keys. */
export function statesOf(file: TorchFile): FoundState[] {
  const found: FoundState[] = [];
  const visit = (value: TorchDict, path: readonly (string | number)[]): void => {
    const tensors = new Map(Object.entries(file.stored(...path)));
    tensors.forEach((_, key) => key.startsWith('CONSTANTS.') && file.layout === 'torchscript' && tensors.delete(key));
    if (tensors.size > 0) found.push({ key: path.join('.'), tensors });
    if (path.length >= DEEPEST || isFlat(value)) return;
    for (const [key, item] of value) {
      if (!isDict(item) || (typeof key !== 'string' && typeof key !== 'number') || OTHERS.test(keyText(key))) continue;
      visit(item, [...path, key]);
    }
  };
  if (isDict(file.value)) visit(file.value, []);
  return found.toSorted((a, b) => rank(a.key) - rank(b.key));
}

/** Mostly tensors: a state dict, below which there is none. */
function isFlat(dict: TorchDict): boolean {
  let tensors = 0;
  for (const value of dict.values()) if (value instanceof StoredTensor) tensors++;
  return tensors > dict.size / 2;
}

/** The file itself last: it holds everything, the optimiser too. */
function rank(key: string): number {
  if (key === '') return Infinity;
  const at = KNOWN.indexOf(key.split('.').at(-1)!);
  return key.split('.').length * 100 + (at < 0 ? KNOWN.length : at);
}

/** The first of those with most of the keys; `keysOf` are the model's names of a state's tensors. */
export function bestState<T>(
  states: readonly FoundState<T>[],
  wanted: ReadonlySet<string>,
  keysOf: (state: FoundState<T>) => Iterable<string>,
): FoundState<T> | undefined {
  let best: FoundState<T> | undefined;
  let most = -1;
  for (const state of states) {
    let score = 0;
    for (const key of keysOf(state)) if (wanted.has(key)) score++;
    if (score > most) [best, most] = [state, score];
  }
  return best;
}
