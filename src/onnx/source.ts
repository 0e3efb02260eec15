// Where a model comes from: bytes, a path, an address; and the files beside it that hold its weights.

import { ArgumentError, shown } from '../tensor/library.js';
import { isUint8Array } from '../tensor/typed-arrays.js';
import { OnnxError } from './error.js';
import type { GraphMessage, ModelMessage, NodeMessage, TensorMessage } from './wire/messages.js';

/** The bytes of a .onnx file, its path (Node), or its address. */
export type OnnxSource = Uint8Array | ArrayBuffer | string | URL;

export interface Opened {
  readonly bytes: Uint8Array;
  /** For messages; undefined for bytes. */
  readonly path: string | undefined;
  /** Reads a file that the model names. Throws OnnxError for one that does not lie beside it. */
  readonly beside: (location: string) => Promise<Uint8Array>;
}

/** `op` is the user's call. */
export async function open(op: string, source: OnnxSource): Promise<Opened> {
  if (isUint8Array(source)) return { bytes: source, path: undefined, beside: nowhere };
  if (source instanceof ArrayBuffer) return { bytes: new Uint8Array(source), path: undefined, beside: nowhere };
  if (typeof source !== 'string' && !(source instanceof URL))
    throw new ArgumentError(`${op}: ${shown(source)} is not a model. Give the bytes of a file, a path or a URL.`);
  const text = String(source);
  if (/^(https?|data|blob):/.test(text)) {
    return {
      bytes: await fetchBytes(text),
      path: text,
      beside: async (location) => fetchBytes(new URL(checked(location), text).href),
    };
  }
  const { readFileBytes } = await import('../io/node/files.js');
  const path = text.startsWith('file:') ? decodeURIComponent(new URL(text).pathname) : text;
  const folder = /^(.*[\\/])?[^\\/]*$/.exec(path)?.[1] ?? '';
  return {
    bytes: await readFileBytes(path),
    path,
    beside: async (location) => readFileBytes(`${folder}${checked(location)}`),
  };
}

async function nowhere(location: string): Promise<Uint8Array> {
  checked(location);
  throw new OnnxError(
    `loadOnnx: the weights of the model are in another file, '${location}'. Give its bytes as externalData: { '${location}': bytes }, or load the model by its path.`,
  );
}

async function fetchBytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new OnnxError(`loadOnnx: ${url} cannot be read (${response.status} ${response.statusText}).`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The files that tensors of the model are in. */
export function externalLocations(model: ModelMessage): Set<string> {
  const locations = new Set<string>();
  const tensor = ({ isExternal, external }: TensorMessage): void => {
    const location = external.get('location');
    if (isExternal && location !== undefined) locations.add(location);
  };
  const nodes = (list: readonly NodeMessage[]): void => {
    for (const { attributes } of list) {
      for (const value of attributes.values()) {
        if (value.kind === 'tensor') tensor(value.value);
        else if (value.kind === 'graph') graph(value.value);
      }
    }
  };
  const graph = (message: GraphMessage): void => {
    message.initializers.forEach(tensor);
    nodes(message.nodes);
  };
  if (model.graph !== undefined) graph(model.graph);
  for (const { nodes: inner } of model.functions) nodes(inner);
  return locations;
}

/** A file name that stays beside the model. */
function checked(location: string): string {
  const parts = location.split(/[\\/]/);
  if (location === '' || /^([\\/]|[A-Za-z]:|[a-z]+:)/.test(location) || parts.includes('..'))
    throw new OnnxError(`loadOnnx: the model asks for the file '${location}', which does not lie beside it.`);
  return location;
}
