// From the messages of a file to a checked graph. Everything that is wrong, or that nabla cannot run, is collected and thrown at once.

import { type OnnxProblem, problemsError } from '../error.js';
import type { HostArray } from '../host/array.js';
import { findOperator, qualifiedName } from '../operators/table.js';
import { elementTypeOf, isFloatType, rowOf } from '../wire/elements.js';
import type {
  AttributeValue,
  FunctionMessage,
  GraphMessage,
  ModelMessage,
  NodeMessage,
  ValueInfoMessage,
} from '../wire/messages.js';
import { newGraph } from '../wire/read-model.js';
import { type ExternalData, denseArrayOf, hostArrayOf } from '../wire/tensor.js';
import { functionKey, writtenOut } from './functions.js';
import { Names, inOrder } from './order.js';
import { type Constant, type Graph, type GraphNode, type GraphValue, type Role, allGraphs } from './graph.js';

/** Before it, arithmetic broadcast otherwise, and other operators meant something else. */
const OLDEST_OPSET = 7;
/** Those that are the same in older opsets. */
const AS_EVER: ReadonlySet<string> = new Set(
  (
    'Abs Ceil Constant Conv ConvTranspose Elu Exp Floor Gather GlobalAveragePool GlobalMaxPool HardSigmoid Identity InstanceNormalization ' +
    'LeakyRelu Log LRN MatMul MaxPool Neg Not Reciprocal ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Selu Shape Sigmoid Size Softmax ' +
    'Softplus Softsign Sqrt Squeeze Sum Tanh Transpose Unsqueeze Flatten'
  ).split(' '),
);
const DEEPEST_CALL = 50;
/** Functions that call functions twice each grow fast. */
const MOST_NODES = 1 << 20;

export interface CheckedModel {
  readonly graph: Graph;
  readonly opsets: ReadonlyMap<string, number>;
}

/** Throws an OnnxError with all that is wrong. */
export function buildGraph(model: ModelMessage, external: ExternalData, name: string): CheckedModel {
  const { result, problems } = checkModel(model, external);
  if (problems.length > 0)
    throw problemsError(
      `onnx: ${name} cannot be run. nabla inspect shows what is in it; this is what stands in the way:`,
      problems,
    );
  return result;
}

/** The same, with what is wrong as a list: for `nabla inspect`. */
export function checkModel(
  model: ModelMessage,
  external: ExternalData,
): { result: CheckedModel; problems: readonly OnnxProblem[] } {
  const builder = new Builder(model, external);
  const graph = builder.build();
  return { result: { graph, opsets: model.opsets }, problems: builder.problems };
}

class Builder {
  readonly problems: OnnxProblem[] = [];
  private readonly model: ModelMessage;
  private readonly external: ExternalData;
  private readonly functions = new Map<string, FunctionMessage>();
  private readonly keys = new Set<string>();
  /** In front of the names inside of a function, one for each call. */
  private readonly prefixes = new Set<string>();
  private nodes = 0;
  private isEndless = false;

  constructor(model: ModelMessage, external: ExternalData) {
    this.model = model;
    this.external = external;
    for (const f of model.functions) this.functions.set(functionKey(f.domain, f.name, f.overload), f);
  }

  build(): Graph {
    const { graph, opsets } = this.model;
    if (graph === undefined) this.report('the file has no graph');
    const built = this.graph(graph ?? newGraph(), { outer: undefined, opsets, path: '', depth: 0 });
    assignRoles(built);
    return built;
  }

  private report(why: string, node?: string, operator?: string, opset?: number): void {
    this.problems.push({ node, operator, opset, why });
  }

