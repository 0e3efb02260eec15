// A model as the bytes of a .onnx file: the messages of onnx.proto that an exported graph is made of.
// Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

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

const text = new TextEncoder();

/** Bytes in pieces: weights are not copied before the file is put together. */
class Message {
  private readonly parts: Uint8Array[] = [];
  private small: number[] = [];
  length = 0;

  private varint(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.small.push(Number(rest & 127n) | 128);
      rest >>= 7n;
      this.length++;
    }
    this.small.push(Number(rest));
    this.length++;
  }

  private flush(): void {
    if (this.small.length > 0) this.parts.push(Uint8Array.from(this.small));
    this.small = [];
  }

  private append(parts: readonly Uint8Array[], length: number): void {
    this.flush();
    for (const part of parts) this.parts.push(part);
    this.length += length;
  }

  int(field: number, value: number): this {
    this.varint(field * 8);
    this.varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.varint(field * 8 + 5);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.append([bytes], 4);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.varint(field * 8 + 2);
    this.varint(value.length);
    this.append([value], value.length);
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, text.encode(value));
  }

  message(field: number, fill: (inner: Message) => void): this {
    const inner = new Message();
    fill(inner);
    inner.flush();
    this.varint(field * 8 + 2);
    this.varint(inner.length);
    this.append(inner.parts, inner.length);
    return this;
  }

  finish(): Uint8Array {
    this.flush();
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

function writeAttribute(m: Message, name: string, value: AttributeOut): void {
  m.string(1, name);
  if ('float' in value) m.float(2, value.float).int(20, 1);
  else if ('int' in value) m.int(3, value.int).int(20, 2);
  else if ('string' in value) m.string(4, value.string).int(20, 3);
  else if ('ints' in value) {
    for (const n of value.ints) m.int(8, n);
    m.int(20, 7);
  } else {
    for (const s of value.strings) m.string(9, s);
    m.int(20, 8);
  }
}

function writeNode(m: Message, node: NodeOut): void {
  for (const name of node.inputs) m.string(1, name);
  for (const name of node.outputs) m.string(2, name);
  m.string(3, node.name).string(4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) {
    m.message(5, (inner) => writeAttribute(inner, name, value));
  }
}

function writeTensor(m: Message, { name, type, dims, raw }: TensorOut): void {
  for (const n of dims) m.int(1, n);
  m.int(2, type).string(8, name).bytes(9, raw);
}

function writeValue(m: Message, { name, type, dims }: ValueOut): void {
  m.string(1, name).message(2, (info) =>
    info.message(1, (tensor) =>
      tensor.int(1, type).message(2, (shape) => {
        for (const n of dims)
          shape.message(1, (dim) => (typeof n === 'number' ? dim.int(1, n) : dim.string(2, n)) && undefined);
      }),
    ),
  );
}

/** Throws OnnxError for more than 2 GiB, which the format cannot hold. */
export function writeModel(model: ModelOut): Uint8Array {
  const m = new Message();
  m.int(1, model.irVersion).string(2, model.producer).string(3, model.producerVersion);
  m.message(7, (graph) => {
    for (const node of model.nodes) graph.message(1, (inner) => writeNode(inner, node));
    graph.string(2, model.graphName);
    for (const t of model.initializers) graph.message(5, (inner) => writeTensor(inner, t));
    for (const value of model.inputs) graph.message(11, (inner) => writeValue(inner, value));
    for (const value of model.outputs) graph.message(12, (inner) => writeValue(inner, value));
  });
  m.message(8, (opset) => opset.string(1, '').int(2, model.opset));
  if (m.length > MOST_BYTES)
    throw new OnnxError(
      `exportOnnx: the model takes ${m.length} bytes, and a file in the ONNX format holds 2 GiB. Export it in float16.`,
    );
  return m.finish();
}
