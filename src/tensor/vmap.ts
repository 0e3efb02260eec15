// vmap: a function of one sample, over a batch of them. The function is called once, on placeholders that have the shapes of a sample;
// its graph is then made again with the batch in front (engine/batch). So it may be anything that builds a graph: derivatives
// (vmap(grad(f)): gradients of each sample), other vmaps, calls of modules.
// Must not know: modules, what operators become.

import { type Chunk, Batch, type Randomness } from '../engine/batch/batch.js';
import { checkFunction, checkWhole, checkChoice } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { placeholder, trace } from '../engine/ir/placeholder.js';
import { formatShape, normalizeDim, shown } from '../engine/ir/shape.js';
import { Tensor, wrap } from './tensor.js';
import { type TreeLike, leavesOf, spread, withLeaves } from './trees.js';
import { GraphValue } from './values.js';

/** A dimension, or null for none: one for all tensors of a part, or a list or object in the form of the part. */
export type BatchDims = number | null | readonly BatchDims[] | { readonly [name: string]: BatchDims };

export interface VmapOptions {
  /**
   * The dimension of the inputs that counts samples; null for what is the same for all of them. One for all inputs, or a list with one for
   * each. Default 0.
   */
  readonly inDims?: BatchDims;
  /** Where the results have that dimension; null for a result that is the same for all samples. Default 0. */
  readonly outDims?: BatchDims;
  /** What random numbers drawn inside are from sample to sample: 'different' or 'same'. By default drawing any is an error. */
  readonly randomness?: Randomness;
  /** So many samples at once, for large intermediate results. By default all of them. */
  readonly chunkSize?: number;
}

const VMAP_OPTIONS: OptionNames<VmapOptions> = { inDims: true, outDims: true, randomness: true, chunkSize: true };

const isDim = (value: unknown): value is number | null => value === null || typeof value === 'number';

/**
 * The function over a batch of samples: `fn` is written for one sample, and called once. Inputs and results are tensors, lists or plain
 * objects of tensors. Works over `grad` (gradients of each sample), over other vmaps, and over modules (`functionalCall`). `fn`
 * reads no values, writes to no tensor what depends on a sample, and calls no `backward()`. PyTorch: torch.func.vmap.
 *
 *     const perSample = vmap(grad(lossOfOne), { inDims: [null, 0, 0] });
 *     const gradients = perSample(parameters, inputs, labels); // each [samples, …parameter's shape]
 */
export function vmap<A extends readonly Tensor[], R>(
  fn: (...inputs: A) => R,
  options?: VmapOptions,
): (...inputs: TreeLike<A>) => TreeLike<R>;
export function vmap<A extends readonly unknown[], R>(
  fn: (...inputs: A) => R,
  options?: VmapOptions,
): (...inputs: TreeLike<A>) => TreeLike<R>;
export function vmap(fn: (...inputs: never[]) => unknown, options: VmapOptions = {}): unknown {
  checkFunction('vmap', fn);
  checkOptions('vmap', options, VMAP_OPTIONS);
  const { inDims = 0, outDims = 0, randomness = 'error', chunkSize } = options;
  checkChoice('vmap', 'randomness', randomness, ['error', 'same', 'different']);
  if (chunkSize !== undefined) checkWhole('vmap', 'chunkSize', chunkSize, 1);
  return (...inputs: unknown[]) => {
    const { stands, nodes, size, given } = placeInputs(inputs, inDims);
    const result = trace(() => (fn as (...given: readonly unknown[]) => unknown)(...given));
    refusePromise(result);
    const leaves = leavesOf(result);
    if (leaves.length === 0)
      throw new ArgumentError(
        `vmap: the function returned ${result === undefined ? 'nothing' : shown(result)}. Return a tensor, or a list or object of tensors.`,
      );
    const roots = leaves.map(({ tensor }) => tensor.node);
    const dims = spread(result, outDims, isDim, (path) => wrongDims('outDims', 'the result', path));
    const parts = chunksOf(size, chunkSize).map((chunk) => {
      const batch = new Batch(chunk, randomness, stands[0].id);
      stands.forEach((stand, i) => batch.put(stand, build.sliceAxis(nodes[i], 0, chunk.from, chunk.to)));
      return batch.over(roots);
    });
    const results = roots.map((root, i) =>
      placeResult(
        root,
        parts.map((part) => part[i]),
        size,
        dims[i],
        leaves[i].path,
      ),
    );
    return withLeaves(result, results.map(wrap));
  };
}

