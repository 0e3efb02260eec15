// Neural networks on graphs: nodes [N, F], edges [2, E] (int32; row 0 the nodes they come from, row 1 those they go to).
//   Messages travel along edges and are aggregated at each node by a function that does not depend on their order.
// Must not know: how a graph was made; edges are plain indices, checked when they are used (IndexError).

import { arange, ones, zeros } from '../tensor/creation.js';
import { checkProbability, dropout } from '../tensor/dropout.js';
import { cat, where } from '../tensor/functions.js';
import {
  ArgumentError,
  checkOptions,
  DTypeError,
  formatShape,
  nameIndices,
  type OptionNames,
  type Shape,
  ShapeError,
} from '../tensor/library.js';
import type { Add, Multiply } from '../tensor/shape-types/arithmetic.js';
import type { Exact, OptionOf } from '../tensor/shape-types/options.js';
import type { Guard } from '../tensor/shape-types/shape.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { leakyRelu } from './functional.js';
import * as init from './init.js';
import { checkSteps, stepOf } from './containers.js';
import { checkCount, checkLast } from './layer.js';
import { Linear } from './linear.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';
import type { Apply, ApplyArg, ShapeFnOf } from './shape-types/shape-fn.js';
import type { LastArg, ReplaceLast } from './shape-types/last-dimension.js';

/** How the messages at a node become one. */
export type Aggregation = 'sum' | 'mean' | 'max';
type Index = Tensor<Shape, 'int32'>;

/** [E] as [E, F], to go with messages. */
function alongFeatures(index: Index, features: number): Index {
  return index.reshape([index.size, 1]).expand([index.size, features]) as Index;
}

/** How many of `target` [E] point to each of `count` nodes: [count]. */
function degrees(target: Index, count: number, dtype: Tensor['dtype'] = 'float32'): Tensor {
  return zeros([count], { dtype }).scatterAdd(0, target, ones([target.size], { dtype }));
}

function checkMessages(name: string, messages: Tensor, target: Index, count: number): void {
  checkTensor(messages, name, 'the messages');
  checkTensor(target, name, 'the target');
  checkCount(count, 1, `${name}: count`);
  if (target.dtype !== 'int32')
    throw new DTypeError(`${name}: target is ${String(target.dtype)}. Convert with to('int32').`, [target.dtype]);
  if (messages.rank === 2 && target.rank === 1 && messages.shape[0] === target.shape[0]) return;
  throw new ShapeError(
    `${name}: messages ${formatShape(messages.shape)}, target ${formatShape(target.shape)}: needs [E, F] and [E]`,
    [messages.shape, target.shape],
  );
}

/**
 * messages [E, F], target [E] (int32) → [count, F]: row n is the sum, the mean or the largest of the messages whose target is n,
 * and 0 where there are none. The order of the messages does not matter; the gradient of a maximum goes to one of those
 * that reach it. PyTorch Geometric: scatter.
 */
export function aggregate(messages: Tensor, target: Index, count: number, kind: Aggregation = 'sum'): Tensor {
  checkTensor(messages, 'aggregate', 'the messages');
  checkMessages('aggregate', messages, target, count);
  const features = messages.shape[1];
  if (!['sum', 'mean', 'max'].includes(kind))
    throw new ArgumentError(`aggregate: '${String(kind)}' is not known. Use 'sum', 'mean' or 'max'.`);
  return nameIndices('aggregate: target', () => {
    if (kind === 'max') return largest(messages, target, count);
    const sums = zeros([count, features]).scatterAdd(0, alongFeatures(target, features), messages);
    if (kind === 'sum') return sums;
    return sums.div(degrees(target, count, messages.dtype).maximum(1).unsqueeze(1));
  });
}

