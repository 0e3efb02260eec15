// Weights of a file into a model: the state dict is found, its keys are renamed, everything is checked, and only then is the
// model changed. Numbers are converted into the dtypes of the parameters.

import {
  checkRecord,
  type DType,
  DeviceError,
  DTypeError,
  type FloatDType,
  NablaError,
  type OptionNames,
  checkHas,
  checkOptions,
  checkText,
  inUnit,
  isFloat,
  runPending,
  sameShape,
  shown,
  sizeOf,
} from '../../tensor/library.js';
import { type AnyTensor, checkTensor } from '../../tensor/tensor.js';
import { type Module, StateDictError } from '../../nn/module.js';
import { FILE_OPTIONS, type FileOptions, isBlob } from '../source.js';
import { type StoredDType, STORED_DTYPES } from '../stored-dtype.js';
import { StoredTensor } from '../stored-tensor.js';
import { type TensorSource, openTensors } from '../tensor-file.js';
import { isUrl } from '../fetch.js';
import { TorchFile } from '../torch/load-torch.js';
import { type FoundState, bestState, statesOf } from './find-state.js';
import { type KeyMap, renameBy, renameKeys } from './key-map.js';
import { describeMisfit } from './misfit.js';

/** A file, as `loadTorch` takes it; a folder or index.json of shards; Files; what `loadTorch` gave; tensors by key. */
export type WeightSource = TensorSource | TorchFile | Readonly<Record<string, AnyTensor | StoredTensor>>;

export interface LoadWeightsOptions extends FileOptions {
  /** Load the keys that begin with it alone, without it: 'backbone' or 'backbone.'. */
  readonly prefix?: string;
  /** What the file's keys are called in the model, after the prefix is cut: see `KeyMap`. */
  readonly map?: KeyMap;
  /** Throw where a key is missing or unexpected (the default). Shapes have to fit in any case. */
  readonly strict?: boolean;
  /** Convert the model to this dtype as well. Default: its parameters keep theirs. */
  readonly dtype?: FloatDType;
  /** Where in a checkpoint the state dict is: 'ema', 'models.generator'. Default: where most of the model's keys are. */
  readonly key?: string;
}

const OPTIONS: OptionNames<LoadWeightsOptions> = {
  ...FILE_OPTIONS,
  prefix: true,
  map: true,
  strict: true,
  dtype: true,
  key: true,
};

/** A key whose numbers had another dtype in the file. */
export interface ConvertedWeight {
  readonly key: string;
  readonly from: StoredDType;
  readonly to: DType;
}

export interface LoadedWeights {
  /** Keys of the model that have their numbers from the file. */
  readonly loaded: readonly string[];
  /** Keys of the model that the file lacks. */
  readonly missing: readonly string[];
  /** Keys of the file, renamed, that the model lacks. */
  readonly unexpected: readonly string[];
  readonly converted: readonly ConvertedWeight[];
  /** Where in the checkpoint the state dict was: 'model_state_dict'; '' for the file itself. */
  readonly key: string;
  /** What was taken off every key: 'module.' of DataParallel, '_orig_mod.' of torch.compile; '' for nothing. */
  readonly stripped: string;
}

const CALL = 'loadWeights';

/**
 * Overwrites parameters and buffers of a model with the numbers of a file: safetensors (also in shards), PyTorch's .pt, .pth and
 * .bin in all layouts, .npz. In a checkpoint the state dict is found; `module.` of DataParallel is taken off; numbers are converted to the
 * dtypes of the parameters. Throws a StateDictError that lists all keys that are missing, unexpected or of another shape, with the
 * nearest names, and FormatError for a damaged file or numbers that do not fit; the model is then as it was. More than 256 MB are checked first
 * and then written piece by piece: a file that cannot be read any more in between is a NablaError that says how far it came. As in
 * PyTorch `num_batches_tracked` may be missing. PyTorch: model.load_state_dict(torch.load(path)).
 *
 *     await loadWeights(model, 'resnet18.pth');
 *     await loadWeights(model, 'https://…/model.safetensors', { onProgress: ({ received }) => show(received) });
 *     await loadWeights(backbone, 'detector.pt', { prefix: 'backbone', map: { fc: null } });
 */