/** The inputs with placeholders in the place of what is batched, and what these stand for, with the batch in front. */
function placeInputs(
  inputs: readonly unknown[],
  inDims: BatchDims,
): { stands: Node[]; nodes: Node[]; size: number; given: readonly unknown[] } {
  if (Array.isArray(inDims) && inDims.length !== inputs.length)
    throw new ArgumentError(
      `vmap: inDims has ${inDims.length} entries for ${inputs.length} inputs. Give one for each, or one number for all.`,
    );
  const leaves = leavesOf(inputs);
  const dims = spread(inputs, inDims, isDim, (path) => wrongDims('inDims', 'input', path));
  const stands: Node[] = [];
  const nodes: Node[] = [];
  const sizes = new Map<number, string>();
  const replaced = leaves.map(({ tensor, path }, i) => {
    const dim = dims[i];
    if (dim === null) return tensor;
    const { node } = tensor;
    if (node.shape.length === 0)
      throw new ShapeError(
        `vmap: input ${path} is one number and has no dimension of samples. Give null for it in inDims.`,
        [node.shape],
      );
    const axis = normalizeDim(dim, node.shape.length, `vmap: input ${path}`);
    const shape = node.shape.filter((_, k) => k !== axis);
    sizes.set(node.shape[axis], `input ${path} ${formatShape(node.shape)} in dimension ${axis}`);
    const stand = placeholder(tensor.device, node.dtype, shape, node.requiresGrad);
    stands.push(stand);
    nodes.push(toFront(node, axis));
    return new Tensor(new GraphValue(stand));
  });
  if (sizes.size === 0)
    throw new ArgumentError('vmap: no input has a dimension of samples. Give a tensor, and its dimension in inDims.');
  if (sizes.size > 1) {
    const all = [...sizes].map(([n, where]) => `${n} (${where})`).join(', ');
    throw new ShapeError(`vmap: the inputs have different numbers of samples: ${all}.`, []);
  }
  const [size] = sizes.keys();
  return { stands, nodes, size, given: withLeaves(inputs, replaced) as readonly unknown[] };
}

function wrongDims(option: string, what: string, path: string): ArgumentError {
  return new ArgumentError(
    `vmap: ${option} does not have the form of ${what}${path === '' ? 's' : ` ${path}`}. Give a whole number, null, or a list or object in the same form.`,
  );
}

function toFront(node: Node, axis: number): Node {
  const rest = [...node.shape.keys()].filter((i) => i !== axis);
  return build.permute(node, [axis, ...rest]);
}

function refusePromise(result: unknown): void {
  if (typeof result !== 'object' || result === null || !('then' in result)) return;
  Promise.resolve(result as PromiseLike<unknown>).catch(() => {}); // the error is this one
  throw new ArgumentError(
    'vmap: the function is asynchronous. It is called once for all samples, and can wait for nothing and read no values.',
  );
}

function chunksOf(size: number, chunkSize = Math.max(size, 1)): Chunk[] {
  const chunks: Chunk[] = [];
  for (let from = 0; from < size || from === 0; from += chunkSize)
    chunks.push({ from, to: Math.min(from + chunkSize, size), of: size });
  return chunks;
}

/** The chunks of one result as one, with the batch where it is wanted. */
function placeResult(
  root: Node,
  parts: readonly (Node | undefined)[],
  size: number,
  dim: number | null,
  path: string,
): Node {
  const depends = parts.every((part) => part !== undefined);
  if (dim === null) {
    if (!depends) return root;
    throw new ArgumentError(
      `vmap: result${path === '' ? '' : ` ${path}`} depends on the sample, but outDims has null for it. Give a dimension.`,
    );
  }
  const rank = root.shape.length + 1;
  const axis = normalizeDim(dim, rank, 'vmap: outDims');
  const all = depends ? build.concat(parts as readonly Node[], 0) : build.expand(root, [size, ...root.shape]);
  const order = [...all.shape.keys()].slice(1);
  order.splice(axis, 0, 0);
  return build.permute(all, order);
}

/** The nodes of a graph on one placeholder, over a batch of what that stands for; those that do not depend on it are repeated. */
export function overBatch(stand: Node, batched: Node, roots: readonly Node[], chunkSize?: number): Node[] {
  const [size] = batched.shape;
  const parts = chunksOf(size, chunkSize).map((chunk) => {
    const batch = new Batch(chunk, 'same', stand.id);
    batch.put(stand, build.sliceAxis(batched, 0, chunk.from, chunk.to));
    return batch.over(roots);
  });
  return roots.map((root, i) =>
    placeResult(
      root,
      parts.map((part) => part[i]),
      size,
      0,
      '',
    ),
  );
}
