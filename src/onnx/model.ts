// A model in the ONNX format, as a module: its weights are parameters, it is run by the names of its graph, and it is a layer of a network.

import { Module } from '../nn/module.js';
import { getDefaultDevice } from '../tensor/inspect.js';
import {
  ArgumentError,
  DTypeError,
  type FloatDType,
  checkDevice,
  checkOptions,
  isDType,
  isFloat,
  type OptionNames,
  shown,
} from '../tensor/library.js';
import { nearest } from '../tensor/nearest.js';
import type { Tensor } from '../tensor/tensor.js';
import { OnnxError } from './error.js';
import { buildGraph, constantsOf } from './graph/build.js';
import { foldNorms } from './graph/fold-norms.js';
import { findHead } from './graph/head.js';
import { type Dimension, type Graph, type GraphValue, prunedTo } from './graph/graph.js';
import { type OnnxFeed, givenOf } from './run/feeds.js';
import { forwardThrough } from './run/forward.js';
import { Session } from './run/session.js';
import { Weights } from './run/weights.js';
import { type OnnxSource, externalLocations, open } from './source.js';
import type { ElementType } from './wire/elements.js';
import { readModel } from './wire/read-model.js';

/** An input or an output of a model. */
export interface OnnxValue {
  readonly name: string;
  /** What the graph says it is: int64 and the like are int32 in nabla. Undefined where it does not say it. */
  readonly dtype: ElementType | undefined;
  /** A number, the name of a size that may be any, or undefined for one without a name. Undefined where the rank is not known. */
  readonly shape: readonly Dimension[] | undefined;
}

export interface LoadOnnxOptions {
  /** The bytes of the files in which the weights are, by the names that the model has for them. With a path or a URL they are found. */
  readonly externalData?: Readonly<Record<string, Uint8Array>>;
  /** What real numbers are computed in, whatever the file says. */
  readonly dtype?: FloatDType;
  /** The device that the weights are on. Default: the default device. */
  readonly device?: string;
}

const LOAD_OPTIONS: OptionNames<LoadOnnxOptions> = { externalData: true, dtype: true, device: true };

export interface OnnxMetadata {
  readonly producer: string;
  readonly irVersion: number;
  /** By domain; '' is the standard's. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Texts that the file carries. */
  readonly properties: ReadonlyMap<string, string>;
  readonly doc: string;
}

/**
 * Reads a model in the ONNX format from bytes, a path (Node) or an address. Opsets 7 and later. Throws FormatError for a file that is
 * damaged, and OnnxError for what nabla cannot run: all of it at once, with node, operator and opset.
 *
 *     const model = await loadOnnx('mobilenet.onnx');
 *     const { logits } = await model.run({ input: image });
 */
export async function loadOnnx(source: OnnxSource, options: LoadOnnxOptions = {}): Promise<OnnxModel> {
  checkOptions('loadOnnx', options, LOAD_OPTIONS);
  const { dtype, device = getDefaultDevice() } = options;
  if (dtype !== undefined && !isFloat(dtype))
    throw new DTypeError(
      `loadOnnx: ${shown(dtype)} is not a dtype of real numbers. Use 'float32', 'float64', 'float16' or 'bfloat16'.`,
      [String(dtype)],
    );
  checkDevice(device); // weights come there when they are first asked for
  const { bytes, path, beside } = await open('loadOnnx', source);
  const message = readModel(bytes, path);
  const external = new Map(Object.entries(options.externalData ?? {}));
  for (const location of externalLocations(message)) {
    if (!external.has(location)) external.set(location, await beside(location));
  }
  const { graph, opsets } = buildGraph(message, (location) => external.get(location), path ?? 'the model');
  const producer = `${message.producer} ${message.producerVersion}`.trim();
  return new OnnxModel(graph, new Weights(device, dtype), {
    producer,
    irVersion: message.irVersion,
    opsets,
    properties: message.metadata,
    doc: message.doc,
  });
}

/**
 * A model that `loadOnnx` has read. Floating initialisers are parameters under their names in the graph, statistics of batch
 * normalisations and tables of whole numbers are buffers. `run` computes by the names of the graph; `forward` is a layer of a network,
 * through which gradients flow.
 */
export class OnnxModel extends Module {
  readonly #graph: Graph;
  readonly #weights: Weights;
  readonly metadata: OnnxMetadata;
  #session: Session | undefined;

  /** @internal Use `loadOnnx`. */
  constructor(graph: Graph, weights: Weights, metadata: OnnxMetadata) {
    super();
    this.#graph = graph;
    this.#weights = weights;
    this.metadata = metadata;
  }

  /** What has to be given, in the order of `forward`. */
  get inputs(): readonly OnnxValue[] {
    return this.#graph.inputs.map(described);
  }

  get outputs(): readonly OnnxValue[] {
    return this.#graph.outputs.map(described);
  }