/** Sorted by target and, within one, by size, the last message of each target is the largest. */
function largest(messages: Tensor, target: Index, count: number): Tensor {
  const [edges, features] = messages.shape;
  if (edges === 0) return zeros([count, features]);
  const bySize = messages.detach().argsort(0) as Index;
  const byTarget = alongFeatures(target, features).gather(0, bySize).argsort(0) as Index; // stable
  const order = bySize.gather(0, byTarget) as Index;
  const counts = degrees(target, count);
  const last = counts.cumsum(0).sub(1).maximum(0).to('int32') as Index;
  const found = messages.gather(0, order.gather(0, alongFeatures(last, features)));
  return where(counts.gt(0).unsqueeze(1), found, 0);
}

/** scores [E, H] → weights [E, H] that sum to 1 over the edges with one target. */
export function edgeSoftmax(scores: Tensor, target: Index, count: number): Tensor {
  checkTensor(scores, 'edgeSoftmax', 'the scores');
  checkMessages('edgeSoftmax', scores, target, count);
  return nameIndices('edgeSoftmax: target', () => {
    const at = alongFeatures(target, scores.shape[1]);
    const most = largest(scores.detach(), target, count).gather(0, at);
    const powers = scores.sub(most).exp();
    return powers.div(aggregate(powers, target, count).gather(0, at));
  });
}

/** Source and target of each edge, each [E], with an edge of each node to itself behind them if asked for. */
function endsOf(name: string, nodes: Tensor, edges: AnyTensor, loops: boolean): [source: Index, target: Index] {
  if (edges.dtype !== 'int32')
    throw new DTypeError(`${name}: edges are ${edges.dtype}. Convert with to('int32').`, [edges.dtype]);
  if (edges.rank !== 2 || edges.shape[0] !== 2)
    throw new ShapeError(`${name}: edges ${formatShape(edges.shape)}: needs [2, E]`, [edges.shape]);
  if (nodes.rank !== 2) throw new ShapeError(`${name}: nodes ${formatShape(nodes.shape)}: needs [N, F]`, [nodes.shape]);
  const own = arange(nodes.shape[0]) as Index;
  return [0, 1].map((row) => {
    const end = edges.index(row) as Index;
    return (loops ? cat([end, own]) : end) as Index;
  }) as [Index, Index];
}

function rowsOf(x: Tensor, index: Index): Tensor {
  return x.indexSelect(0, index);
}

// ---------------------------------------------------------------- the general step

export interface MessagePassingOptions {
  /** 'attention': the mean, weighted by the softmax of `score` over the edges of a node. Default 'sum'. */
  readonly aggregation?: Aggregation | 'attention';
  /** For 'attention': from a message to one number, such as `new Linear(messageSize, 1)`. */
  readonly score?: Module;
}

const MESSAGE_PASSING_OPTIONS: OptionNames<MessagePassingOptions> = { aggregation: true, score: true };

/** What an edge network sees, [E, 2·F + G], for nodes [N, F] and features [E, G]. */
type Seen<N extends Shape, G extends Shape> = N extends readonly [number, infer F extends number]
  ? G extends readonly [infer E extends number, infer Extra extends number]
    ? [E, Add<Add<F, F>, Extra>]
    : number[]
  : number[];

type Messages<Edge, N extends Shape, G extends Shape> = Apply<ShapeFnOf<Edge>, Seen<N, G>>;

/** What a node network sees: [N, F + M] for messages [E, M]. */
type Known<N extends Shape, M extends Shape> = N extends readonly [infer Count extends number, infer F extends number]
  ? M extends readonly [number, infer Size extends number]
    ? [Count, Add<F, Size>]
    : number[]
  : number[];

/** Guard of the nodes: both networks take what they would see. */
type StepArg<Edge, Node, N extends Shape, G extends Shape> = Guard<
  unknown extends ApplyArg<ShapeFnOf<Edge>, Seen<N, G>>
    ? ApplyArg<ShapeFnOf<Node>, Known<N, Messages<Edge, N, G>>>
    : ApplyArg<ShapeFnOf<Edge>, Seen<N, G>>
>;

