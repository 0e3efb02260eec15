// Networks that give each node of a graph its class: the two-layer nets of the papers, of any depth.
//   GCN: Kipf and Welling 2017; GAT: Veličković et al. 2018. Keys: `convs.0.lin.weight`, `convs.0.bias`, …, as PyTorch Geometric's.

import { ELU, GATConv, GCNConv, Module, ReLU } from '../nn/index.js';
import { checkCount } from '../nn/layer.js';
import { checkProbability, dropout } from '../tensor/dropout.js';
import { checkNeededOptions, type OptionNames } from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';

export interface GraphModelOptions {
  /** Features of a node. */
  readonly inFeatures: number;
  readonly classes: number;
  /** Layers. Default 2. */
  readonly layers?: number;
}

export interface GCNOptions extends GraphModelOptions {
  /** Features between two layers. Default 16. */
  readonly hidden?: number;
  /** Probability of dropout before each layer. Default 0.5. */
  readonly dropout?: number;
}

const GCN_OPTIONS: OptionNames<GCNOptions> = {
  inFeatures: true,
  classes: true,
  layers: true,
  hidden: true,
  dropout: true,
};

/** One of the two layers, of any size. */
interface GraphLayer extends Module {
  forward(x: Tensor, edges: AnyTensor): Tensor;
}

/** Layers with a nonlinearity between them, and dropout before each. */
abstract class GraphModel extends Module {
  readonly convs: readonly GraphLayer[];
  readonly dropout: number;
  private readonly activation: ReLU | ELU;

  constructor(convs: readonly GraphLayer[], probability: number, activation: ReLU | ELU) {
    super();
    this.convs = convs;
    this.dropout = probability;
    this.activation = activation;
  }

  /** Nodes [N, inFeatures], edges [2, E] (int32, undirected ones both ways, none from a node to itself) → logits [N, classes]. */
  forward(x: Tensor, edges: AnyTensor): Tensor<[number, number]> {
    return this.pass(this.features(x, edges), this.convs.length - 1, edges);
  }

  /** What the last layer is given: [N, hidden], for GAT [N, heads · hidden]. */
  features(x: Tensor, edges: AnyTensor): Tensor {
    let y = x;
    for (let i = 0; i < this.convs.length - 1; i++) y = this.activation.forward(this.pass(y, i, edges));
    return y;
  }

  private pass(x: Tensor, i: number, edges: AnyTensor): Tensor {
    return this.convs[i].forward(this.training ? dropout(x, this.dropout) : x, edges);
  }
}

function checkSizes(name: string, sizes: Readonly<Record<string, number>>, probability: number): void {
  for (const [what, value] of Object.entries(sizes)) checkCount(value, 1, `${name}: ${what}`);
  checkProbability(probability, `${name}: dropout`);
}

/** Widths from layer to layer. */
function widths(from: number, between: number, to: number, layers: number): [number, number][] {
  return Array.from({ length: layers }, (_, i) => [i === 0 ? from : between, i === layers - 1 ? to : between]);
}

/**
 * `forward(x, edges)`: graph convolutions with ReLU between them.
 *
 *     new GCN({ inFeatures: 1433, classes: 7 })       // the paper's for Cora: 23,063 parameters
 */
export class GCN extends GraphModel {
  constructor(options: GCNOptions) {
    checkNeededOptions(new.target.name, options, GCN_OPTIONS, '{ inFeatures: 1433, classes: 7 }');
    const { inFeatures, classes, layers = 2, hidden = 16, dropout: p = 0.5 } = options;
    checkSizes('GCN', { inFeatures, classes, layers, hidden }, p);
    const convs = widths(inFeatures, hidden, classes, layers).map(([from, to]): GraphLayer => new GCNConv(from, to));
    super(convs, p, new ReLU());
  }
}

export interface GATOptions extends GraphModelOptions {
  /** Features of each head. Default 8. */
  readonly hidden?: number;
  /** Heads of every layer but the last. Default 8. */
  readonly heads?: number;
  /** Heads of the last layer, of which the mean is taken. Default 1. */
  readonly outHeads?: number;
  /** Probability of dropout before each layer and on the attention. Default 0.6. */
  readonly dropout?: number;
}

const GAT_OPTIONS: OptionNames<GATOptions> = {
  inFeatures: true,
  classes: true,
  layers: true,
  hidden: true,
  heads: true,
  outHeads: true,
  dropout: true,
};

/**
 * `forward(x, edges)`: graph attention with ELU between the layers; a head's results lie side by side, those of the last layer are averaged.
 *
 *     new GAT({ inFeatures: 1433, classes: 7 })       // the paper's for Cora: 92,373 parameters
 */
export class GAT extends GraphModel {
  constructor(options: GATOptions) {
    checkNeededOptions(new.target.name, options, GAT_OPTIONS, '{ inFeatures: 1433, classes: 7 }');
    const { inFeatures, classes, layers = 2, hidden = 8, heads = 8, outHeads = 1, dropout: p = 0.6 } = options;
    checkSizes('GAT', { inFeatures, classes, layers, hidden, heads, outHeads }, p);
    const sizes = widths(inFeatures, heads * hidden, classes, layers);
    const convs = sizes.map(([from], i): GraphLayer => {
      const isLast = i === layers - 1;
      const [to, count] = isLast ? [classes, outHeads] : [hidden, heads];
      return new GATConv<number, number, { concat: boolean; heads: number; dropout: number }>(from, to, {
        heads: count,
        concat: !isLast,
        dropout: p,
      });
    });
    super(convs, p, new ELU());
  }
}