export async function loadWeights(
  model: Module,
  source: WeightSource,
  options: LoadWeightsOptions = {},
): Promise<LoadedWeights> {
  checkHas(CALL, 'the model', model, ['stateDict', 'loadStateDict'], 'Give a module: loadWeights(model, source)');
  checkOptions(CALL, options, OPTIONS);
  const { prefix = '', strict = true, dtype, key } = options;
  checkText(CALL, 'prefix', prefix);
  if (key !== undefined) checkText(CALL, 'key', key);
  if (dtype !== undefined && !isFloat(dtype))
    throw new DTypeError(
      `${CALL}: a model cannot have dtype ${shown(dtype)}. Use 'float32', 'float64', 'float16' or 'bfloat16'.`,
    );
  const states = await readStates(source, options);
  const own = model.stateDict();
  const wanted = new Set(Object.keys(own));
  const cut = prefix === '' || prefix.endsWith('.') ? prefix : `${prefix}.`;
  const rename = renameBy(CALL, options.map);
  const renamed = (state: State) => renameKeys(CALL, state.tensors, wanted, cut, rename);
  const found = bestState(states.list, wanted, (state) => renamed(state).entries.keys());
  if (found === undefined)
    throw new StateDictError(model.constructor.name, [], [], [], `${CALL}: ${states.file} has no tensors.`);
  const { entries, stripped } = renamed(found);
  const fit = compare(model, own, entries, strict, states.file, prefix !== '');
  const targets = [...fit.loaded].map((name): Target => {
    const [tensor, given] = [own[name], entries.get(name)!];
    return { name, tensor, given, dtype: isFloat(tensor.dtype) ? (dtype ?? tensor.dtype) : tensor.dtype };
  });
  await assign(model, targets, dtype);
  const converted = targets
    .filter((target) => target.given.dtype !== target.dtype)
    .map((target) => ({ key: target.name, from: target.given.dtype, to: target.dtype }));
  const { loaded, missing, unexpected } = fit;
  return { loaded, missing, unexpected, converted, key: found.key, stripped };
}

type Given = AnyTensor | StoredTensor;
type State = FoundState<Given>;

async function readStates(
  source: WeightSource,
  { key, onProgress, signal, sha256, cache }: LoadWeightsOptions,
): Promise<{ readonly list: readonly State[]; readonly file: string }> {
  if (source instanceof TorchFile) return { list: within(source, key), file: 'the file' };
  if (isRecordOfTensors(source)) {
    checkRecord(CALL, 'the source', source, 'tensors');
    for (const [name, value] of Object.entries(source))
      if (!(value instanceof StoredTensor)) checkTensor(value, CALL, `'${name}'`);
    return { list: [{ key: '', tensors: new Map(Object.entries(source)) }], file: 'the object' };
  }
  const options: FileOptions = {
    ...(onProgress !== undefined && { onProgress }),
    ...(signal !== undefined && { signal }),
    ...(sha256 !== undefined && { sha256 }),
    ...(cache !== undefined && { cache }),
  };
  const { torch, tensors } = await openTensors(CALL, source as TensorSource, options);
  const file = typeof source === 'string' || isUrl(source) ? String(source) : 'the file';
  return { list: torch === undefined ? [{ key: '', tensors }] : within(torch, key), file };
}

function within(file: TorchFile, key: string | undefined): FoundState[] {
  if (key === undefined) return statesOf(file);
  const path = file.at(key) === undefined ? key.split('.') : [key];
  return [{ key, tensors: new Map(Object.entries(file.stored(...path))) }];
}

/** Neither a name of a file nor its bytes. */
function isRecordOfTensors(source: WeightSource): source is Readonly<Record<string, Given>> {
  if (typeof source !== 'object' || source === null || Array.isArray(source) || ArrayBuffer.isView(source))
    return false;
  return !isUrl(source) && !isBlob(source) && Object.prototype.toString.call(source) !== '[object ArrayBuffer]';
}

/** As PyTorch: files from before 0.4.1 have no such count, and it is of no consequence. */
const MAY_BE_MISSING = /(^|\.)num_batches_tracked$/;

