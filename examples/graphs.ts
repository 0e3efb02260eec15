// Which community does a node belong to? Graph convolutions and graph attention learn it from five labelled nodes of each, and
// draw where they see the others. With the argument `cora` (or `citeseer`): articles that cite one another, from NABLA_DATA.
//   npm run build && node --experimental-strip-types examples/graphs.ts     (Node 22), or through any TypeScript runner

import { writeFileSync } from 'node:fs';
import { type Tensor, manualSeed, noGrad } from 'nabla';
import { PCA } from 'nabla/classic';
import { citeseer, communities, cora } from 'nabla/data';
import { GAT, GCN } from 'nabla/models';
import { crossEntropy } from 'nabla/nn';
import { Adam } from 'nabla/optim';
import { type Series, chartSvg } from 'nabla/train';

const [, , name, seed = '0'] = process.argv;
const graph = name === 'cora' ? await cora() : name === 'citeseer' ? await citeseer() : communities();
const isText = name === 'cora' || name === 'citeseer';
const x = isText ? graph.x.div(graph.x.sum(1, { keepdim: true }).maximum(1)) : graph.x; // shares of words
const sizes = { inFeatures: x.shape[1], classes: graph.classes };
type Nodes = typeof graph.train;

/** Loss and accuracy on some of the nodes. */
async function score(logits: Tensor<[number, number]>, nodes: Nodes): Promise<[loss: number, accuracy: number]> {
  const [guess, truth] = [logits.indexSelect(0, nodes), graph.y.indexSelect(0, nodes)];
  const right = guess.argmax(1).eq(truth).to('float32').mean();
  return [await crossEntropy(guess, truth).item(), await right.item()];
}

/** All nodes take part in every step: their features and edges are known, only their classes are not. */
async function train(model: GCN | GAT, lr: number, epochs: number): Promise<void> {
  const optimizer = new Adam(model.parameters(), { lr, weightDecay: 5e-4 });
  let best = { validation: 0, test: 0, loss: Infinity, epoch: 0 };
  for (let epoch = 1; epoch <= epochs && epoch <= best.epoch + 100; epoch++) {
    model.train();
    optimizer.zeroGrad();
    const logits = model.forward(x, graph.edges).indexSelect(0, graph.train);
    crossEntropy(logits, graph.y.indexSelect(0, graph.train)).backward();
    await optimizer.step();
    if (epoch % 5 !== 0) continue;
    model.eval();
    const seen = noGrad(() => model.forward(x, graph.edges));
    const [loss, validation] = await score(seen, graph.validation);
    const isBetter = validation > best.validation || (validation === best.validation && loss < best.loss);
    if (isBetter) best = { validation, loss, epoch, test: (await score(seen, graph.test))[1] };
  }
  const [validation, test] = [best.validation, best.test].map((share) => (100 * share).toFixed(1));
  console.log(`${model.constructor.name}: validation ${validation} %, test ${test} % (epoch ${best.epoch})`);
}

/** The nodes where the network sees them: what its last layer is given, in the plane of its two largest directions. */
async function picture(model: GCN | GAT): Promise<string> {
  model.eval();
  const hidden = noGrad(() => model.features(x, graph.edges));
  const plane = await (await new PCA({ components: 2 }).fitTransform(hidden)).array();
  const truth = await graph.y.array();
  const series = Array.from({ length: graph.classes }, (_, k): Series => {
    const points = plane.filter((__, i) => truth[i] === k);
    return {
      name: `class ${k}`,
      x: points.map(([u]) => u),
      y: points.map(([, v]) => v),
      colour: k,
      look: 'points',
    };
  });
  const title = `nodes, as ${model.constructor.name} sees them`;
  return chartSvg([{ title, xLabel: 'first direction', xScale: 'linear', series, log: false }]);
}

manualSeed(Number(seed));
const gcn = new GCN(sizes);
await train(gcn, 0.01, 200);
const gat = new GAT(sizes);
await train(gat, 0.005, isText ? 400 : 100);
writeFileSync('graphs-gcn.svg', await picture(gcn));
writeFileSync('graphs-gat.svg', await picture(gat));
console.log('graphs-gcn.svg, graphs-gat.svg: where the networks see the nodes');