  private graph(message: GraphMessage, { outer, opsets, path, depth }: Surroundings): Graph {
    const constants = new Map<string, Constant>();
    const add = (name: string, read: () => HostArray): void => {
      if (constants.has(name)) return this.report(`there are two initializers ${JSON.stringify(name)}`);
      try {
        constants.set(name, { key: this.keyFor(name, path), array: read(), role: 'setting' });
      } catch (error) {
        this.report((error as Error).message, name, 'initializer');
      }
    };
    for (const tensor of message.initializers) add(tensor.name, () => hostArrayOf(tensor, this.external));
    for (const sparse of message.sparseInitializers) add(sparse.values.name, () => denseArrayOf(sparse, this.external));
    const inputs = message.inputs.map((info) => this.value(info, true));
    const nodes: GraphNode[] = [];
    const given = new Names(outer);
    for (const { name } of inputs) {
      if (given.own.has(name)) this.report(`there are two inputs ${JSON.stringify(name)}`);
      given.own.add(name);
    }
    for (const name of constants.keys()) given.own.add(name);
    for (const { node, ...its } of this.flat(message.nodes, opsets, depth)) {
      this.node(node, { outer: given, path, ...its }, constants, nodes);
    }
    const before = new Names(outer, [...inputs.map(({ name }) => name), ...constants.keys()]);
    const ordered = inOrder(nodes, before);
    for (const node of nodes) {
      if (ordered.has(node)) continue;
      const missing = node.inputs
        .filter((name) => name !== '' && !before.has(name))
        .map((name) => JSON.stringify(name));
      this.report(`nothing computes its input ${missing.join(', ')}`, node.name, node.operator, node.opset);
    }
    for (const { name } of message.outputs)
      if (!given.has(name)) this.report(`nothing computes the output ${JSON.stringify(name)}`);
    return {
      name: message.name,
      inputs: inputs.filter(({ name }) => !constants.has(name)),
      defaults: inputs.filter(({ name }) => constants.has(name)),
      outputs: message.outputs.map((info) => this.value(info, false)),
      constants,
      nodes: [...ordered],
    };
  }

  private keyFor(name: string, path: string): string {
    return unusedName(this.keys.has(name) && path !== '' ? `${path}/${name}` : name, this.keys);
  }

  private value(info: ValueInfoMessage, isInput: boolean): GraphValue {
    const type = elementTypeOf(info.elementType);
    if (isInput && info.kind !== 'tensor')
      this.report(`the input ${JSON.stringify(info.name)} is a ${info.kind}, not a tensor`);
    if (isInput && type === 'string')
      this.report(`the input ${JSON.stringify(info.name)} holds texts, which nabla has not`);
    return { name: info.name, type, shape: info.shape };
  }

  /** Nodes, with functions written out. */
  private *flat(
    nodes: readonly NodeMessage[],
    opsets: ReadonlyMap<string, number>,
    depth: number,
  ): Generator<{ node: NodeMessage; opsets: ReadonlyMap<string, number>; depth: number }> {
    for (const node of nodes) {
      if (this.isEndless) return;
      const called = this.functions.get(functionKey(node.domain, node.operator, node.overload));
      if (called === undefined) {
        yield { node, opsets, depth };
        continue;
      }
      this.nodes += called.nodes.length;
      if (depth >= DEEPEST_CALL || this.nodes > MOST_NODES) {
        this.isEndless = true;
        this.report('functions call one another too often', undefined, qualifiedName(node.domain, node.operator));
        return;
      }
      const inner = new Map([...opsets, ...called.opsets]);
      const prefix = unusedName(nameOf(node), this.prefixes);
      yield* this.flat(writtenOut(node, called, prefix), inner, depth + 1);
    }
  }

  private node(
    node: NodeMessage,
    { outer: given, opsets, path, depth }: Surroundings & { readonly outer: Names },
    constants: Map<string, Constant>,
    nodes: GraphNode[],
  ): void {
    const name = nameOf(node);
    const operatorName = qualifiedName(node.domain, node.operator);
    const opset = opsets.get(node.domain) ?? opsets.get(node.domain === '' ? 'ai.onnx' : node.domain) ?? 1;
    const report = (why: string): void => this.report(why, name, operatorName, opset);
    const give = (): void => {
      for (const output of node.outputs) {
        if (output === '') continue;
        if (given.own.has(output)) report(`${JSON.stringify(output)} is there already, and it computes it again`);
        given.own.add(output);
      }
    };
    if (operatorName === 'Constant') {
      try {
        const array = this.constant(node);
        const [output = ''] = node.outputs;
        if (output !== '') constants.set(output, { key: this.keyFor(output, path), array, role: 'setting' });
      } catch (error) {
        report((error as Error).message);
      }
      return give();
    }
    const inputs = [...node.inputs];
    while (inputs.length > 0 && inputs[inputs.length - 1] === '') inputs.pop();
    const graphs = new Map<string, Graph>();
    const tensors = new Map<string, HostArray>();
    for (const [key, value] of node.attributes) {
      try {
        if (value.kind === 'tensor') tensors.set(key, hostArrayOf(value.value, this.external));
      } catch (error) {
        report(`the attribute ${key} cannot be read: ${(error as Error).message}`);
      }
      if (value.kind !== 'graph') continue;
      const at = `${path === '' ? '' : `${path}/`}${name}.${key}`;
      graphs.set(key, this.graph(value.value, { outer: given, opsets, path: at, depth }));
    }
    const made: GraphNode = {
      name,
      operator: operatorName,
      opset,
      inputs,
      outputs: node.outputs,
      attributes: node.attributes,
      tensors,
      graphs,
    };
    this.check(made, report);
    nodes.push(made);
    give();
  }

