// Networks on edges and on whole graphs: what they must not depend on, and that they learn.
import { expect, test } from 'vitest';
import { type Tensor, manualSeed, noGrad, ones, rand, tensor, zeros } from '../index.js';
import { GRAPH_KINDS, graphKinds, trackScenes } from '../data/index.js';
import { bceWithLogits, crossEntropy } from '../nn/index.js';
import { AdamW } from '../optim/index.js';
import { EDGE_FEATURES, trackGraph } from '../vision/index.js';
import { EdgeClassifier, GraphClassifier } from './index.js';

const near = async (a: Tensor, b: Tensor): Promise<void> =>
  expect(await a.sub(b).abs().amax().item()).toBeLessThan(1e-5);

test('edges: the order of nodes and edges says nothing, their direction does', async () => {
  manualSeed(0);
  const model = new EdgeClassifier({ nodeFeatures: 2, edgeFeatures: 3, hidden: 8, steps: 2 });
  const [nodes, features] = [rand([4, 2]), rand([3, 3])];
  const edges = tensor(Int32Array.of(0, 1, 2, 1, 2, 3), { shape: [2, 3] });
  const logits = noGrad(() => model.forward(nodes, edges, features));
  const order = tensor(Int32Array.of(2, 0, 1));
  const moved = noGrad(() => model.forward(nodes, edges.indexSelect(1, order), features.indexSelect(0, order)));
  await near(moved, logits.indexSelect(0, order));
  const renamed = tensor(Int32Array.of(3, 2, 1, 0)); // node i is 3 − i
  const other = tensor(Int32Array.of(3, 2, 1, 2, 1, 0), { shape: [2, 3] });
  await near(
    noGrad(() => model.forward(nodes.indexSelect(0, renamed), other, features)),
    logits,
  );
  const back = tensor(Int32Array.of(1, 2, 3, 0, 1, 2), { shape: [2, 3] });
  const turned = noGrad(() => model.forward(nodes, back, features));
  expect(await turned.sub(logits).abs().amax().item()).toBeGreaterThan(1e-3);
  expect(() => model.forward(nodes, edges, rand([2, 3]))).toThrow(
    'EdgeClassifier: nodes [4, 2], edges [2, 3], features [2, 3]: need',
  );
  expect(() => new EdgeClassifier({ nodeFeatures: 0, edgeFeatures: 1 })).toThrow('EdgeClassifier: nodeFeatures');
});

test('edges: which detections are one object', async () => {
  manualSeed(0);
  const [{ detections }] = trackScenes({ scenes: 1, frames: 12, objects: [4, 4], seed: 2 });
  const { edges, features, labels, count } = trackGraph(detections);
  const model = new EdgeClassifier({ nodeFeatures: 1, edgeFeatures: EDGE_FEATURES, hidden: 12, steps: 2 });
  const optimizer = new AdamW(model.parameters(), { lr: 0.02 });
  const given = [
    ones([detections.length, 1]),
    tensor(edges, { shape: [2, count] }),
    tensor(features, { shape: [count, EDGE_FEATURES] }),
  ] as const;
  const truth = tensor(labels);
  for (let step = 0; step < 50; step++) {
    optimizer.zeroGrad();
    bceWithLogits(model.forward(...given), truth).backward();
    await optimizer.step();
  }
  const right = noGrad(() => model.forward(...given))
    .gt(0)
    .eq(truth.gt(0.5))
    .to('float32')
    .mean();
  expect(await right.item()).toBeGreaterThan(0.93);
}, 60_000);

test('graphs: learned from neighbours alone, whichever graphs are beside', async () => {
  manualSeed(0);
  const graphs = graphKinds({ samples: 60 });
  expect([...graphs.labels.subarray(0, 6)]).toEqual([0, 1, 2, 3, 4, 0]);
  const all = graphs.batch(Array.from({ length: 60 }, (_, i) => i));
  const model = new GraphClassifier({ inFeatures: 1, classes: GRAPH_KINDS.length, hidden: 16 });
  const optimizer = new AdamW(model.parameters(), { lr: 0.02 });
  for (let step = 0; step < 40; step++) {
    optimizer.zeroGrad();
    crossEntropy(model.forward(all.x, all.edges, all.graph, all.count), all.y).backward();
    await optimizer.step();
  }
  model.eval();
  const logits = noGrad(() => model.forward(all.x, all.edges, all.graph, all.count));
  expect(await logits.argmax(1).eq(all.y).to('float32').mean().item()).toBeGreaterThan(0.8);
  const one = graphs.batch([7]);
  await near(
    noGrad(() => model.forward(one.x, one.edges, one.graph, 1)),
    logits.slice(0, 7, 8),
  );
  expect(() => model.forward(zeros([3, 2]), one.edges, one.graph, 1)).toThrow('GraphClassifier: nodes [3, 2]');
  expect(() => graphs.batch([60])).toThrow('graphKinds: graph 60 of 60.');
  expect(() => graphKinds({ nodes: [3, 9] })).toThrow('graphKinds: the fewest nodes is 3.');
}, 60_000);
