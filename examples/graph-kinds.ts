// What kind of graph is it: a ring, a star, a tree, a grid, two groups? Nodes say nothing, only who is whose neighbour does. Sums over neighbours
// learn it from 150 graphs; the picture shows where the network sees the others.
//   npm run build && node --experimental-strip-types examples/graph-kinds.ts     (Node 22), or through any TypeScript runner

import { writeFileSync } from 'node:fs';
import { manualSeed, noGrad } from 'nabla';
import { PCA } from 'nabla/classic';
import { GRAPH_KINDS, graphKinds } from 'nabla/data';
import { Accuracy, ConfusionMatrix } from 'nabla/metrics';
import { GraphClassifier } from 'nabla/models';
import { crossEntropy } from 'nabla/nn';
import { AdamW } from 'nabla/optim';
import { chartSvg } from 'nabla/train';

const [, , seed = '0'] = process.argv;
manualSeed(Number(seed));
const graphs = graphKinds({ samples: 250 });
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const train = graphs.batch(range(0, 150)); // many graphs are one, without edges between them
const test = graphs.batch(range(150, 250));

const model = new GraphClassifier({ inFeatures: 1, classes: GRAPH_KINDS.length, hidden: 16 });
const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
for (let epoch = 1; epoch <= 80; epoch++) {
  optimizer.zeroGrad();
  const loss = crossEntropy(model.forward(train.x, train.edges, train.graph, train.count), train.y);
  loss.backward();
  await optimizer.step();
  if (epoch % 20 === 0) console.log(`epoch ${epoch}: loss ${(await loss.item()).toFixed(3)}`);
}

model.eval();
const logits = noGrad(() => model.forward(test.x, test.edges, test.graph, test.count));
const [accuracy, confusion] = [new Accuracy(), new ConfusionMatrix()];
accuracy.update(logits, test.y);
confusion.update(logits, test.y);
console.log(`test accuracy ${(100 * (await accuracy.compute())).toFixed(1)} %`);
for (const [kind, row] of (await confusion.compute()).entries())
  console.log(
    `${GRAPH_KINDS[kind].padEnd(11)} named ${row
      .map((n, k) => (n > 0 ? `${GRAPH_KINDS[k]} ${n}` : ''))
      .filter((text) => text !== '')
      .join(', ')}`,
  );

const seen = noGrad(() => model.embed(test.x, test.edges, test.graph, test.count));
const plane = await (await new PCA({ components: 2 }).fitTransform(seen)).array();
const truth = await test.y.array();
const series = GRAPH_KINDS.map((name, k) => {
  const points = plane.filter((_, i) => truth[i] === k);
  return { name, x: points.map(([u]) => u), y: points.map(([, v]) => v), colour: k, look: 'points' as const };
});
const title = 'graphs, as the network sees them';
writeFileSync(
  'graph-kinds.svg',
  chartSvg([{ title, xLabel: 'first direction', xScale: 'linear', series, log: false }]),
);
console.log('graph-kinds.svg: where the network sees the graphs of the test');