  private check(node: GraphNode, report: (why: string) => void): void {
    const operator = findOperator(node.operator);
    if (operator === undefined) return report('nabla does not have this operator');
    const [least, most] = operator.inputs;
    const { length } = node.inputs;
    if (length < least || length > most)
      report(`it has ${length} inputs, needs ${least === most ? least : `${least} to ${most}`}`);
    if (node.opset < OLDEST_OPSET && !node.operator.includes('::') && !AS_EVER.has(node.operator))
      report(`it meant something else before opset ${OLDEST_OPSET}. Convert the model with onnx.version_converter`);
    if (operator.until !== undefined && node.opset >= operator.until)
      report(`the standard has it until opset ${operator.until - 1} only`);
    const why = operator.refuses?.(node);
    if (why !== undefined) report(why);
  }

  private constant(node: NodeMessage): HostArray {
    for (const [name, value] of node.attributes) {
      const array = this.constantOf(name, value);
      if (array !== undefined) return array;
    }
    throw new Error('it has no value that nabla knows');
  }

  private constantOf(name: string, value: AttributeValue): HostArray | undefined {
    if (value.kind === 'tensor') return hostArrayOf(value.value, this.external);
    if (value.kind === 'sparse') return denseArrayOf(value.value, this.external);
    if (value.kind === 'float') return { type: 'float32', shape: [], data: Float32Array.of(value.value) };
    if (value.kind === 'int') return { type: 'int64', shape: [], data: Float64Array.of(value.value) };
    if (value.kind === 'floats')
      return { type: 'float32', shape: [value.value.length], data: Float32Array.from(value.value) };
    if (value.kind === 'ints')
      return { type: 'int64', shape: [value.value.length], data: Float64Array.from(value.value) };
    if (name === 'value_string' || name === 'value_strings') throw new Error('it holds texts, which nabla has not');
    return undefined;
  }
}

/** What a graph, or a node, stands in. */
interface Surroundings {
  readonly outer: Names | undefined;
  readonly opsets: ReadonlyMap<string, number>;
  /** For keys of constants. */
  readonly path: string;
  /** Functions in functions. */
  readonly depth: number;
}

/** The name, or with a number behind it if it is used; from then on it is. */
function unusedName(wanted: string, used: Set<string>): string {
  let name = wanted;
  for (let i = 2; used.has(name); i++) name = `${wanted}_${i}`;
  used.add(name);
  return name;
}

const nameOf = (node: NodeMessage): string => node.name || (node.outputs.find((name) => name !== '') ?? node.operator);

// ---------------------------------------------------------------- what is learned

/** Real numbers are learned where they are more than one, or weights; settings and statistics are not. */
function roleOf(node: GraphNode, input: number, { array }: Constant): Role {
  const operator = findOperator(node.operator);
  if (operator === undefined || operator.settings?.includes(input)) return 'setting';
  if (operator.statistics?.includes(input)) return 'buffer';
  const size = array.data.length;
  if (isFloatType(array.type)) return size > 1 || operator.weights?.includes(input) ? 'parameter' : 'setting';
  const range = rowOf(array.type).range;
  const isSmall = range === undefined || range[1] <= 0x7fffffff;
  return size > 1 && isSmall ? 'buffer' : 'setting';
}

const STRENGTH: Readonly<Record<Role, number>> = { setting: 0, parameter: 1, buffer: 2 };

function assignRoles(graph: Graph): void {
  const visit = (inner: Graph, outer: ReadonlyMap<string, Constant>): void => {
    const scope = new Map([...outer, ...inner.constants]);
    for (const { name } of inner.inputs) if (!inner.constants.has(name)) scope.delete(name);
    for (const node of inner.nodes) {
      node.inputs.forEach((name, i) => {
        const constant = scope.get(name);
        if (constant === undefined) return;
        const role = roleOf(node, i, constant);
        if (STRENGTH[role] > STRENGTH[constant.role]) constant.role = role;
      });
      for (const body of node.graphs.values()) visit(body, scope);
    }
  };
  visit(graph, new Map());
}

/** All constants of a graph and of those in it. */
export function constantsOf(graph: Graph): Constant[] {
  return [...new Set(allGraphs(graph).flatMap((inner) => [...inner.constants.values()]))];
}
