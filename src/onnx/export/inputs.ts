// The inputs of an export: their names, and which of their sizes may be any. For these, the model is traced for several sizes.

import { ArgumentError, type Shape, shown } from '../../tensor/library.js';
import type { AnyTensor } from '../../tensor/tensor.js';
import { type Tree, leavesOf } from '../../tensor/trees.js';
import type { Free } from './sizes.js';
import type { Given } from './trace.js';

/** For one input, the names of its sizes that may be any, by dimension. */
export type FreeSizes = Readonly<Record<number, string>>;

/** For all inputs, or by input. */
export type Dynamic = FreeSizes | Readonly<Record<string, FreeSizes>>;

export function checkNames(option: string, names: unknown): void {
  if (names === undefined) return;
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string' && name !== ''))
    throw new ArgumentError(`exportOnnx: ${option} is ${shown(names)}. Give a list of names, none of them empty.`);
}

/** What forward is given: one tensor, or a list with an argument each; an argument may hold several: `[ids, { attentionMask }]`. */
export type OnnxExample = AnyTensor | readonly Tree[];

export const argumentsOf = (example: OnnxExample): readonly unknown[] => (Array.isArray(example) ? example : [example]);

/** The tensors of the example in their order. One in an object has its name there. */
export function inputsOf(example: OnnxExample, names: readonly string[] | undefined): Given[] {
  const given = argumentsOf(example);
  for (const argument of given.length === 0 ? [given] : given) {
    if (leavesOf(argument).length > 0) continue;
    throw new ArgumentError(
      `exportOnnx: the example is ${shown(argument)}. Give a tensor, or a list with what each argument of forward is: tensors, or lists or objects of such.`,
    );
  }
  const leaves = leavesOf(given);
  if (names !== undefined && names.length !== leaves.length)
    throw new ArgumentError(`exportOnnx: ${names.length} inputNames for ${leaves.length} inputs. Give one for each.`);
  return leaves.map(({ tensor: { dtype, device, shape }, path }, i) => {
    const key = path.slice(path.lastIndexOf('.') + 1);
    const numbered = leaves.length === 1 ? 'input' : `input_${i}`;
    return { name: names?.[i] ?? (/^\d+$/.test(key) ? numbered : key), dtype, device, shape };
  });
}

/** For each input, the names of its free sizes by dimension. */
export function freeSizesOf(inputs: readonly Given[], dynamic: Dynamic): Map<number, string>[] {
  const found = inputs.map(() => new Map<number, string>());
  const put = (at: number, sizes: object): void => {
    for (const [key, name] of Object.entries(sizes) as [string, unknown][]) {
      const { name: input, shape } = inputs[at];
      const axis = Number(key) < 0 ? Number(key) + shape.length : Number(key);
      if (!(Number.isInteger(axis) && axis >= 0 && axis < shape.length) || typeof name !== 'string' || name === '')
        throw new ArgumentError(
          `exportOnnx: dynamic has ${key}: ${shown(name)} for input '${input}' of ${shape.length} dimensions. Give a dimension and a name.`,
        );
      found[at].set(axis, name);
    }
  };
  if (typeof dynamic !== 'object' || dynamic === null)
    throw new ArgumentError(`exportOnnx: dynamic is ${shown(dynamic)}. Give names by dimension: { 0: 'batch' }.`);
  const isForAll = Object.values(dynamic).every((value) => typeof value === 'string');
  if (isForAll) inputs.forEach((_, i) => put(i, dynamic));
  else {
    for (const [name, sizes] of Object.entries(dynamic)) {
      const at = inputs.findIndex((input) => input.name === name);
      if (at < 0 || typeof sizes !== 'object' || sizes === null)
        throw new ArgumentError(
          `exportOnnx: dynamic names '${name}', and the inputs are ${inputs.map((input) => input.name).join(', ')}.`,
        );
      put(at, sizes);
    }
  }
  return found;
}

/** The inputs of each trace: the model's own, each free size doubled, all of them tripled. */
export function givenFor(
  inputs: readonly Given[],
  wanted: readonly Map<number, string>[],
): { traces: Given[][]; free: Free[] } {
  const places = new Map<string, { input: string; axis: number; size: number }>();
  wanted.forEach((sizes, i) => {
    for (const [axis, name] of sizes) {
      const own = inputs[i].shape[axis];
      const known = places.get(name);
      if (known !== undefined && known.size !== Math.max(own, 2))
        throw new ArgumentError(
          `exportOnnx: '${name}' is ${known.size} in input '${known.input}' and ${own} in '${inputs[i].name}'. Give examples of one size.`,
        );
      // 1 would be taken for what is broadcast
      if (known === undefined) places.set(name, { input: inputs[i].name, axis, size: Math.max(own, 2) });
    }
  });
  const count = places.size === 0 ? 1 : places.size + 2;
  const free = [...places].map(([name, { input, axis, size }], i): Free => ({
    name,
    input,
    axis,
    sizes: Array.from({ length: count }, (_, k) => size * (k === count - 1 ? 3 : k === i + 1 ? 2 : 1)),
  }));
  const sizeIn = (name: string, trace: number): number => (free.find((one) => one.name === name) as Free).sizes[trace];
  const traces = Array.from({ length: count }, (_, k) =>
    inputs.map((input, i) => ({
      ...input,
      shape: input.shape.map((n, axis) => {
        const name = wanted[i].get(axis);
        return name === undefined ? n : sizeIn(name, k);
      }) as Shape,
    })),
  );
  return { traces, free };
}