  /** Weights by their names in the graph. */
  override fields(): Iterable<readonly [string, unknown]> {
    return constantsOf(this.#graph)
      .filter(({ role }) => role !== 'setting')
      .map((constant) => [constant.key, this.#weights.of(constant)] as const);
  }

  /**
   * Computes all outputs, without gradients. An input is a tensor, a number, or `{ data, shape }`; the dtypes of the graph are made of
   * what is given. The first run for the shapes of the inputs compiles a program, later ones replay it. Throws OnnxError for inputs that
   * are missing, unknown or of another rank or size than the graph says.
   *
   *     const { output, stateN } = await model.run({ input: { data: samples, shape: [1, 512] }, state, sr: 16000 });
   */
  async run(inputs: Readonly<Record<string, OnnxFeed>>): Promise<Record<string, Tensor>> {
    const given = givenOf('run', this.#graph, inputs, this.#weights);
    if (this.#session === undefined || (this.#session.isFrozen && this.#weights.isChanged)) {
      const isFrozen = !this.#weights.isChanged;
      this.#session = new Session(isFrozen ? foldNorms(this.#graph) : this.#graph, this.#weights, isFrozen);
    }
    const outputs = await this.#session.run(given);
    return Object.fromEntries(this.#graph.outputs.map(({ name }, i) => [name, outputs[i]]));
  }

  /**
   * The first output, for inputs in the order of the graph; gradients flow to the inputs and to the parameters. Inputs that decide how the
   * graph goes on (a length, a condition) have to be given as numbers or `{ data, shape }`, since nothing can be read here.
   */
  forward(...inputs: readonly OnnxFeed[]): Tensor {
    const { inputs: declared } = this.#graph;
    if (inputs.length !== declared.length)
      throw new ArgumentError(
        `forward: ${inputs.length} inputs, the model has ${declared.length}: ${declared.map(({ name }) => name).join(', ')}.`,
      );
    const named = Object.fromEntries(declared.map(({ name }, i) => [name, inputs[i]]));
    const [first] = this.#through('forward', named);
    return first;
  }

  /** All outputs by their names, as `forward` computes them: gradients flow. */
  outputsOf(inputs: Readonly<Record<string, OnnxFeed>>): Record<string, Tensor> {
    const outputs = this.#through('outputsOf', inputs);
    return Object.fromEntries(this.#graph.outputs.map(({ name }, i) => [name, outputs[i]]));
  }

  #through(op: string, inputs: Readonly<Record<string, OnnxFeed>>): Tensor[] {
    return forwardThrough(this.#graph, givenOf(op, this.#graph, inputs, this.#weights), this.#weights, this.training);
  }

  /**
   * The part of the model that computes these values of its graph, or what nodes of these names give: the body of a network for a new
   * head. It shares its weights with the whole. Throws OnnxError for a name that the graph does not have.
   *
   *     const body = model.until('features');
   *     const network = new Sequential(body, new Linear(1280, 5));
   */
  until(...names: string[]): OnnxModel {
    if (names.length === 0) throw new ArgumentError('until: no names. Give the name of a value of the graph.');
    const values = names.map((name) => this.#valueNamed(name));
    return new OnnxModel(prunedTo(this.#graph, values), this.#weights, this.metadata);
  }

  /**
   * The part of the model before its last linear layer (Gemm, MatMul, or a convolution of 1×1), which shares its weights with the whole: what
   * a new head is put on. Throws OnnxError where the first output does not come from such a layer; `until` cuts anywhere.
   *
   *     const body = model.body().requiresGrad_(false);
   *     const head = new Linear(1280, 5); // body.forward(x).shape says how many features there are
   */
  body(): OnnxModel {
    const head = findHead(this.#graph);
    if (typeof head !== 'string') return this.until(head.features);
    throw new OnnxError(`body: ${head}. Cut the model yourself: until(name); valueNames() lists the names.`);
  }

  #valueNamed(name: string): GraphValue {
    const graph = this.#graph;
    const node =
      graph.nodes.find(({ outputs }) => outputs.includes(name)) ??
      graph.nodes.find((candidate) => candidate.name === name);
    if (node !== undefined) {
      const value = node.outputs.includes(name) ? name : node.outputs[0];
      return (
        graph.outputs.find((output) => output.name === value) ?? { name: value, type: undefined, shape: undefined }
      );
    }
    const input = graph.inputs.find((value) => value.name === name);
    if (input !== undefined) return input;
    const near = nearest(
      name,
      graph.nodes.flatMap(({ outputs }) => outputs),
    );
    throw new OnnxError(
      `until: the graph has no value ${JSON.stringify(name)}.${near === undefined ? '' : ` The nearest name is ${JSON.stringify(near)}.`} valueNames() lists them.`,
    );
  }

  /** The names of all values that nodes of the graph compute, in order: what `until` takes. */
  valueNames(): string[] {
    return this.#graph.nodes.flatMap(({ outputs }) => outputs.filter((name) => name !== ''));
  }

  /** Another dtype of real numbers, in place; or another device, by name, to which the weights are copied. */
  override to(dtype: FloatDType): this;
  override to(device: string): Promise<this>;
  override to(target: string): this | Promise<this> {
    this.#session = undefined;
    if (isDType(target)) {
      if (isFloat(target)) this.#weights.setReal(target);
      return super.to(target as FloatDType);
    }
    checkDevice(target); // an unknown name is an error before anything is moved
    return this.#weights.moveTo(target).then(() => this);
  }

  protected override describe(): string {
    const list = (values: readonly GraphValue[]): string => values.map(({ name }) => name).join(', ');
    return `${list(this.#graph.inputs)} → ${list(this.#graph.outputs)}, ${this.#graph.nodes.length} nodes`;
  }
}

const described = ({ name, type, shape }: GraphValue): OnnxValue => ({ name, dtype: type, shape });
