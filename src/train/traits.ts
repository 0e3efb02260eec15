// By what a run is known again: its data, batches, optimiser and loss. A checkpoint keeps them, so that whoever goes on with
// others is told; the numbers of the run are then not those of an unbroken one.

import type { Batches, TrainerOptions, TrainingOptimizer } from './options.js';
import { type Check, fields, isNumber, isText } from './plain-data.js';

/** What is not known is left out. */
export interface RunTraits {
  readonly batchSize?: number;
  readonly accumulate?: number;
  readonly optimizer?: string;
  readonly loss?: string;
  readonly trainSamples?: number;
  readonly validationSamples?: number;
  /** Digests of what the datasets hold. */
  readonly trainData?: string;
  readonly validationData?: string;
}

const TEXTS = ['optimizer', 'loss', 'trainData', 'validationData'];
const NUMBERS = ['batchSize', 'accumulate', 'trainSamples', 'validationSamples'];

export const isTraits: Check = fields(
  {},
  Object.fromEntries([...TEXTS.map((n) => [n, isText] as const), ...NUMBERS.map((n) => [n, isNumber] as const)]),
);

export function traitsOf({
  optimizer,
  train,
  validation,
  loss,
  forward,
  turns,
  accumulate = 1,
}: TrainerOptions): RunTraits {
  const validated = validation !== undefined && 'batches' in validation ? validation : undefined;
  const traits = {
    batchSize: train.batchSize,
    accumulate,
    optimizer: optimizerName(optimizer) || undefined,
    loss: passName(turns, forward) ?? lossName({ loss, forward, turns }),
    trainSamples: samplesOf(train),
    validationSamples: validated && samplesOf(validated),
    trainData: digestOf(train.dataset),
    validationData: validated && digestOf(validated.dataset),
  };
  return Object.fromEntries(Object.entries(traits).filter(([, value]) => value !== undefined)) as RunTraits;
}

function passName(turns: TrainerOptions['turns'], forward: TrainerOptions['forward']): string | undefined {
  if (turns !== undefined) return Object.keys(turns).join(', ');
  return forward === undefined ? undefined : 'forward';
}

/** Of a loss by its own name; undefined where the caller does the pass. */
export function lossName({
  loss,
  forward,
  turns,
}: Pick<TrainerOptions, 'loss' | 'forward' | 'turns'>): string | undefined {
  if (forward !== undefined || turns !== undefined) return undefined;
  return loss === undefined ? 'crossEntropy' : loss.name || undefined;
}

/** Of the optimiser that does the updates. */
export function optimizerName(optimizer: TrainingOptimizer): string {
  return (optimizer.optimizer ?? optimizer).constructor.name;
}

/** Samples of what a loader goes through; undefined where that is not known. */
export function samplesOf({ dataset }: Batches<unknown>): number | undefined {
  const length = (dataset as { readonly length?: unknown } | undefined)?.length;
  return typeof length === 'number' ? length : undefined;
}

const WORDS: Readonly<Record<keyof RunTraits, string>> = {
  batchSize: 'batch size',
  accumulate: 'batches an update',
  optimizer: 'optimiser',
  loss: 'loss',
  trainSamples: 'training samples',
  validationSamples: 'validation samples',
  trainData: 'training data',
  validationData: 'validation data',
};

/** How the traits of now differ from those of the run, in words; none where something is not known. */
export function differences(run: RunTraits, now: RunTraits): string[] {
  const names = (Object.keys(WORDS) as (keyof RunTraits)[]).filter(
    (name) => run[name] !== undefined && now[name] !== undefined && run[name] !== now[name],
  );
  return names.flatMap((name) => {
    if (!name.endsWith('Data')) return [`${WORDS[name]}: ${now[name]}, was ${run[name]}`];
    // another number of samples has been said already
    return names.includes(name === 'trainData' ? 'trainSamples' : 'validationSamples') ? [] : [`other ${WORDS[name]}`];
  });
}

/** Numbers of each array that go into the digest, spread over it. */
const MOST_NUMBERS = 4096;

/** Of datasets that keep their numbers in arrays: ArrayDataset (fields and positions) and TokenWindows; undefined for others. */
function digestOf(dataset: unknown): string | undefined {
  const { storage, indices, tokens } = (dataset ?? {}) as Readonly<Record<string, unknown>>;
  const fieldArrays = Object.entries((storage ?? {}) as Readonly<Record<string, { readonly data?: unknown }>>);
  const arrays = [
    ...fieldArrays.map(([name, field]) => [name, field?.data] as const),
    ['', indices],
    ['', tokens],
  ] as const;
  let hash = 0x811c9dc5; // FNV-1a
  let isEmpty = true;
  const add = (value: number): void => {
    hash = Math.imul(hash ^ (value & 0xff), 0x01000193);
    hash = Math.imul(hash ^ ((value >>> 8) & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (value >>> 16), 0x01000193);
  };
  const bits = new Uint32Array(2);
  const number = new Float64Array(bits.buffer);
  for (const [name, data] of arrays) {
    if (
      !(
        data instanceof Float32Array ||
        data instanceof Float64Array ||
        data instanceof Int32Array ||
        data instanceof Uint8Array
      )
    )
      continue;
    isEmpty = false;
    for (const character of name) add(character.codePointAt(0) ?? 0);
    add(data.length);
    const stride = Math.max(1, Math.floor(data.length / MOST_NUMBERS));
    for (let i = 0; i < data.length; i += stride) {
      number[0] = data[i];
      add(bits[0]);
      add(bits[1]);
    }
  }
  return isEmpty ? undefined : (hash >>> 0).toString(16).padStart(8, '0');
}
