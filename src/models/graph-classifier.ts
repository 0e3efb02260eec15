// A network that gives a whole graph its class: sums over neighbours, which tell graphs apart that means do not (GIN: Xu et al. 2019), and the mean over
// the nodes of each graph. Several graphs are one large one without edges between them.

import { Linear, Module, Parameter, ReLU, aggregate } from '../nn/index.js';
import { checkCount } from '../nn/layer.js';
import { zeros } from '../tensor/creation.js';
import { cat } from '../tensor/functions.js';
import { DTypeError, type OptionNames, ShapeError, checkNeededOptions, formatShape } from '../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { type Block, inOrder, layerNorm, linear } from './vision/blocks.js';

export interface GraphClassifierOptions {
  /** Features of a node. */
  readonly inFeatures: number;
  readonly classes: number;
  /** Numbers that a node knows. Default 32. */
  readonly hidden?: number;
  /** How far a node sees, in edges. Default 3. */
  readonly layers?: number;
}

const GRAPH_CLASSIFIER_OPTIONS: OptionNames<GraphClassifierOptions> = {
  inFeatures: true,
  classes: true,
  hidden: true,
  layers: true,
};

/** MLP((1 + ε) · x + Σ neighbours), with ε learned. */
class IsomorphismLayer extends Module {
  readonly eps: Parameter<[1]>;
  readonly mlp: Block;

  constructor(from: number, to: number) {
    super();
    this.eps = new Parameter<[1]>(zeros([1]));
    this.mlp = inOrder(linear(from, to), layerNorm(to), new ReLU(), linear(to, to), new ReLU());
  }

  forward(x: Tensor, source: Tensor<number[], 'int32'>, target: Tensor<number[], 'int32'>): Tensor {
    const own: Tensor = x.mul(this.eps.add(1));
    return this.mlp.forward(own.add(aggregate(x.indexSelect(0, source), target, x.shape[0])));
  }
}

/**
 * `forward(x, edges, graph, count)`: nodes [N, inFeatures], edges int32 [2, E] (undirected ones both ways), the graph of each node int32 [N], and how
 * many graphs there are → logits [count, classes].
 *
 *     const model = new GraphClassifier({ inFeatures: 1, classes: 4 });
 *     crossEntropy(model.forward(x, edges, graph, y.shape[0]), y)
 */
export class GraphClassifier extends Module {
  readonly convs: readonly IsomorphismLayer[];
  readonly classifier: Linear<number, number>;
  readonly inFeatures: number;

  constructor(options: GraphClassifierOptions) {
    checkNeededOptions(new.target.name, options, GRAPH_CLASSIFIER_OPTIONS, '{ inFeatures: 1, classes: 4 }');
    super();
    const { inFeatures, classes, hidden = 32, layers = 3 } = options;
    for (const [name, value] of Object.entries({ inFeatures, classes, hidden, layers }))
      checkCount(value, 1, `GraphClassifier: ${name}`);
    this.convs = Array.from({ length: layers }, (_, i) => new IsomorphismLayer(i === 0 ? inFeatures : hidden, hidden));
    this.classifier = new Linear<number, number>(layers * hidden, classes);
    this.inFeatures = inFeatures;
  }

  forward(x: Tensor, edges: AnyTensor, graph: AnyTensor, count: number): Tensor<[number, number]> {
    return this.classifier.forward(this.embed(x, edges, graph, count));
  }

  /** What the classes are told from: [count, layers · hidden], the mean over the nodes of each graph after each layer. */
  embed(x: Tensor, edges: AnyTensor, graph: AnyTensor, count: number): Tensor {
    this.check(x, edges, graph);
    checkCount(count, 1, 'GraphClassifier: count');
    const [source, target] = [0, 1].map((row): Tensor<number[], 'int32'> => edges.select(0, row).to('int32'));
    const owner: Tensor<number[], 'int32'> = graph.to('int32');
    let h = x;
    const seen = this.convs.map((conv) => {
      h = conv.forward(h, source, target);
      return aggregate(h, owner, count, 'mean');
    });
    return cat(seen, 1);
  }

  private check(x: Tensor, edges: AnyTensor, graph: AnyTensor): void {
    checkTensor(x, 'GraphClassifier', 'the nodes');
    checkTensor(edges, 'GraphClassifier', 'the edges');
    checkTensor(graph, 'GraphClassifier', 'the graph of each node');
    for (const index of [edges, graph])
      if (index.dtype !== 'int32')
        throw new DTypeError(`GraphClassifier: edges or graphs are ${index.dtype}. Convert with to('int32').`, [
          index.dtype,
        ]);
    const isRight =
      x.rank === 2 &&
      x.shape[1] === this.inFeatures &&
      edges.rank === 2 &&
      edges.shape[0] === 2 &&
      graph.rank === 1 &&
      graph.shape[0] === x.shape[0];
    if (isRight) return;
    throw new ShapeError(
      `GraphClassifier: nodes ${formatShape(x.shape)}, edges ${formatShape(edges.shape)}, graphs ${formatShape(graph.shape)}: need [N, ${this.inFeatures}], [2, E] and [N]`,
      [x.shape, edges.shape, graph.shape],
    );
  }
}
