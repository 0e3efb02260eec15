// Models out, in the ONNX format: forward is traced in evaluation mode, layers become ONNX's operators, what is between them too.

import { Module } from '../../nn/module.js';
import { storageOf } from '../../tensor/graph-trace.js';
import {
  ArgumentError,
  type OptionNames,
  checkOptions,
  checkWhole,
  formatShape,
  runPending,
  shown,
} from '../../tensor/library.js';
import type { AnyTensor } from '../../tensor/tensor.js';
import { type OnnxProblem, OnnxError, problemsError } from '../error.js';
import { type NodeOut, type ValueOut, writeModel } from '../wire/writer.js';
import type { DraftNode } from './draft.js';
import { Finisher } from './finish.js';
import { type Parts, foldBatchNorms } from './fold-batch-norm.js';
import { codeOf } from './operators.js';
import {
  type Dynamic,
  type OnnxExample,
  type FreeSizes,
  argumentsOf,
  checkNames,
  freeSizesOf,
  givenFor,
  inputsOf,
} from './inputs.js';
import type { Free } from './sizes.js';
import { type Given, type Traced, traceModel } from './trace.js';

export interface ExportOnnxOptions {
  /** The version of ONNX's operators, 13 to 22. From 17 on layer norms are one node, from 20 on GELU, from 21 on group norms. Default 17. */
  readonly opset?: number;
  /**
   * Sizes that may be any in a run: `{ 0: 'batch' }` for all inputs, or by input as torch.onnx.export's dynamic_axes:
   * `{ ids: { 0: 'batch', 1: 'length' } }`. Equal names are equal sizes. All others are the example's.
   */
  readonly dynamic?: Dynamic;
  /** Make a convolution and the batch norm behind it one convolution: faster, but not for training on. Default false. */
  readonly foldBatchNorm?: boolean;
  /** Default 'input', or 'input_0', 'input_1', …; tensors in an object have their names in it. */
  readonly inputNames?: readonly string[];
  /** Default 'output', or the names in the object that forward returns, or 'output_0', … */
  readonly outputNames?: readonly string[];
}

const EXPORT_OPTIONS: OptionNames<ExportOnnxOptions> = {
  opset: true,
  dynamic: true,
  foldBatchNorm: true,
  inputNames: true,
  outputNames: true,
};

/** The oldest version of the format that has an opset. */
const IR_VERSIONS: Readonly<Record<number, number>> = {
  13: 7,
  14: 7,
  15: 8,
  16: 8,
  17: 8,
  18: 8,
  19: 9,
  20: 9,
  21: 10,
  22: 10,
};

export type { OnnxExample, FreeSizes };

/** A module whose forward takes tensors. */
export type Exportable = Module & { forward(...given: never[]): unknown };

/**
 * The model as the bytes of an ONNX file, for inputs like `example`: a tensor, or a list with what each argument of forward is, a tensor or
 * an object of tensors. It is written in evaluation mode; parameters and buffers keep their keys, nodes are named by the path of their module. Tensors of int32 stay int32.
 * Throws OnnxError that lists every operator which ONNX lacks, with its place. PyTorch: torch.onnx.export.
 *
 *     const bytes = await exportOnnx(model, zeros([1, 3, 224, 224]), { dynamic: { 0: 'batch' } });
 *     const text = await exportOnnx(bert, [ids, { attentionMask }], { dynamic: { 0: 'batch', 1: 'length' } });
 */
export async function exportOnnx(
  model: Exportable,
  example: OnnxExample,
  options: ExportOnnxOptions = {},
): Promise<Uint8Array> {
  checkOptions('exportOnnx', options, EXPORT_OPTIONS);
  const { opset = 17, foldBatchNorm = false } = options;
  checkWhole('exportOnnx', 'opset', opset, 13);
  if (IR_VERSIONS[opset] === undefined)
    throw new ArgumentError(`exportOnnx: opset ${opset} is newer than what nabla writes. Use 13 to 22.`);
  if (!(model instanceof Module))
    throw new ArgumentError(
      `exportOnnx: the model is ${shown(model)}. Give a Module: a class of yours that extends it, or a layer.`,
    );
  checkNames('inputNames', options.inputNames);
  checkNames('outputNames', options.outputNames);
  const inputs = inputsOf(example, options.inputNames);
  const wanted = freeSizesOf(inputs, options.dynamic === undefined ? {} : options.dynamic);
  const given = givenFor(inputs, wanted);
  runPending();
  const trace = (each: readonly Given[]): Traced => traceModel(model, each, argumentsOf(example), opset);
  const traces = inEval(model, () => given.traces.map((each, i) => (i === 0 ? trace(each) : inSizes(each, trace))));
  refuseProblems(traces[0].draft.problems);
  return assemble(model, traces, given.free, wanted, inputs, { opset, foldBatchNorm, names: options.outputNames });
}

/**
 * `exportOnnx` into a file (Node), which is there as a whole or not at all.
 *
 *     await saveOnnx('model.onnx', model, zeros([1, 784]));
 */
export async function saveOnnx(
  path: string,
  model: Exportable,
  example: OnnxExample,
  options: ExportOnnxOptions = {},
): Promise<void> {
  const bytes = await exportOnnx(model, example, options);
  const { writeFileAtomic } = await import('../../io/node/files.js');
  await writeFileAtomic(path, bytes);
}

