// The messages of onnx.proto (IR versions 3 to 13) that a graph is made of, as they are in the file. Nothing is checked beyond
// the wire format; nothing is copied: raw data are views of the file's bytes.
// Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

import { WireReader } from './reader.js';

export interface TensorMessage {
  dims: number[];
  dataType: number;
  name: string;
  floats: number[];
  /** Of int32_data: also the bits of half precision, and truth values. */
  ints32: number[];
  ints64: number[];
  doubles: number[];
  uints64: number[];
  strings: Uint8Array[];
  raw: Uint8Array | undefined;
  /** Where the data are, if in another file: location, offset, length, checksum. */
  external: Map<string, string>;
  isExternal: boolean;
}

export interface SparseMessage {
  values: TensorMessage;
  indices: TensorMessage;
  dims: number[];
}

export type AttributeValue =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: TensorMessage }
  | { readonly kind: 'graph'; readonly value: GraphMessage }
  | { readonly kind: 'sparse'; readonly value: SparseMessage }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensors'; readonly value: readonly TensorMessage[] }
  | { readonly kind: 'graphs'; readonly value: readonly GraphMessage[] }
  /** In a function: the attribute of this name of the node that calls it. */
  | { readonly kind: 'reference'; readonly value: string }
  | { readonly kind: 'other'; readonly value: number };

export interface NodeMessage {
  inputs: string[];
  outputs: string[];
  name: string;
  operator: string;
  domain: string;
  overload: string;
  attributes: Map<string, AttributeValue>;
}

/** A size, the name of one, or undefined for one of which nothing is said. */
export type DimensionMessage = number | string | undefined;

export interface ValueInfoMessage {
  name: string;
  /** 0 where it is not a tensor or of no known type. */
  elementType: number;
  /** undefined where the rank is not known. */
  shape: DimensionMessage[] | undefined;
  /** 'tensor', 'sequence', 'map', 'optional' or 'sparse'. */
  kind: string;
}

export interface GraphMessage {
  name: string;
  nodes: NodeMessage[];
  initializers: TensorMessage[];
  sparseInitializers: SparseMessage[];
  inputs: ValueInfoMessage[];
  outputs: ValueInfoMessage[];
  doc: string;
}

export interface FunctionMessage {
  name: string;
  domain: string;
  overload: string;
  inputs: string[];
  outputs: string[];
  attributes: string[];
  defaults: Map<string, AttributeValue>;
  nodes: NodeMessage[];
  opsets: Map<string, number>;
}

export interface ModelMessage {
  irVersion: number;
  producer: string;
  producerVersion: string;
  domain: string;
  modelVersion: number;
  doc: string;
  graph: GraphMessage | undefined;
  opsets: Map<string, number>;
  metadata: Map<string, string>;
  functions: FunctionMessage[];
}

/** Reads a whole file. Throws FormatError. */
export function readModel(bytes: Uint8Array, path?: string): ModelMessage {
  const reader = new WireReader(bytes, path);
  const model: ModelMessage = {
    irVersion: 0,
    producer: '',
    producerVersion: '',
    domain: '',
    modelVersion: 0,
    doc: '',
    graph: undefined,
    opsets: new Map(),
    metadata: new Map(),
    functions: [],
  };
  return reader.fields(model, modelField);
}

/** A single tensor, as the standard's test data hold them. */
export function readTensor(bytes: Uint8Array, path?: string): TensorMessage {
  return new WireReader(bytes, path).fields(newTensor(), tensorField);
}

function modelField(field: number, model: ModelMessage, reader: WireReader): boolean {
  switch (field) {
    case 1:
      model.irVersion = reader.int();
      return true;
    case 2:
      model.producer = reader.text();
      return true;
    case 3:
      model.producerVersion = reader.text();
      return true;
    case 4:
      model.domain = reader.text();
      return true;
    case 5:
      model.modelVersion = reader.int();
      return true;
    case 6:
      model.doc = reader.text();
      return true;
    case 7:
      model.graph = reader.message(newGraph(), graphField);
      return true;
    case 8:
      return readOpset(model.opsets, reader);
    case 14:
      return readEntry(model.metadata, reader);
    case 25:
      model.functions.push(reader.message(newFunction(), functionField));
      return true;
    default:
      return false;
  }
}

/** 'ai.onnx' is the standard's domain, which is also written as none. */
const canonical = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

function readOpset(into: Map<string, number>, reader: WireReader): boolean {
  const opset = reader.message({ domain: '', version: 0 }, (field, message) => {
    if (field === 1) message.domain = canonical(reader.text());
    else if (field === 2) message.version = reader.int();
    else return false;
    return true;
  });
  into.set(opset.domain, opset.version);
  return true;
}

