// Writes small ONNX models for tests: graphs as plain data → the bytes of a file.
import { PbfWriter } from 'pbf';

export interface WrittenTensor {
  readonly name: string;
  /** TensorProto.DataType: 1 float, 7 int64, 9 bool. */
  readonly type?: number;
  readonly dims: readonly number[];
  readonly data: readonly number[];
  /** The file that holds the numbers, and where. */
  readonly external?: Readonly<Record<string, string>>;
}

export interface WrittenNode {
  readonly op: string;
  readonly in: readonly string[];
  readonly out: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, number | string | readonly number[] | WrittenGraph | WrittenTensor>>;
  /** Names of attributes that are real numbers. */
  readonly floats?: readonly string[];
  /** Attributes that a function takes from its caller. */
  readonly references?: Readonly<Record<string, string>>;
}

export interface WrittenValue {
  readonly name: string;
  readonly type?: number;
  readonly dims?: readonly (number | string)[];
}

export interface WrittenGraph {
  readonly nodes: readonly WrittenNode[];
  readonly inputs: readonly WrittenValue[];
  readonly outputs: readonly WrittenValue[];
  readonly initializers?: readonly WrittenTensor[];
}

export interface WrittenModel extends WrittenGraph {
  readonly opset?: number;
  readonly irVersion?: number;
  readonly domains?: Readonly<Record<string, number>>;
  readonly functions?: readonly {
    readonly domain: string;
    readonly name: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly nodes: readonly WrittenNode[];
  }[];
}

const bytesOf = (type: number, data: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(data.length * ({ 1: 4, 7: 8, 9: 1 }[type] ?? 4));
  const view = new DataView(bytes.buffer);
  data.forEach((value, i) => {
    if (type === 7) view.setBigInt64(i * 8, BigInt(value), true);
    else if (type === 9) view.setUint8(i, value);
    else view.setFloat32(i * 4, value, true);
  });
  return bytes;
};

function writeTensor(t: WrittenTensor, pbf: PbfWriter): void {
  const { name, type = 1, dims, data, external } = t;
  for (const n of dims) pbf.writeVarintField(1, n);
  pbf.writeVarintField(2, type);
  pbf.writeStringField(8, name);
  if (external === undefined) pbf.writeBytesField(9, bytesOf(type, data));
  else {
    for (const entry of Object.entries(external)) {
      pbf.writeMessage(
        13,
        ([key, value], inner) => {
          inner.writeStringField(1, key);
          inner.writeStringField(2, value);
        },
        entry,
      );
    }
    pbf.writeVarintField(14, 1);
  }
}

function writeNumber(pbf: PbfWriter, value: number, field: number, isFloat: boolean): void {
  if (isFloat) pbf.writeFloatField(field, value);
  else pbf.writeVarintField(field, value);
}

type Attribute = readonly [name: string, value: unknown, isFloat: boolean, reference: string | undefined];

function writeAttribute([name, value, isFloat, reference]: Attribute, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  if (reference !== undefined) pbf.writeStringField(21, reference);
  else if (typeof value === 'string') pbf.writeStringField(4, value);
  else if (Array.isArray(value)) for (const n of value as number[]) writeNumber(pbf, n, isFloat ? 7 : 8, isFloat);
  else if (typeof value === 'number') writeNumber(pbf, value, isFloat ? 2 : 3, isFloat);
  else if ('nodes' in (value as object)) pbf.writeMessage(6, writeGraph, value as WrittenGraph);
  else pbf.writeMessage(5, writeTensor, value as WrittenTensor);
  const kind =
    reference !== undefined ? 2 : typeof value === 'string' ? 3 : Array.isArray(value) ? (isFloat ? 6 : 7) : 0;
  const type = kind || (typeof value === 'number' ? (isFloat ? 1 : 2) : 'nodes' in (value as object) ? 5 : 4);
  pbf.writeVarintField(20, type);
}

function writeNode(node: WrittenNode, pbf: PbfWriter): void {
  for (const name of node.in) pbf.writeStringField(1, name);
  for (const name of node.out) pbf.writeStringField(2, name);
  if (node.name !== undefined) pbf.writeStringField(3, node.name);
  pbf.writeStringField(4, node.op);
  const attributes: Attribute[] = [
    ...Object.entries(node.attributes ?? {}).map(([name, value]): Attribute => [
      name,
      value,
      node.floats?.includes(name) ?? false,
      undefined,
    ]),
    ...Object.entries(node.references ?? {}).map(([name, from]): Attribute => [name, undefined, false, from]),
  ];
  for (const attribute of attributes) pbf.writeMessage(5, writeAttribute, attribute);
  if (node.domain !== undefined) pbf.writeStringField(7, node.domain);
}

function writeValue({ name, type = 1, dims }: WrittenValue, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeMessage(
    2,
    (_, info) =>
      info.writeMessage(
        1,
        (_tensor, tensorType) => {
          tensorType.writeVarintField(1, type);
          if (dims !== undefined) tensorType.writeMessage(2, writeShape, dims);
        },
        undefined,
      ),
    undefined,
  );
}

function writeShape(dims: readonly (number | string)[], pbf: PbfWriter): void {
  for (const size of dims) {
    pbf.writeMessage(
      1,
      (n, inner) => (typeof n === 'number' ? inner.writeVarintField(1, n) : inner.writeStringField(2, n)),
      size,
    );
  }
}

function writeGraph(graph: WrittenGraph, pbf: PbfWriter): void {
  for (const node of graph.nodes) pbf.writeMessage(1, writeNode, node);
  pbf.writeStringField(2, 'graph');
  for (const t of graph.initializers ?? []) pbf.writeMessage(5, writeTensor, t);
  for (const value of graph.inputs) pbf.writeMessage(11, writeValue, value);
  for (const value of graph.outputs) pbf.writeMessage(12, writeValue, value);
}

/** The bytes of a .onnx file. */
export function writeModel(model: WrittenModel): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, model.irVersion ?? 8);
  pbf.writeMessage(7, writeGraph, model);
  for (const [domain, version] of Object.entries({ '': model.opset ?? 17, ...model.domains })) {
    pbf.writeMessage(
      8,
      (_, inner) => {
        if (domain !== '') inner.writeStringField(1, domain);
        inner.writeVarintField(2, version);
      },
      undefined,
    );
  }
  for (const f of model.functions ?? []) {
    pbf.writeMessage(
      25,
      (own, inner) => {
        inner.writeStringField(1, own.name);
        for (const name of own.inputs) inner.writeStringField(4, name);
        for (const name of own.outputs) inner.writeStringField(5, name);
        for (const node of own.nodes) inner.writeMessage(7, writeNode, node);
        inner.writeStringField(10, own.domain);
      },
      f,
    );
  }
  return pbf.finish();
}