/** A trace for larger sizes: an error says that they are not the example's. */
function inSizes(given: readonly Given[], trace: (given: readonly Given[]) => Traced): Traced {
  try {
    return trace(given);
  } catch (cause) {
    const sizes = given.map(({ name, shape }) => `${name} ${formatShape(shape)}`).join(', ');
    throw new OnnxError(
      `exportOnnx: forward is called with sizes of up to three times the example's, to see what depends on those that may be any, and fails for ${sizes}. Give a smaller example, or leave out what is dynamic. ${(cause as Error).message}`,
      [],
      { cause },
    );
  }
}

/** Runs `body` with the model in evaluation mode, and each module as it was behind it. */
function inEval<T>(model: Module, body: () => T): T {
  const before = model.namedModules().map(([, module]) => [module, module.training] as const);
  model.eval();
  try {
    return body();
  } finally {
    for (const [module, training] of before) module.training = training;
  }
}

function refuseProblems(problems: readonly OnnxProblem[]): void {
  if (problems.length > 0) throw problemsError('exportOnnx: parts of the model have no form in ONNX:', problems);
}

// ---------------------------------------------------------------- the file

interface AssembleOptions {
  readonly opset: number;
  readonly foldBatchNorm: boolean;
  readonly names: readonly string[] | undefined;
}

async function assemble(
  model: Module,
  traces: readonly Traced[],
  free: readonly Free[],
  wanted: readonly Map<number, string>[],
  inputs: readonly Given[],
  { opset, foldBatchNorm, names }: AssembleOptions,
): Promise<Uint8Array> {
  const state = [...model.namedParameters(), ...model.namedBuffers()];
  const keys = new Map<object, string>();
  for (const [key, tensor] of state) {
    const storage = storageOf((tensor as AnyTensor).node);
    if (storage !== undefined) keys.set(storage, key);
  }
  const [own] = traces;
  const outputNames = own.outputs.map(({ path }, i) => names?.[i] ?? outputName(path, i, own.outputs.length));
  const finisher = new Finisher(free, keys, [...inputs.map(({ name }) => name), ...outputNames]);
  const needed = neededNodes(own);
  if (traces.some(({ draft }) => draft.nodes.length !== own.draft.nodes.length))
    throw new OnnxError('exportOnnx: forward does other things for other sizes. Leave out what is dynamic.');
  own.draft.nodes.forEach((node, i) => {
    if (needed.has(node)) finisher.add(traces.map(({ draft }) => draft.nodes[i]));
  });
  const outputs = own.outputs.map((output, i) => {
    const name = outputNames[i];
    const value = finisher.value(
      traces.map(({ outputs: all }) => all[i].value),
      name,
    );
    const dims = finisher.dims(
      traces.map(({ outputs: all }) => all[i].shape),
      name,
    );
    return { name, value, dims, type: codeOf(output.dtype) };
  });
  if (names !== undefined && names.length !== outputs.length)
    throw new ArgumentError(
      `exportOnnx: ${names.length} outputNames for ${outputs.length} outputs. Give one for each.`,
    );
  refuseProblems(finisher.problems);
  let parts: Parts = { nodes: named(finisher.nodes, outputs), initializers: [] };
  const used = new Set(parts.nodes.flatMap(({ inputs: read }) => read));
  parts = { ...parts, initializers: await finisher.initializers(used) };
  if (foldBatchNorm)
    parts = foldBatchNorms(
      parts,
      outputs.map(({ name }) => name),
    );
  checkDistinct(inputs, parts);
  return writeModel({
    irVersion: IR_VERSIONS[opset],
    opset,
    producer: 'nabla',
    producerVersion: '',
    graphName: model.constructor.name,
    ...parts,
    inputs: inputs.map(({ name, dtype, shape }, i): ValueOut => ({
      name,
      type: codeOf(dtype),
      dims: shape.map((n, axis) => wanted[i].get(axis) ?? n),
    })),
    outputs,
  });
}

/** Throws ArgumentError where an input, a weight and a result have one name: readers of the file would take one for the other. */
function checkDistinct(inputs: readonly Given[], { nodes, initializers }: Parts): void {
  const seen = new Set<string>();
  for (const name of [...inputs, ...initializers]
    .map((value) => value.name)
    .concat(nodes.flatMap((node) => node.outputs))) {
    if (seen.has(name))
      throw new ArgumentError(
        `exportOnnx: two values of the graph would be called '${name}'. Give other inputNames or outputNames, different from one another and from the keys of parameters.`,
      );
    seen.add(name);
  }
}

function outputName(path: string, i: number, count: number): string {
  if (path !== '' && !/^[\d.]+$/.test(path)) return path;
  return count === 1 ? 'output' : `output_${i}`;
}

/** The nodes that the outputs depend on. */
function neededNodes({ draft, outputs }: Traced): Set<DraftNode> {
  const makers = new Map(draft.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const needed = new Set<DraftNode>();
  const stack = outputs.map(({ value }) => value);
  while (stack.length > 0) {
    const value = stack.pop();
    const node = typeof value === 'string' ? makers.get(value) : undefined;
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    for (const input of node.inputs) stack.push(input);
  }
  return needed;
}

/** Outputs by their names: what makes one alone is renamed, anything else is passed on. */
function named(nodes: readonly NodeOut[], outputs: readonly { name: string; value: string }[]): NodeOut[] {
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const renamed = new Map<string, string>();
  const passed: NodeOut[] = [];
  for (const { name, value } of outputs) {
    if (made.has(value) && !renamed.has(value)) renamed.set(value, name);
    else
      passed.push({
        op: 'Identity',
        name: `/${name}/Identity`,
        inputs: [renamed.get(value) ?? value],
        outputs: [name],
        attributes: {},
      });
  }
  const rename = (name: string): string => renamed.get(name) ?? name;
  return [
    ...nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) })),
    ...passed,
  ];
}