function readEntry(into: Map<string, string>, reader: WireReader): boolean {
  const entry = reader.message({ key: '', value: '' }, (field, message) => {
    if (field === 1) message.key = reader.text();
    else if (field === 2) message.value = reader.text();
    else return false;
    return true;
  });
  into.set(entry.key, entry.value);
  return true;
}

export const newGraph = (): GraphMessage => ({
  name: '',
  nodes: [],
  initializers: [],
  sparseInitializers: [],
  inputs: [],
  outputs: [],
  doc: '',
});

function graphField(field: number, graph: GraphMessage, reader: WireReader): boolean {
  switch (field) {
    case 1:
      graph.nodes.push(reader.message(newNode(), nodeField));
      return true;
    case 2:
      graph.name = reader.text();
      return true;
    case 5:
      graph.initializers.push(reader.message(newTensor(), tensorField));
      return true;
    case 10:
      graph.doc = reader.text();
      return true;
    case 11:
      graph.inputs.push(reader.message(newValueInfo(), valueInfoField));
      return true;
    case 12:
      graph.outputs.push(reader.message(newValueInfo(), valueInfoField));
      return true;
    case 15:
      graph.sparseInitializers.push(reader.message(newSparse(), sparseField));
      return true;
    default:
      return false;
  }
}

const newNode = (): NodeMessage => ({
  inputs: [],
  outputs: [],
  name: '',
  operator: '',
  domain: '',
  overload: '',
  attributes: new Map(),
});

function nodeField(field: number, node: NodeMessage, reader: WireReader): boolean {
  switch (field) {
    case 1:
      node.inputs.push(reader.text());
      return true;
    case 2:
      node.outputs.push(reader.text());
      return true;
    case 3:
      node.name = reader.text();
      return true;
    case 4:
      node.operator = reader.text();
      return true;
    case 5: {
      const attribute = reader.message(newAttribute(), attributeField);
      node.attributes.set(attribute.name, valueOf(attribute));
      return true;
    }
    case 7:
      node.domain = canonical(reader.text());
      return true;
    case 8:
      node.overload = reader.text();
      return true;
    default:
      return false;
  }
}

interface AttributeMessage {
  name: string;
  type: number;
  reference: string;
  float: number;
  int: number;
  string: string;
  tensor: TensorMessage | undefined;
  graph: GraphMessage | undefined;
  sparse: SparseMessage | undefined;
  floats: number[];
  ints: number[];
  strings: string[];
  tensors: TensorMessage[];
  graphs: GraphMessage[];
}

const newAttribute = (): AttributeMessage => ({
  name: '',
  type: 0,
  reference: '',
  float: 0,
  int: 0,
  string: '',
  tensor: undefined,
  graph: undefined,
  sparse: undefined,
  floats: [],
  ints: [],
  strings: [],
  tensors: [],
  graphs: [],
});

function attributeField(field: number, a: AttributeMessage, reader: WireReader): boolean {
  switch (field) {
    case 1:
      a.name = reader.text();
      return true;
    case 2:
      a.float = reader.float();
      a.type ||= 1;
      return true;
    case 3:
      a.int = reader.int();
      a.type ||= 2;
      return true;
    case 4:
      a.string = reader.text();
      a.type ||= 3;
      return true;
    case 5:
      a.tensor = reader.message(newTensor(), tensorField);
      a.type ||= 4;
      return true;
    case 6:
      a.graph = reader.message(newGraph(), graphField);
      a.type ||= 5;
      return true;
    case 7:
      reader.floats(a.floats);
      a.type ||= 6;
      return true;
    case 8:
      reader.ints(a.ints);
      a.type ||= 7;
      return true;
    case 9:
      a.strings.push(reader.text());
      a.type ||= 8;
      return true;
    case 10:
      a.tensors.push(reader.message(newTensor(), tensorField));
      a.type ||= 9;
      return true;
    case 11:
      a.graphs.push(reader.message(newGraph(), graphField));
      a.type ||= 10;
      return true;
    case 20:
      a.type = reader.int();
      return true;
    case 21:
      a.reference = reader.text();
      return true;
    case 22:
      a.sparse = reader.message(newSparse(), sparseField);
      a.type ||= 11;
      return true;
    default:
      return false;
  }
}

/** By the type that it names: a field of 0 or of an empty text need not be in the file. */
function valueOf(a: AttributeMessage): AttributeValue {
  if (a.reference !== '') return { kind: 'reference', value: a.reference };
  switch (a.type) {
    case 1:
      return { kind: 'float', value: a.float };
    case 2:
      return { kind: 'int', value: a.int };
    case 3:
      return { kind: 'string', value: a.string };
    case 4:
      return { kind: 'tensor', value: a.tensor ?? newTensor() };
    case 5:
      return { kind: 'graph', value: a.graph ?? newGraph() };
    case 6:
      return { kind: 'floats', value: a.floats };
    case 7:
      return { kind: 'ints', value: a.ints };
    case 8:
      return { kind: 'strings', value: a.strings };
    case 9:
      return { kind: 'tensors', value: a.tensors };
    case 10:
      return { kind: 'graphs', value: a.graphs };
    case 11:
      return { kind: 'sparse', value: a.sparse ?? newSparse() };
    default:
      return { kind: 'other', value: a.type };
  }
}

