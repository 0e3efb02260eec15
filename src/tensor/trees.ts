// Arguments and results of functions of tensors: tensors, lists and plain objects of such, in any depth. A function of them is
// told the tensors as one list, and gets them back in the same form; what is no tensor (a number, an option) stays as it is.

import type { DType } from '../engine/ir/dtype.js';
import type { Shape } from '../engine/ir/shape.js';
import { type AnyTensor, Tensor } from './tensor.js';

/** A tensor, or a list or plain object of such: the parameters of a model by name, for example. */
export type Tree = AnyTensor | readonly Tree[] | { readonly [name: string]: Tree };

/** The same form with tensors of any shape. */
export type TreeLike<T> =
  T extends Tensor<Shape, infer D extends DType>
    ? Tensor<Shape, D>
    : T extends readonly unknown[] | object
      ? { [K in keyof T]: TreeLike<T[K]> }
      : T;

/** A tensor of a tree and where it is: '' for the tree itself, else 'encoder.0'. */
export interface Leaf {
  readonly path: string;
  readonly tensor: AnyTensor;
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || value instanceof Tensor) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The tensors of a tree, in its order. */
export function leavesOf(tree: unknown): Leaf[] {
  const found: Leaf[] = [];
  mapLeaves(tree, (tensor, path) => {
    found.push({ tensor, path });
    return tensor;
  });
  return found;
}

/** The tree with something else in the place of each tensor. */
export function mapLeaves(tree: unknown, change: (tensor: AnyTensor, path: string) => unknown, path = ''): unknown {
  if (tree instanceof Tensor) return change(tree as AnyTensor, path);
  if (!isContainer(tree)) return tree;
  const inside = (key: string): string => (path === '' ? key : `${path}.${key}`);
  if (Array.isArray(tree)) return tree.map((item, i) => mapLeaves(item, change, inside(String(i))));
  return Object.fromEntries(Object.entries(tree).map(([key, item]) => [key, mapLeaves(item, change, inside(key))]));
}

/** The tree with these in the place of its tensors, in their order. */
export function withLeaves(tree: unknown, leaves: readonly unknown[]): unknown {
  let next = 0;
  return mapLeaves(tree, () => leaves[next++]);
}

/** What belongs to each tensor of a tree: one value for all that is in a part, or a list or object of such in the same form. */
export function spread<V>(
  tree: unknown,
  given: unknown,
  isOne: (value: unknown) => value is V,
  wrong: (path: string) => Error,
): V[] {
  const found: V[] = [];
  const visit = (part: unknown, values: unknown, path: string): void => {
    if (isOne(values)) {
      for (const _ of leavesOf(part)) found.push(values);
      return;
    }
    const fits =
      isContainer(part) &&
      isContainer(values) &&
      Array.isArray(part) === Array.isArray(values) &&
      Object.keys(part).length === Object.keys(values).length &&
      Object.keys(part).every((key) => Object.hasOwn(values, key));
    if (!fits) throw wrong(path);
    for (const key of Object.keys(part))
      visit(part[key], (values as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`);
  };
  visit(tree, given, '');
  return found;
}