/**
 * One step of message passing (Gilmer et al. 2017): every edge is updated by a network that sees it and its two nodes, then every node
 * by a network that sees it and the aggregate of the edges that end in it.
 *
 *     edge' = edge network of [source | edge | target],  node' = node network of [node | Φ(edges' into it)]
 *
 * `forward(nodes, edges, edgeFeatures?)` → `[nodes, edgeFeatures]`; nodes [N, F], edges [2, E], edgeFeatures [E, G].
 *
 *     new MessagePassing(new Linear(2 * 16 + 4, 8), new Linear(16 + 8, 16), { aggregation: 'max' })
 */
export class MessagePassing<Edge extends Module = Module, Node extends Module = Module> extends Module {
  readonly edge: Edge;
  readonly node: Node;
  readonly score: Module | undefined;
  readonly aggregation: Aggregation | 'attention';

  constructor(edge: Edge, node: Node, options: MessagePassingOptions = {}) {
    checkOptions(new.target.name, options, MESSAGE_PASSING_OPTIONS);
    const { aggregation = 'sum', score } = options;
    super();
    checkSteps('MessagePassing', [edge, node, ...(score === undefined ? [] : [score])]);
    if (!['sum', 'mean', 'max', 'attention'].includes(aggregation)) {
      throw new ArgumentError(
        `MessagePassing: aggregation '${String(aggregation)}' is not known. Use 'sum', 'mean', 'max' or 'attention'.`,
      );
    }
    if ((aggregation === 'attention') !== (score !== undefined)) {
      throw new ArgumentError(
        `MessagePassing: aggregation '${aggregation}' ${score === undefined ? 'needs' : 'has no use for'} a score module.`,
      );
    }
    this.edge = edge;
    this.node = node;
    this.score = score;
    this.aggregation = aggregation;
  }

  forward<N extends Shape, G extends Shape = readonly [number, 0]>(
    nodes: Tensor<N> & StepArg<Edge, Node, N, G>,
    edges: AnyTensor,
    edgeFeatures?: Tensor<G>,
  ): [
    nodes: Tensor<Apply<ShapeFnOf<Node>, Known<N, Messages<Edge, N, G>>>>,
    edgeFeatures: Tensor<Messages<Edge, N, G>>,
  ] {
    checkTensor(nodes, this.constructor.name, 'the nodes');
    checkTensor(edges, this.constructor.name, 'the edges');
    if (edgeFeatures !== undefined) checkTensor(edgeFeatures, this.constructor.name, 'the edge features');
    return this.pass(nodes, edges, edgeFeatures);
  }

  private pass(nodes: Tensor, edges: AnyTensor, edgeFeatures: Tensor | undefined): [nodes: Tensor, edges: Tensor] {
    const [source, target] = endsOf('MessagePassing', nodes, edges, false);
    if (edgeFeatures !== undefined && (edgeFeatures.rank !== 2 || edgeFeatures.shape[0] !== source.size)) {
      throw new ShapeError(
        `MessagePassing: edge features ${formatShape(edgeFeatures.shape)} for ${source.size} edges: needs [E, G]`,
        [edgeFeatures.shape],
      );
    }
    const [sources, targets] = nameIndices('MessagePassing: node', () => [
      rowsOf(nodes, source),
      rowsOf(nodes, target),
    ]);
    const seen = [sources, ...(edgeFeatures === undefined ? [] : [edgeFeatures]), targets];
    const messages = stepOf(this.edge).forward(cat(seen, 1)) as Tensor;
    const gathered = this.gather(messages, target, nodes.shape[0]);
    return [stepOf(this.node).forward(cat([nodes, gathered], 1)) as Tensor, messages];
  }

  private gather(messages: Tensor, target: Index, count: number): Tensor {
    const { aggregation: kind, score } = this;
    const scores = score && (stepOf(score).forward(messages) as Tensor);
    return nameIndices('MessagePassing: node', () => {
      if (kind !== 'attention') return aggregate(messages, target, count, kind);
      return aggregate(messages.mul(edgeSoftmax(scores as Tensor, target, count)), target, count);
    });
  }

  protected override describe(): string {
    return `'${this.aggregation}'`;
  }
}

// ---------------------------------------------------------------- two well-known layers

export interface GCNConvOptions {
  /** Default true. */
  readonly bias?: boolean;
  /** Add an edge from each node to itself; the given edges should have none then. Default true. */
  readonly addSelfLoops?: boolean;
}