/** Throws StateDictError unless the tensors fit. */
function compare(
  model: Module,
  own: Readonly<Record<string, AnyTensor>>,
  given: ReadonlyMap<string, Given>,
  strict: boolean,
  file: string,
  isPrefixed: boolean,
): { loaded: string[]; missing: string[]; unexpected: string[] } {
  const names = Object.keys(own);
  const loaded = names.filter((name) => given.has(name));
  // A tensor with two keys (tied weights) needs one of them.
  const reached = new Set(loaded.map((name) => own[name]));
  const missing = names.filter((name) => !given.has(name) && !reached.has(own[name]));
  const unexpected = [...given.keys()].filter((name) => !Object.hasOwn(own, name));
  const misshaped = loaded
    .filter((name) => !fits(given.get(name)!.shape, own[name].shape))
    .map((name) => [name, given.get(name)!.shape, own[name].shape] as const);
  const lacking = missing.filter((name) => !MAY_BE_MISSING.test(name));
  if (misshaped.length === 0 && (!strict || lacking.length + unexpected.length === 0))
    return { loaded, missing, unexpected };
  const faults = { missing: strict ? lacking : [], unexpected: strict ? unexpected : [], misshaped };
  const text = describeMisfit({
    file,
    module: model.constructor.name,
    ...faults,
    shapeOfOwn: (name) => own[name].shape,
    shapeOfGiven: (name) => given.get(name)!.shape,
    isPrefixed,
  });
  const shapes = misshaped.map(([name]) => name);
  throw new StateDictError(model.constructor.name, faults.missing, faults.unexpected, shapes, text);
}

/** A single number may be a list of one, as PyTorch wrote it before 0.4. */
function fits(given: readonly number[], wanted: readonly number[]): boolean {
  return sameShape(given, wanted) || (wanted.length === 0 && given.length === 1 && given[0] === 1);
}

interface Target {
  readonly name: string;
  readonly tensor: AnyTensor;
  readonly given: Given;
  /** The tensor's when it is done. */
  readonly dtype: DType;
}

/** Bytes that are read before they are written to the model; larger files are checked first and then written piece by piece. */
export const limits = { atOnce: 1 << 28 };

async function assign(model: Module, targets: readonly Target[], dtype: FloatDType | undefined): Promise<void> {
  const bytes = ({ given, dtype: to }: Target): number => sizeOf(given.shape) * STORED_DTYPES[to].bytes;
  for (const { name, tensor, given } of targets) {
    if (given instanceof StoredTensor || given.device === tensor.device) continue;
    throw new DeviceError(
      `${CALL}: ${name} is on '${given.device}', the model on '${tensor.device}'. Move it with to('${tensor.device}').`,
    );
  }
  const isLarge = targets.reduce((sum, target) => sum + bytes(target), 0) > limits.atOnce;
  if (isLarge) for (const { given, dtype: to } of targets) if (given instanceof StoredTensor) await given.check(to);
  let ready: { readonly target: Target; readonly value: AnyTensor }[] = [];
  let size = 0;
  let written = 0;
  let isConverted = dtype === undefined;
  const write = (): void => {
    if (!isConverted) model.to(dtype!);
    isConverted = true;
    const unit = inUnit(() => {
      for (const { target, value } of ready) target.tensor.assign_(value.reshape([...target.tensor.shape]));
    });
    runPending(unit);
    written += ready.length;
    ready = [];
    size = 0;
  };
  for (const target of targets) {
    const { given, tensor, dtype: to } = target;
    const value =
      given instanceof StoredTensor
        ? await given.tensor({ dtype: to, device: tensor.device }).catch((cause: unknown) => {
            throw written === 0 ? cause : halfway(written, targets.length, cause);
          })
        : given.detach().to(to);
    ready.push({ target, value });
    size += bytes(target);
    if (size > limits.atOnce) write();
  }
  write();
}

/** A file that was right a moment ago, and cannot be read any more. */
function halfway(written: number, count: number, cause: unknown): NablaError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new NablaError(
    `${CALL}: the model has ${written} of ${count} tensors from the file, which then could not be read (${reason.replace(/\.$/, '')}). Load it again.`,
    { cause },
  );
}
