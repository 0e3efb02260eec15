// A model as the bytes of a .onnx file: the messages of onnx.proto that an exported graph is made of.
// Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

import { Message } from '../../io/formats/protobuf.js';
import { OnnxError } from '../error.js';

export type AttributeOut =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly strings: readonly string[] };

export interface NodeOut {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeOut>>;
}

export interface TensorOut {
  readonly name: string;
  /** TensorProto.DataType. */
  readonly type: number;
  readonly dims: readonly number[];
  /** The numbers, the lowest byte first. */
  readonly raw: Uint8Array;
}

export interface ValueOut {
  readonly name: string;
  readonly type: number;
  /** A text is the name of a size that may be any. */
  readonly dims: readonly (number | string)[];
}

export interface ModelOut {
  readonly irVersion: number;
  readonly opset: number;
  readonly producer: string;
  readonly producerVersion: string;
  readonly graphName: string;
  readonly nodes: readonly NodeOut[];
  readonly inputs: readonly ValueOut[];
  readonly outputs: readonly ValueOut[];
  readonly initializers: readonly TensorOut[];
}

/** The wire format's own limit for one message. */
const MOST_BYTES = 2 ** 31 - 1;

/** A message for each of them, in a repeated field. */
function each<T>(to: Message, field: number, list: readonly T[], make: (one: T) => Message): void {
  for (const one of list) to.message(field, make(one));
}

function attributeOf([name, value]: readonly [string, AttributeOut]): Message {
  const m = new Message().string(1, name);
  if ('float' in value) return m.float(2, value.float).int(20, 1);
  if ('int' in value) return m.int(3, value.int).int(20, 2);
  if ('string' in value) return m.string(4, value.string).int(20, 3);
  if ('ints' in value) {
    for (const n of value.ints) m.int(8, n);
    return m.int(20, 7);
  }
  for (const s of value.strings) m.string(9, s);
  return m.int(20, 8);
}

function nodeOf(node: NodeOut): Message {
  const m = new Message();
  for (const name of node.inputs) m.string(1, name);
  for (const name of node.outputs) m.string(2, name);
  m.string(3, node.name).string(4, node.op);
  each(m, 5, Object.entries(node.attributes), attributeOf);
  return m;
}

function tensorOf({ name, type, dims, raw }: TensorOut): Message {
  const m = new Message();
  for (const n of dims) m.int(1, n);
  return m.int(2, type).string(8, name).bytes(9, raw);
}

function valueOf({ name, type, dims }: ValueOut): Message {
  const shape = new Message();
  each(shape, 1, dims, (n) => (typeof n === 'number' ? new Message().int(1, n) : new Message().string(2, n)));
  const tensor = new Message().int(1, type).message(2, shape);
  return new Message().string(1, name).message(2, new Message().message(1, tensor));
}

/** Throws OnnxError for more than 2 GiB, which the format cannot hold. */
export function writeModel(model: ModelOut): Uint8Array {
  const graph = new Message();
  each(graph, 1, model.nodes, nodeOf);
  graph.string(2, model.graphName);
  each(graph, 5, model.initializers, tensorOf);
  each(graph, 11, model.inputs, valueOf);
  each(graph, 12, model.outputs, valueOf);
  const m = new Message().int(1, model.irVersion).string(2, model.producer).string(3, model.producerVersion);
  m.message(7, graph).message(8, new Message().string(1, '').int(2, model.opset));
  if (m.length > MOST_BYTES)
    throw new OnnxError(
      `exportOnnx: the model takes ${m.length} bytes, and a file in the ONNX format holds 2 GiB. Export it in float16.`,
    );
  return m.finish();
}
