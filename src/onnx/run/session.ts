// Runs of a graph: a program for each combination of input shapes, and of the inputs that decide how the graph goes on (a sampling
// rate that an If asks for). The last ones are kept.
//   A first run goes through the graph while it is captured; later ones replay it. A graph that has to read what it computes, to know
// how large something is, is gone through each time.

import { compile, type CompiledFunction } from '../../tensor/compile.js';
import { withoutGrad } from '../../tensor/grad-mode.js';
import { type AnyTensor, Tensor, realize } from '../../tensor/tensor.js';
import { OnnxError } from '../error.js';
import type { Constant, Graph, GraphNode, GraphValue } from '../graph/graph.js';
import { type HostArray, sizeOf } from '../host/array.js';
import type { Environment, Result } from '../operators/operator.js';
import type { ElementType } from '../wire/elements.js';
import { storedTensor, tensorOfHost } from './host-tensors.js';
import { type Reading, interpret } from './interpret.js';
import { NONE, Value } from './value.js';
import type { Weights } from './weights.js';

/** What is given for an input. */
export type Given = HostArray | AnyTensor;

const MOST_PLANS = 16;
/** An input of more numbers is not part of a program's key. */
const MOST_DECIDING = 64;

/** One for each input, then for each weight that is an input too; undefined for one that is not given. */
export type Givens = readonly (Given | undefined)[];

export const isHost = (given: Given): given is HostArray => !(given instanceof Tensor);

/** A run in which a value has to be read. */
class Reads extends Error {
  readonly value: Value;
  constructor(value: Value) {
    super('a value that is being computed has to be read');
    this.value = value;
  }
}

interface Plan {
  readonly call: CompiledFunction<AnyTensor[], AnyTensor[]>;
}

export class Session implements Environment {
  readonly isTraining = false;
  /** Once it has turned out that no input decides. */
  selects = false;
  readonly device: string;
  private readonly graph: Graph;
  private readonly declared: readonly GraphValue[];
  private readonly weights: Weights;
  /** Whether the weights are those of the file: then what depends on nothing else is computed once, on the host. */
  readonly isFrozen: boolean;
  private readonly plans = new Map<string, Plan>();
  /** Inputs that decide how the graph goes on. */
  private readonly deciding = new Set<number>();
  private sizes: readonly number[] = [];
  private isDynamic = false;
  private readonly memory = new WeakMap<HostArray, Map<string, object>>();
  private readonly tensors = new WeakMap<HostArray, Tensor>();
  private readonly statics = new Map<GraphNode, readonly Result[]>();

  constructor(graph: Graph, weights: Weights, isFrozen: boolean) {
    this.graph = graph;
    this.declared = [...graph.inputs, ...graph.defaults];
    this.weights = weights;
    this.isFrozen = isFrozen;
    this.device = weights.device;
  }

  // -------------------------------------------------------------- what operators ask for

  dtypeOf(type: ElementType) {
    return this.weights.dtypeOf(type);
  }

  tensorOf(value: Value): Tensor {
    if (value.tensor !== undefined) return value.tensor;
    const host = value.host as HostArray;
    let made = this.tensors.get(host);
    if (made === undefined) {
      made = tensorOfHost(host, this.dtypeOf(host.type), this.device);
      if (value.isConstant && made.storage !== undefined) this.tensors.set(host, made);
    }
    value.tensor = made;
    return made;
  }

  remember<T extends object>(array: HostArray, what: string, make: () => T): T {
    let known = this.memory.get(array);
    if (known === undefined) this.memory.set(array, (known = new Map()));
    let found = known.get(what) as T | undefined;
    if (found === undefined) known.set(what, (found = make()));
    return found;
  }

  staticsOf(node: GraphNode): readonly Result[] | undefined {
    return this.statics.get(node);
  }

  keepStatic(node: GraphNode, results: readonly Result[]): void {
    this.statics.set(node, results);
  }

  private readonly constantOf = (constant: Constant): Value => {
    const known = this.weights.known(constant);
    const isLive = !this.isFrozen && constant.role !== 'setting';
    if (isLive) {
      const weight = this.weights.of(constant).detach();
      return Value.ofTensor(weight, constant.array.type, NONE);
    }
    const value = Value.ofHost(constant.array);
    value.isConstant = true;
    if (known !== undefined) value.tensor = known.detach() as Tensor;
    return value;
  };

  // -------------------------------------------------------------- runs

  async run(given: Givens): Promise<Tensor[]> {
    for (;;) {
      const inputs = await this.decided(await this.here(given));
      this.sizes = inputs.map((input) => (input === undefined ? 0 : sizeOf(input.shape)));
      if (this.isDynamic) return this.step(inputs);
      try {
        return await this.replayed(inputs);
      } catch (error) {
        if (!(error instanceof Reads)) throw error;
        if (this.decideBy(error.value)) continue;
        if (this.selects) this.isDynamic = true;
        this.selects = true;
      }
    }
  }

