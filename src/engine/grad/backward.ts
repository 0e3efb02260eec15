// Reverse-mode differentiation, graph → graph: outputs and the gradients they start from (seeds) → gradient nodes.
// One walk from users to operands over plain arrays; what each operator contributes stands in rules.ts.
// It walks through realised nodes, stops at `detach`, and visits only nodes that lead to what is asked for.
// It knows nothing of tensors, devices or numbers.

import { isFloat } from '../ir/dtype.js';
import { add, constantValue, filled, numberLike, sumTo } from '../ir/build.js';
import { GradError } from '../ir/errors.js';
import { type Node, isOp, markGradients, topologicalOrder } from '../ir/node.js';
import type { Op } from '../ir/op.js';
import { formatShape, sameShape } from '../ir/shape.js';
import { throughHooks } from './hooks.js';
import { RULES, type Rule } from './rules.js';

export interface Derivatives {
  /** Every node under the outputs, operands first. */
  readonly order: readonly Node[];
  /** gradients[i] belongs to order[i]; undefined where none arrived or none was needed. */
  readonly gradients: readonly (Node | undefined)[];
}

const NO_RULES: readonly null[] = [];

/**
 * The gradient of Σ seeds · outputs to every node on the way to `wrt`, by default to the leaves that require one.
 * The whole walk, for displays that show each node's gradient; `gradient` and `leafGradients` pick from it.
 */
export function differentiate(outputs: readonly Node[], seeds: readonly Node[], wrt?: readonly Node[]): Derivatives {
  return markGradients(() => differentiateMarked(outputs, seeds, wrt));
}

function differentiateMarked(outputs: readonly Node[], seeds: readonly Node[], wrt?: readonly Node[]): Derivatives {
  const order = topologicalOrder(outputs, true);
  const operands = operandSlots(order);
  const reaches = nodesReaching(order, operands, wrt);
  const gradients = new Array<Node | undefined>(order.length).fill(undefined);
  for (let i = 0; i < outputs.length; i++) {
    const seed = numberLike(seeds[i], outputs[i].dtype);
    checkSeed(outputs[i], seed);
    accumulate(gradients, outputs[i].slot, seed);
  }
  let end = operands.length;
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    const { src } = node;
    end -= src.length;
    const arrived = gradients[i];
    if (arrived === undefined || reaches[i] === 0) continue;
    const g = throughHooks(node, arrived);
    gradients[i] = g;
    if (src.length === 0) continue;
    const rule = ((RULES as Record<string, unknown>)[node.op] ?? NO_RULES) as Rule<Op>;
    // A gradient that is 0 by structure (below floor, sign, …) stays 0: nothing is computed from it.
    const vanishes = constantValue(g) === 0 && !(isOp(node, 'custom') && node.arg.hasEffect === true);
    const all =
      typeof rule === 'function' && !vanishes && anyReaches(reaches, operands, end, src.length)
        ? rule(g, src, node)
        : NO_RULES;
    for (let j = 0; j < src.length; j++) {
      const slot = operands[end + j];
      if (reaches[slot] === 0) continue;
      const slope = typeof rule === 'function' ? all[j] : rule[j];
      if (vanishes) accumulate(gradients, slot, filled(0, src[j].shape, src[j].dtype));
      else if (typeof slope === 'function') accumulate(gradients, slot, sumTo(slope(g, src, node), src[j].shape));
      else if (slope) accumulate(gradients, slot, sumTo(slope, src[j].shape));
    }
  }
  return { order, gradients };
}

/** The gradient of Σ seeds · outputs to each node of `wrt`; undefined for one that no output depends on. */
export function gradient(outputs: readonly Node[], seeds: readonly Node[], wrt: readonly Node[]): (Node | undefined)[] {
  const { order, gradients } = differentiate(outputs, seeds, wrt);
  const found = new Map<Node, Node | undefined>();
  for (const node of wrt) found.set(node, undefined);
  for (let i = 0; i < order.length; i++)
    if (gradients[i] !== undefined && found.has(order[i])) found.set(order[i], gradients[i]);
  return wrt.map((node) => found.get(node));
}

/** What `backward()` needs: each leaf that requires a gradient and is reached, and other nodes that are `wanted`, with their gradients. */
export function leafGradients(
  output: Node,
  seed: Node,
  isWanted: (node: Node) => boolean = () => false,
): [Node, Node][] {
  const { order, gradients } = differentiate([output], [seed]);
  const pairs: [Node, Node][] = [];
  for (let i = 0; i < order.length; i++) {
    const g = gradients[i];
    if (g !== undefined && order[i].requiresGrad && (order[i].op === 'leaf' || isWanted(order[i])))
      pairs.push([order[i], g]);
  }
  return pairs;
}

/** The operands of all nodes as slots, one after the other. A copy, as a custom backward may start walks of its own. */
function operandSlots(order: readonly Node[]): Int32Array {
  let count = 0;
  for (let i = 0; i < order.length; i++) count += order[i].src.length;
  const slots = new Int32Array(count);
  let at = 0;
  for (let i = 0; i < order.length; i++) {
    const { src } = order[i];
    for (let j = 0; j < src.length; j++) slots[at++] = src[j].slot;
  }
  return slots;
}

/** 1 for each node through which a gradient flows to `wrt`. */
function nodesReaching(order: readonly Node[], operands: Int32Array, wrt: readonly Node[] | undefined): Uint8Array {
  const reaches = new Uint8Array(order.length);
  if (wrt === undefined) {
    for (let i = 0; i < order.length; i++) if (order[i].requiresGrad) reaches[i] = 1;
    return reaches;
  }
  for (const node of wrt) if (order[node.slot] === node && isFloat(node.dtype)) reaches[node.slot] = 1;
  let at = 0;
  for (let i = 0; i < order.length; i++) {
    const { op, dtype, src } = order[i];
    if (isFloat(dtype) && op !== 'detach' && anyReaches(reaches, operands, at, src.length)) reaches[i] = 1;
    at += src.length;
  }
  return reaches;
}

function anyReaches(reaches: Uint8Array, operands: Int32Array, start: number, count: number): boolean {
  for (let j = start; j < start + count; j++) if (reaches[operands[j]] === 1) return true;
  return false;
}

function accumulate(gradients: (Node | undefined)[], slot: number, g: Node): void {
  const sofar = gradients[slot];
  gradients[slot] = sofar === undefined ? g : add(sofar, g);
}

function checkSeed(output: Node, seed: Node): void {
  if (!sameShape(output.shape, seed.shape) || seed.dtype !== output.dtype || !isFloat(output.dtype)) {
    throw new GradError(
      `backward: the output is ${output.dtype} ${formatShape(output.shape)}, its gradient ${seed.dtype} ${formatShape(seed.shape)}. Both are of one shape, and float32 or float64.`,
    );
  }
}