const GCN_CONV_OPTIONS: OptionNames<GCNConvOptions> = { bias: true, addSelfLoops: true };

/**
 * Graph convolution (Kipf and Welling 2017): `forward(x, edges)`, x [N, inFeatures] → [N, outFeatures], each node the sum over its
 * neighbours and itself of W·x / √(degree of one · degree of the other), plus bias. lin.weight starts Xavier uniform, bias at 0.
 * PyTorch Geometric: GCNConv.
 */
export class GCNConv<const In extends number, const Out extends number> extends Module {
  readonly bias: Parameter<[Out]> | undefined;
  readonly lin: Linear<In, Out>;
  readonly addSelfLoops: boolean;

  constructor(inFeatures: In, outFeatures: Out, options: GCNConvOptions = {}) {
    checkOptions(new.target.name, options, GCN_CONV_OPTIONS);
    const { bias = true, addSelfLoops = true } = options;
    super();
    checkCount(inFeatures, 1, 'GCNConv: inFeatures');
    checkCount(outFeatures, 1, 'GCNConv: outFeatures');
    this.bias = bias ? new Parameter<[Out]>(init.constant([outFeatures], 0)) : undefined;
    this.lin = new Linear(inFeatures, outFeatures, { bias: false });
    this.lin.weight.assign_(init.xavierUniform([outFeatures, inFeatures]));
    this.addSelfLoops = addSelfLoops;
  }

  forward<S extends Shape>(
    x: Tensor<S> & LastArg<'GCNConv', S, In, 'inFeatures'>,
    edges: AnyTensor,
  ): Tensor<ReplaceLast<S, Out>> {
    checkTensor(x, this.constructor.name, 'the input');
    checkTensor(edges, this.constructor.name, 'the edges');
    const nodes: Tensor = x;
    const [source, target] = endsOf('GCNConv', nodes, edges, this.addSelfLoops);
    checkLast('GCNConv', x.shape, this.lin.weight.shape[1], 'inFeatures');
    const [count] = x.shape;
    const out = nameIndices('GCNConv: node', () => {
      const degree = degrees(target, count, x.dtype);
      const share = where(degree.gt(0), degree.maximum(1).rsqrt() as Tensor, 0) as Tensor;
      const weights = rowsOf(share, source).mul(rowsOf(share, target)).unsqueeze(1) as Tensor;
      const mapped = stepOf(this.lin).forward(nodes) as Tensor;
      return aggregate(rowsOf(mapped, source).mul(weights) as Tensor, target, count);
    });
    return (this.bias === undefined ? out : out.add(this.bias)) as Tensor<ReplaceLast<S, Out>>;
  }

  protected override describe(): string {
    const [outFeatures, inFeatures] = this.lin.weight.shape;
    return `${inFeatures}, ${outFeatures}`;
  }
}

export interface GATConvOptions extends GCNConvOptions {
  /** Default 1. */
  readonly heads?: number;
  /** Put the heads' results side by side, [N, heads · outFeatures]; otherwise take their mean. Default true. */
  readonly concat?: boolean;
  /** Slope of the leaky ReLU on the scores. Default 0.2. */
  readonly negativeSlope?: number;
  /** Probability of dropout on the attention weights, in training. Default 0. */
  readonly dropout?: number;
}

const GAT_CONV_OPTIONS: OptionNames<GATConvOptions> = {
  heads: true,
  concat: true,
  negativeSlope: true,
  dropout: true,
  bias: true,
  addSelfLoops: true,
};

type HeadsOut<Out extends number, O> =
  OptionOf<O, 'concat', true, boolean> extends true ? Multiply<Out, OptionOf<O, 'heads', 1, number>> : Out;

/**
 * Graph attention (Veličković et al. 2018): `forward(x, edges)`, x [N, inFeatures] → [N, heads · outFeatures]: each node the mean of W·x over its
 * neighbours and itself, weighted by the softmax of leakyReLU(a_src · W·x_source + a_dst · W·x_target). lin.weight and att_src,
 * att_dst [1, heads, outFeatures] start Xavier uniform, bias at 0. PyTorch Geometric: GATConv.
 */
