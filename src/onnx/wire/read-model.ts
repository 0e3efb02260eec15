// Models of onnx.proto: graphs, nodes, attributes, functions. Nothing is checked beyond the wire format.

import type {
  TensorMessage,
  SparseMessage,
  AttributeValue,
  NodeMessage,
  GraphMessage,
  FunctionMessage,
  ModelMessage,
} from './messages.js';
import { newTensor, tensorField, newSparse, sparseField, readEntry } from './read-tensor.js';
import { newValueInfo, valueInfoField } from './read-value-info.js';
import { WireReader } from './reader.js';

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