const newTensor = (): TensorMessage => ({
  dims: [],
  dataType: 0,
  name: '',
  floats: [],
  ints32: [],
  ints64: [],
  doubles: [],
  uints64: [],
  strings: [],
  raw: undefined,
  external: new Map(),
  isExternal: false,
});

function tensorField(field: number, t: TensorMessage, reader: WireReader): boolean {
  switch (field) {
    case 1:
      reader.ints(t.dims);
      return true;
    case 2:
      t.dataType = reader.int();
      return true;
    case 4:
      reader.floats(t.floats);
      return true;
    case 5:
      reader.ints(t.ints32);
      return true;
    case 6:
      t.strings.push(reader.view());
      return true;
    case 7:
      reader.ints(t.ints64);
      return true;
    case 8:
      t.name = reader.text();
      return true;
    case 9:
      t.raw = reader.view();
      return true;
    case 10:
      reader.doubles(t.doubles);
      return true;
    case 11:
      reader.ints(t.uints64);
      return true;
    case 13:
      return readEntry(t.external, reader);
    case 14:
      t.isExternal = reader.int() === 1;
      return true;
    default:
      return false;
  }
}

const newSparse = (): SparseMessage => ({ values: newTensor(), indices: newTensor(), dims: [] });

function sparseField(field: number, s: SparseMessage, reader: WireReader): boolean {
  if (field === 1) reader.message(s.values, tensorField);
  else if (field === 2) reader.message(s.indices, tensorField);
  else if (field === 3) reader.ints(s.dims);
  else return false;
  return true;
}

const newValueInfo = (): ValueInfoMessage => ({ name: '', elementType: 0, shape: undefined, kind: 'tensor' });

function valueInfoField(field: number, info: ValueInfoMessage, reader: WireReader): boolean {
  if (field === 1) info.name = reader.text();
  else if (field === 2) reader.message(info, typeField);
  else return false;
  return true;
}

const KINDS: Readonly<Record<number, string>> = { 4: 'sequence', 5: 'map', 8: 'sparse', 9: 'optional' };

function typeField(field: number, info: ValueInfoMessage, reader: WireReader): boolean {
  if (field === 1) {
    info.kind = 'tensor';
    reader.message(info, tensorTypeField);
    return true;
  }
  if (field in KINDS) info.kind = KINDS[field];
  return false;
}

function tensorTypeField(field: number, info: ValueInfoMessage, reader: WireReader): boolean {
  if (field === 1) info.elementType = reader.int();
  else if (field === 2) info.shape = reader.message([], shapeField);
  else return false;
  return true;
}

function shapeField(field: number, shape: DimensionMessage[], reader: WireReader): boolean {
  if (field !== 1) return false;
  const dimension: { size: DimensionMessage } = { size: undefined };
  reader.message(dimension, dimensionField);
  shape.push(dimension.size);
  return true;
}

function dimensionField(field: number, dimension: { size: DimensionMessage }, reader: WireReader): boolean {
  if (field === 1) {
    const size = reader.int();
    dimension.size = size >= 0 ? size : undefined; // Paddle writes -1 for a size that is not known
  } else if (field === 2) dimension.size = reader.text();
  else return false;
  return true;
}

const newFunction = (): FunctionMessage => ({
  name: '',
  domain: '',
  overload: '',
  inputs: [],
  outputs: [],
  attributes: [],
  defaults: new Map(),
  nodes: [],
  opsets: new Map(),
});

function functionField(field: number, f: FunctionMessage, reader: WireReader): boolean {
  switch (field) {
    case 1:
      f.name = reader.text();
      return true;
    case 4:
      f.inputs.push(reader.text());
      return true;
    case 5:
      f.outputs.push(reader.text());
      return true;
    case 6:
      f.attributes.push(reader.text());
      return true;
    case 7:
      f.nodes.push(reader.message(newNode(), nodeField));
      return true;
    case 9:
      return readOpset(f.opsets, reader);
    case 10:
      f.domain = canonical(reader.text());
      return true;
    case 11: {
      const attribute = reader.message(newAttribute(), attributeField);
      f.defaults.set(attribute.name, valueOf(attribute));
      return true;
    }
    case 13:
      f.overload = reader.text();
      return true;
    default:
      return false;
  }
}
