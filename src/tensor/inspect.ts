// Looking inside: the graph of a tensor with values and gradients, the memory in use, the devices there are.

import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { deviceNames, engineStats, getDefaultDevice, getDevice, run, setDefaultDevice } from '../engine/engine.js';
import type { DeviceMemory } from '../engine/device/device.js';
import { differentiate } from '../engine/grad/backward.js';
import * as build from '../engine/ir/build.js';
import { DeviceError, GradError } from '../engine/ir/errors.js';
import { type Node, topologicalOrder } from '../engine/ir/node.js';
import { toDot, toMermaid } from '../engine/ir/graph/print.js';
import { type AnyTensor, wrap, checkTensor } from './tensor.js';

export interface GraphNode {
  readonly id: number;
  readonly op: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly inputs: readonly number[];
  readonly value: number[] | undefined;
  readonly gradient: number[] | undefined;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly (readonly [from: number, to: number])[];
  toMermaid(): string;
  toDot(): string;
}

export interface GraphOptions {
  /** Compute the value of every node. */
  readonly values?: boolean;
  /** Compute the gradient of this (scalar) tensor with respect to every node. */
  readonly gradients?: boolean;
}

const GRAPH_OPTIONS: OptionNames<GraphOptions> = { values: true, gradients: true };

const SHOWN = 6;

function shorten(numbers: readonly number[]): string {
  const shown = numbers.slice(0, SHOWN).map((n) => `${Number(n.toPrecision(4))}`);
  return numbers.length > SHOWN ? `${shown.join(', ')}, …` : shown.join(', ');
}

/** The computational graph below a tensor: operators as nodes, operands before users. */
export async function graphOf(t: AnyTensor, options: GraphOptions = {}): Promise<Graph> {
  checkTensor(t, 'graphOf', 'the t');
  checkOptions('graphOf', options, GRAPH_OPTIONS);
  const root = t.node;
  let order = topologicalOrder([root], true);
  let gradients: (Node | undefined)[] = [];
  if (options.gradients === true) {
    if (root.size !== 1)
      throw new GradError(`graphOf: gradients need a scalar, this tensor has ${root.size} elements.`);
    const all = differentiate([root], [build.expand(build.constant(1) as Node, root.shape)], order);
    const place = new Map(all.order.map((n, i) => [n, i]));
    gradients = order.map((n) => all.gradients[place.get(n) ?? -1]);
    order = [...order];
  }
  const read = async (n: Node): Promise<number[]> => [...(await wrap(n).data())];
  const values = options.values === true ? order : [];
  run([...values, ...gradients.flatMap((g) => (g === undefined ? [] : [g]))]);
  const nodes: GraphNode[] = [];
  const number = new Map(order.map((n, i) => [n, i]));
  for (const [i, n] of order.entries()) {
    const g = gradients[i];
    nodes.push({
      id: i,
      op: n.op,
      shape: n.shape,
      dtype: n.dtype,
      inputs: n.src.map((s) => number.get(s) as number),
      value: options.values === true ? await read(n) : undefined,
      gradient: g === undefined ? undefined : await read(g),
    });
  }
  const caption = (_: Node, i: number): string | undefined => {
    const { value, gradient } = nodes[i];
    const parts = [value && `= ${shorten(value)}`, gradient && `∇ ${shorten(gradient)}`].filter((p) => p !== undefined);
    return parts.length === 0 ? undefined : parts.join(' · ');
  };
  return {
    nodes,
    edges: nodes.flatMap((n) => n.inputs.map((from) => [from, n.id] as const)),
    toMermaid: () => toMermaid(order, caption),
    toDot: () => toDot(order, caption),
  };
}

/** Memory of a device (the default one unless named), in bytes. */
export function memoryStats(device?: string): DeviceMemory {
  return getDevice(device ?? getDefaultDevice()).memory();
}

export interface DeviceInfo {
  readonly name: string;
  readonly isDefault: boolean;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/**
 * The devices there are, and what they have found: threads, instruction sets, heap. Of one that cannot run here, `unavailable`
 * says why.
 */
export function devices(): DeviceInfo[] {
  return deviceNames().map((name) => ({
    name,
    isDefault: name === getDefaultDevice(),
    details: detailsOf(name),
  }));
}

function detailsOf(name: string): DeviceInfo['details'] {
  try {
    return getDevice(name).details();
  } catch (error) {
    if (error instanceof DeviceError) return { unavailable: error.message };
    throw error;
  }
}

/** The device that new tensors are made on. */
export function setDevice(name: string): void {
  setDefaultDevice(name);
  getDevice(name);
}

export { engineStats, getDefaultDevice };
