// A function over a batch, graph → graph: the graph that a function builds for one sample (on placeholders) is made again with a batch
// axis in front, once for all samples. What does not depend on a sample stays as it is, and is computed once.
//   One walk from operands to users; what an operator becomes stands in rules.ts. Random numbers that the function has drawn, and the
//   derivatives of custom operators, are known here alone.
// It knows nothing of tensors, devices or numbers.

import { custom, expand, filled, mul, random, reshape, sliceAxis, sum } from '../ir/build.js';
import { ArgumentError } from '../ir/errors.js';
import { type Node, isOp, markGradients, topologicalOrder } from '../ir/node.js';
import type { Op } from '../ir/op.js';
import { placeholder, trace } from '../ir/placeholder.js';
import { BATCH_RULES, type BatchRule, type Operand, overBatch } from './rules.js';

/** What random numbers that are drawn inside are from sample to sample; 'error' refuses them, as nobody has said. */
export type Randomness = 'error' | 'same' | 'different';

/** The samples [from, to) of `of`, which one graph computes together. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly of: number;
}

export class Batch {
  private readonly chunk: Chunk;
  private readonly randomness: Randomness;
  /** Random nodes from this number on were drawn by the function. */
  private readonly firstNode: number;
  /** For each node of the function's graph the one over the batch; null for one that is the same for all samples. */
  private readonly known = new Map<Node, Node | null>();

  constructor(chunk: Chunk, randomness: Randomness, firstNode: number) {
    this.chunk = chunk;
    this.randomness = randomness;
    this.firstNode = firstNode;
  }

  get size(): number {
    return this.chunk.to - this.chunk.from;
  }

  /** `stand` is a placeholder; `node` has the batch in front. */
  put(stand: Node, node: Node): void {
    this.known.set(stand, node);
  }

  /** The nodes over the batch; undefined for one that does not depend on the sample. */
  over(roots: readonly Node[]): (Node | undefined)[] {
    const { known } = this;
    for (const node of topologicalOrder(roots)) {
      if (known.has(node)) continue;
      known.set(node, node.isGradient ? markGradients(() => this.batched(node)) : this.batched(node));
    }
    return roots.map((root) => known.get(root) ?? undefined);
  }

  private batched(node: Node): Node | null {
    if (node.storage !== undefined) return null;
    if (isOp(node, 'random')) return this.draws(node);
    if (node.src.length === 0 || node.src.every((s) => this.known.get(s) === null)) return null;
    const operands = node.src.map((s): Operand => {
      const found = this.known.get(s);
      return found ? { node: found, isBatched: true } : { node: s, isBatched: false };
    });
    if (isOp(node, 'custom')) return this.custom(node, operands);
    const rule = (BATCH_RULES as Record<string, unknown>)[node.op] as BatchRule<Op>;
    return rule(operands, node, this.size);
  }

  /** Random numbers that were drawn outside are the same for all samples. */
  private draws(node: Node<'random'>): Node | null {
    if (node.id < this.firstNode || this.randomness === 'same') return null;
    if (this.randomness === 'error')
      throw new ArgumentError(
        "vmap: the function draws random numbers. Say what they are for each sample: randomness: 'different' or 'same'.",
      );
    const { from, to, of } = this.chunk;
    const [seed, offset] = node.src;
    return sliceAxis(random(seed, offset, [of, ...node.shape]), 0, from, to);
  }

  private custom(node: Node<'custom'>, [value, ...inputs]: readonly Operand[]): Node {
    const { name, backward } = node.arg;
    const { size } = this;
    return custom(
      overBatch(value, size),
      inputs.map((input) => input.node),
      { name, backward: (gradient) => this.pullBack(node, backward, gradient as Node, inputs) },
    );
  }

  /** The derivative of a custom operator over the batch: that of one sample, traced when it is asked for. */
  private pullBack(
    node: Node<'custom'>,
    backward: (gradient: unknown) => readonly unknown[],
    gradient: Node,
    inputs: readonly Operand[],
  ): (Node | null)[] {
    const stand = placeholder(
      node.device ?? gradient.device ?? 'cpu',
      gradient.dtype,
      node.shape,
      gradient.requiresGrad,
    );
    this.put(stand, gradient);
    const each = trace(() => backward(stand)) as readonly (Node | null | undefined)[];
    const found = each.flatMap((g) => (g ? [g] : []));
    const all = this.over(found);
    let next = 0;
    return each.map((g, i) => {
      if (!g) return null;
      const whole = all[next++];
      const { isBatched } = inputs[i] ?? { isBatched: false };
      if (isBatched) return whole ?? expand(g, [this.size, ...g.shape]);
      // All samples have one input: their gradients add up.
      if (whole === undefined) return mul(g, filled(this.size, [], g.dtype));
      return reshape(sum(whole, [0]), g.shape);
    });
  }
}
