// Estimators as safetensors: typed arrays and matrices are tensors of the file, all else is JSON in its metadata.
//   { estimator, options, state }, any depth, in; bytes out, and back.
// Must not know: which estimators there are.

import {
  type LoadedTensors,
  type Metadata,
  type NamedTensors,
  fromSafetensors,
  loadSafetensors,
  saveSafetensors,
  toSafetensors,
} from '../io/state-dict.js';
import { FormatError } from '../tensor/library.js';
import { type AnyTensor, Tensor } from '../tensor/tensor.js';
import { typedArrayKind } from '../tensor/typed-arrays.js';
import { type Floats, type Matrix, tensorOf, vectorOf } from './rows.js';

/** What an estimator's options and state are made of. */
export type Stored =
  | null
  | boolean
  | number
  | string
  | Floats
  | Int32Array
  | Matrix
  | readonly Stored[]
  | { readonly [name: string]: Stored }
  | Storable
  | AnyTensor;

/** An estimator among them. */
export interface Storable {
  toStored(): Stored;
}

const FORMAT = 'nabla-classic';
const VERSION = '1';

export async function saveEstimator(path: string, stored: Stored, metadata: Metadata): Promise<void> {
  const { tensors, texts } = encode(stored);
  await saveSafetensors(path, tensors, { ...metadata, ...texts });
}

export async function estimatorBytes(stored: Stored): Promise<Uint8Array> {
  const { tensors, texts } = encode(stored);
  return toSafetensors(tensors, texts);
}

function encode(stored: Stored): { tensors: NamedTensors; texts: Record<string, string> } {
  const tensors: Record<string, AnyTensor> = {};
  const json = JSON.stringify(encodeValue(stored, '', tensors));
  return { tensors, texts: { format: FORMAT, version: VERSION, estimator: json } };
}

function encodeValue(value: Stored, path: string, tensors: Record<string, AnyTensor>): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : { number: String(value) };
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Tensor) {
    tensors[path] = value;
    return { tensor: path, asTensor: true };
  }
  if (typedArrayKind(value) !== undefined) {
    tensors[path] = vectorOf(value as Floats | Int32Array);
    return { tensor: path };
  }
  const within = (name: string): string => (path === '' ? name : `${path}.${name}`);
  if (Array.isArray(value)) {
    const list: readonly Stored[] = value;
    return list.map((part, i) => encodeValue(part, within(String(i)), tensors));
  }
  if (isStorable(value)) return encodeValue(value.toStored(), path, tensors);
  if (isMatrix(value)) {
    tensors[path] = tensorOf(value);
    return { tensor: path };
  }
  const entries = Object.entries(value as Readonly<Record<string, Stored>>).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries.map(([name, part]) => [name, encodeValue(part, within(name), tensors)]));
}

function isStorable(value: object): value is Storable {
  return 'toStored' in value && typeof value.toStored === 'function';
}

function isMatrix(value: object): value is Matrix {
  return 'rows' in value && 'columns' in value && 'data' in value && typedArrayKind(value.data) !== undefined;
}

/** Makes an estimator of what was stored of it. */
export type Revive = (name: string, options: Readonly<Record<string, unknown>>, state: unknown) => unknown;

/** The estimator of a file or of its bytes. Throws FormatError for anything else. */
export async function readEstimator(source: string | Uint8Array, revive: Revive): Promise<unknown> {
  const path = typeof source === 'string' ? source : undefined;
  const loaded = typeof source === 'string' ? await loadSafetensors(source) : fromSafetensors(source);
  const { format, version, estimator } = loaded.metadata;
  if (format !== FORMAT || estimator === undefined)
    throw new FormatError(
      `loadEstimator: ${path ?? 'the file'} holds no estimator. Give what save() of an estimator has written.`,
      path,
    );
  if (version !== VERSION)
    throw new FormatError(`loadEstimator: ${path ?? 'the file'} is of version ${version}; this one reads ${VERSION}.`);
  let json: unknown;
  try {
    json = JSON.parse(estimator);
  } catch {
    throw new FormatError(`loadEstimator: ${path ?? 'the file'} is damaged: its description is no JSON.`, path);
  }
  return decodeValue(json, await numbersOf(loaded), revive);
}

async function numbersOf({ tensors }: LoadedTensors): Promise<ReadonlyMap<string, Floats | Int32Array | Matrix>> {
  const read = Object.entries(tensors).map(async ([name, t]): Promise<[string, Floats | Int32Array | Matrix]> => {
    const data = (await t.data()) as Floats | Int32Array;
    const [rows, columns] = t.shape;
    return [name, t.rank === 2 ? { data: data as Floats, rows, columns } : data];
  });
  return new Map(await Promise.all(read));
}

function decodeValue(json: unknown, numbers: ReadonlyMap<string, unknown>, revive: Revive): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map((part: unknown) => decodeValue(part, numbers, revive));
  const { tensor, number, asTensor } = json as { readonly [name: string]: unknown };
  if (typeof tensor === 'string') {
    const found = numbers.get(tensor);
    if (found === undefined) throw new FormatError(`loadEstimator: the file lacks the tensor '${tensor}'.`);
    return asTensor === true && isMatrix(found as object) ? tensorOf(found as Matrix) : found;
  }
  if (typeof number === 'string') return Number(number);
  const entries = Object.entries(json).map(([name, part]) => [name, decodeValue(part, numbers, revive)] as const);
  const { estimator, options, state, ...rest } = Object.fromEntries(entries);
  if (typeof estimator !== 'string') return Object.fromEntries(entries);
  const isPlain = typeof options === 'object' && options !== null && Object.keys(rest).length === 0;
  if (!isPlain) throw new FormatError(`loadEstimator: what the file says about its ${estimator} is damaged.`);
  return revive(estimator, options as Readonly<Record<string, unknown>>, state);
}