export class GATConv<
  const In extends number,
  const Out extends number,
  const O extends GATConvOptions = {},
> extends Module {
  readonly attSrc: Parameter;
  readonly attDst: Parameter;
  readonly bias: Parameter | undefined;
  readonly lin: Linear<In, number>;
  readonly outFeatures: Out;
  readonly options: GATConvOptions;

  constructor(inFeatures: In, outFeatures: Out, options?: O & Exact<O, GATConvOptions>) {
    checkOptions(new.target.name, options, GAT_CONV_OPTIONS);
    super();
    const {
      heads = 1,
      concat = true,
      bias = true,
      dropout: p = 0,
      negativeSlope = 0.2,
    }: GATConvOptions = options ?? {};
    checkCount(inFeatures, 1, 'GATConv: inFeatures');
    checkCount(outFeatures, 1, 'GATConv: outFeatures');
    checkCount(heads, 1, 'GATConv: heads');
    checkProbability(p, 'GATConv: dropout');
    if (!Number.isFinite(negativeSlope)) throw new ArgumentError(`GATConv: negativeSlope is ${negativeSlope}.`);
    const bound = Math.sqrt(6 / (heads + outFeatures)); // Xavier, as PyTorch Geometric counts: the last two dimensions
    this.attSrc = new Parameter(init.uniform([1, heads, outFeatures] as Shape, -bound, bound));
    this.attDst = new Parameter(init.uniform([1, heads, outFeatures] as Shape, -bound, bound));
    this.bias = bias
      ? new Parameter(init.constant([concat ? heads * outFeatures : outFeatures] as Shape, 0))
      : undefined;
    this.lin = new Linear(inFeatures, heads * outFeatures, { bias: false });
    this.lin.weight.assign_(init.xavierUniform([heads * outFeatures, inFeatures]));
    this.outFeatures = outFeatures;
    this.options = options ?? {};
  }

  forward<S extends Shape>(
    x: Tensor<S> & LastArg<'GATConv', S, In, 'inFeatures'>,
    edges: AnyTensor,
  ): Tensor<ReplaceLast<S, HeadsOut<Out, O>>> {
    checkTensor(x, this.constructor.name, 'the input');
    checkTensor(edges, this.constructor.name, 'the edges');
    const { heads = 1, concat = true, dropout: p = 0, negativeSlope = 0.2, addSelfLoops = true } = this.options;
    const nodes: Tensor = x;
    const [source, target] = endsOf('GATConv', nodes, edges, addSelfLoops);
    checkLast('GATConv', x.shape, this.lin.weight.shape[1], 'inFeatures');
    const [count] = x.shape;
    const mapped = stepOf(this.lin).forward(nodes) as Tensor;
    const split = mapped.reshape([count, heads, this.outFeatures] as Shape) as Tensor;
    const part = (a: Parameter): Tensor => split.mul(a as Tensor).sum(-1) as Tensor; // [N, heads]
    let out = nameIndices('GATConv: node', () => {
      const scores = rowsOf(part(this.attSrc), source).add(rowsOf(part(this.attDst), target)) as Tensor;
      let weights = edgeSoftmax(leakyRelu(scores, negativeSlope), target, count);
      if (this.training) weights = dropout(weights, p);
      const messages = rowsOf(split, source).mul(weights.unsqueeze(-1) as Tensor) as Tensor;
      const flat = messages.reshape([source.size, heads * this.outFeatures] as Shape) as Tensor;
      return aggregate(flat, target, count);
    });
    if (!concat) out = out.reshape([count, heads, this.outFeatures] as Shape).mean(1) as Tensor;
    return (this.bias === undefined ? out : out.add(this.bias as Tensor)) as never; // the width is a condition on the options, open here
  }

  protected override describe(): string {
    return `${this.lin.weight.shape[1]}, ${this.outFeatures}${this.options.heads === undefined ? '' : `, { heads: ${this.options.heads} }`}`;
  }
}
