// A network that says something about each edge of a graph: nodes and edges tell each other what they know, several times over, with the same
// weights each time (Gilmer et al. 2017; Brasó and Leal-Taixé 2020, who follow objects with it). What comes along edges to a node and what comes
// against them is kept apart: where edges go forward in time, the past and the future.

import { Linear, Module, ReLU, aggregate } from '../nn/index.js';
import { checkCount } from '../nn/layer.js';
import { cat } from '../tensor/functions.js';
import { DTypeError, type OptionNames, ShapeError, checkNeededOptions, formatShape } from '../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { type Block, inOrder, layerNorm, linear } from './vision/blocks.js';

export interface EdgeClassifierOptions {
  /** Features of a node. */
  readonly nodeFeatures: number;
  /** Features of an edge. */
  readonly edgeFeatures: number;
  /** Numbers that a node and an edge know. Default 32. */
  readonly hidden?: number;
  /** How often they tell each other. Default 4. */
  readonly steps?: number;
}

const EDGE_CLASSIFIER_OPTIONS: OptionNames<EdgeClassifierOptions> = {
  nodeFeatures: true,
  edgeFeatures: true,
  hidden: true,
  steps: true,
};

/** Two linear layers, ReLU behind both, with a normalisation that keeps sums over many messages in bounds. */
function twoLayers(from: number, to: number): Block {
  return inOrder(linear(from, to), new ReLU(), linear(to, to), layerNorm(to), new ReLU());
}

/**
 * `forward(nodes, edges, features)`: nodes [N, nodeFeatures], edges int32 [2, E], features [E, edgeFeatures] → a logit for each edge, [E].
 *
 *     const model = new EdgeClassifier({ nodeFeatures: 1, edgeFeatures: 5 });
 *     bceWithLogits(model.forward(nodes, edges, features), labels)
 */
export class EdgeClassifier extends Module {
  readonly nodeEncoder: Block;
  readonly edgeEncoder: Block;
  readonly edgeUpdate: Block;
  readonly past: Block;
  readonly future: Block;
  readonly nodeUpdate: Block;
  readonly classifier: Linear<number, number>;
  readonly nodeFeatures: number;
  readonly edgeFeatures: number;
  readonly steps: number;

  constructor(options: EdgeClassifierOptions) {
    checkNeededOptions(new.target.name, options, EDGE_CLASSIFIER_OPTIONS, '{ nodeFeatures: 1, edgeFeatures: 5 }');
    super();
    const { nodeFeatures, edgeFeatures, hidden = 32, steps = 4 } = options;
    for (const [name, value] of Object.entries({ nodeFeatures, edgeFeatures, hidden, steps }))
      checkCount(value, 1, `EdgeClassifier: ${name}`);
    this.nodeEncoder = twoLayers(nodeFeatures, hidden);
    this.edgeEncoder = twoLayers(edgeFeatures, hidden);
    this.edgeUpdate = twoLayers(4 * hidden, hidden);
    this.past = twoLayers(2 * hidden, hidden);
    this.future = twoLayers(2 * hidden, hidden);
    this.nodeUpdate = twoLayers(3 * hidden, hidden);
    this.classifier = new Linear<number, number>(hidden, 1);
    this.nodeFeatures = nodeFeatures;
    this.edgeFeatures = edgeFeatures;
    this.steps = steps;
  }

  forward(nodes: Tensor, edges: AnyTensor, features: Tensor): Tensor<[number]> {
    this.check(nodes, edges, features);
    const count = nodes.shape[0];
    const [source, target] = [0, 1].map((row): Tensor<number[], 'int32'> => edges.select(0, row).to('int32'));
    let h = this.nodeEncoder.forward(nodes);
    const known = this.edgeEncoder.forward(features);
    let e = known;
    for (let step = 0; step < this.steps; step++) {
      const [from, to]: Tensor[] = [h.indexSelect(0, source), h.indexSelect(0, target)];
      e = this.edgeUpdate.forward(cat([from, to, e, known], 1));
      const past = aggregate(this.past.forward(cat([from, e], 1)), target, count);
      const future = aggregate(this.future.forward(cat([to, e], 1)), source, count);
      h = this.nodeUpdate.forward(cat([h, past, future], 1));
    }
    return this.classifier.forward(e).reshape([features.shape[0]]);
  }

  private check(nodes: Tensor, edges: AnyTensor, features: Tensor): void {
    checkTensor(nodes, 'EdgeClassifier', 'the nodes');
    checkTensor(edges, 'EdgeClassifier', 'the edges');
    checkTensor(features, 'EdgeClassifier', 'the features');
    if (edges.dtype !== 'int32')
      throw new DTypeError(`EdgeClassifier: edges are ${edges.dtype}. Convert with to('int32').`, [edges.dtype]);
    const isRight =
      nodes.rank === 2 &&
      nodes.shape[1] === this.nodeFeatures &&
      edges.rank === 2 &&
      edges.shape[0] === 2 &&
      features.rank === 2 &&
      features.shape[0] === edges.shape[1] &&
      features.shape[1] === this.edgeFeatures;
    if (isRight) return;
    throw new ShapeError(
      `EdgeClassifier: nodes ${formatShape(nodes.shape)}, edges ${formatShape(edges.shape)}, features ${formatShape(features.shape)}: need [N, ${this.nodeFeatures}], [2, E] and [E, ${this.edgeFeatures}]`,
      [nodes.shape, edges.shape, features.shape],
    );
  }
}
