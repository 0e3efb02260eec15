// The messages of onnx.proto (IR versions 3 to 13) that a graph is made of, as they are in the file. Nothing is checked beyond
// the wire format; nothing is copied: raw data are views of the file's bytes.
// Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

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