  /** Tensors on another device are copied. */
  private async here(given: Givens): Promise<Givens> {
    const isHere = (input: Given | undefined): boolean =>
      input === undefined || isHost(input) || input.device === this.device;
    if (given.every(isHere)) return given;
    return Promise.all(given.map((input) => (isHere(input) ? input : (input as AnyTensor).to(this.device))));
  }

  /** Reads the inputs that decide. */
  private async decided(given: Givens): Promise<(Given | undefined)[]> {
    const inputs = [...given];
    for (const i of this.deciding) {
      const input = inputs[i];
      if (input === undefined || isHost(input)) continue;
      const type = this.declared[i].type ?? 'float32';
      inputs[i] = { type, shape: input.shape, data: Float64Array.from(await input.data()) };
    }
    return inputs;
  }

  /** Makes inputs part of the key, if the value depends on such as may be; false if it is of no use. */
  private decideBy(value: Value): boolean {
    const fresh = [...value.sources].filter((i) => !this.deciding.has(i));
    if (fresh.some((i) => (this.sizes[i] ?? 0) > MOST_DECIDING)) return false;
    for (const i of fresh) this.deciding.add(i);
    return fresh.length > 0;
  }

  private async replayed(inputs: Givens): Promise<Tensor[]> {
    const tensors: AnyTensor[] = [];
    let key = '';
    inputs.forEach((input, i) => {
      if (input === undefined) key += `${i} left out;`;
      else if (this.deciding.has(i) && isHost(input)) key += `${i}:${input.shape.join()}=${input.data.join()};`;
      else tensors.push(this.inputTensor(input));
    });
    const plan = this.planFor(key, inputs);
    return (await plan.call(...tensors)) as Tensor[];
  }

  inputTensor(input: Given): AnyTensor {
    return isHost(input) ? storedTensor(input, this.dtypeOf(input.type), this.device) : input;
  }

  private planFor(key: string, inputs: Givens): Plan {
    const known = this.plans.get(key);
    this.plans.delete(key);
    const hosts = inputs.map((input, i) =>
      input === undefined ? 'none' : this.deciding.has(i) && isHost(input) ? input : undefined,
    );
    const plan: Plan = known ?? {
      call: compile(
        (...tensors: AnyTensor[]): AnyTensor[] => {
          let next = 0;
          const values = hosts.map((host, i) =>
            host === 'none' ? undefined : this.inputValue(host ?? tensors[next++], i),
          );
          return withoutGrad(() => this.now(values));
        },
        { check: 0 },
      ),
    };
    this.plans.set(key, plan);
    for (const [oldest] of this.plans) {
      if (this.plans.size <= MOST_PLANS) break;
      this.plans.delete(oldest);
    }
    return plan;
  }

  private inputValue(given: Given, i: number): Value {
    if (isHost(given)) return Value.ofHost(given, new Set([i]));
    const type = this.declared[i].type ?? 'float32';
    const value = Value.ofTensor(given, type, new Set([i]));
    return value;
  }

  private reading(values: readonly (Value | undefined)[]): Reading {
    const inputs = values.flatMap((value, i) => (value === undefined ? [] : [[this.declared[i].name, value] as const]));
    return interpret(this.graph, inputs, this, (graph, name) => this.constantOf(graph.constants.get(name) as Constant));
  }

  /** Without reading anything. Throws Reads where that is not possible. */
  private now(values: readonly (Value | undefined)[]): AnyTensor[] {
    const reading = this.reading(values);
    const step = reading.next();
    if (step.done !== true) throw new Reads(step.value);
    return step.value.map((value) => this.tensorOf(value));
  }

  /** Goes through the graph and reads what has to be known. */
  private async step(inputs: Givens): Promise<Tensor[]> {
    const values = inputs.map((input, i) =>
      input === undefined ? undefined : this.inputValue(isHost(input) ? input : input.detach(), i),
    );
    const reading = this.reading(values);
    for (;;) {
      const step = withoutGrad(() => reading.next());
      if (step.done === true) {
        const outputs = step.value.map((value) => this.tensorOf(value));
        await realize(...outputs);
        return outputs;
      }
      await readValue(step.value);
    }
  }
}

/** Puts the numbers of a value on the host. */
export async function readValue(value: Value): Promise<void> {
  if (value.tensor === undefined) throw new OnnxError('onnx: a value that has to be read is nowhere.');
  const data = await value.tensor.data();
  value.host = { type: value.type, shape: value.shape, data };
}
