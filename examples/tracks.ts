// Who is who from frame to frame? A detector sees objects move, misses one in ten and sees things that are not there; a network links what it sees to
// tracks. Beside it the simplest way: each detection is followed by the nearest one of the next frames. Writes the tracks as a picture.
//   npm run build && node --experimental-strip-types examples/tracks.ts     (Node 22), or through any TypeScript runner

import { writeFileSync } from 'node:fs';
import { manualSeed, noGrad, ones, tensor } from 'nabla';
import { type TrackScene, contactSheet, trackScenes } from 'nabla/data';
import { encodePng } from 'nabla/io';
import { TrackingMetrics } from 'nabla/metrics';
import { EdgeClassifier } from 'nabla/models';
import { bceWithLogits } from 'nabla/nn';
import { AdamW, oneCycle } from 'nabla/optim';
import { EDGE_FEATURES, type TrackedPoint, drawTracks, linkTracks, trackFrames, trackGraph } from 'nabla/vision';

const [, , seed = '0', count = '60'] = process.argv;
manualSeed(Number(seed));
const scenes = trackScenes({ scenes: Number(count) + 10, misses: 0.1, falseAlarms: 0.5 });
const [train, test] = [scenes.slice(0, -10), scenes.slice(-10)];

/** The detections of some scenes as one graph: an edge for each pair that may be an object's next sighting. */
function graphOf(some: readonly TrackScene[]) {
  const graphs = some.map(({ detections }) => trackGraph(detections));
  const [from, to, features, labels]: number[][] = [[], [], [], []];
  let nodes = 0;
  graphs.forEach((graph, i) => {
    for (let e = 0; e < graph.count; e++) {
      from.push(nodes + graph.edges[e]);
      to.push(nodes + graph.edges[graph.count + e]);
      labels.push(graph.labels[e]);
    }
    for (const value of graph.features) features.push(value);
    nodes += some[i].detections.length;
  });
  return {
    nodes: ones([nodes, 1]), // where they are says nothing, only how far they are from each other, and how unlike
    edges: tensor(Int32Array.from([...from, ...to]), { shape: [2, from.length] }),
    features: tensor(Float32Array.from(features), { shape: [from.length, EDGE_FEATURES] }),
    labels: tensor(Float32Array.from(labels)),
  };
}

const model = new EdgeClassifier({ nodeFeatures: 1, edgeFeatures: EDGE_FEATURES, hidden: 24, steps: 3 });
const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
const { nodes, edges, features, labels } = graphOf(train);
const STEPS = 120;
for (let step = 0; step < STEPS; step++) {
  optimizer.groups[0].lr = oneCycle(step, STEPS, 0.01);
  optimizer.zeroGrad();
  bceWithLogits(model.forward(nodes, edges, features), labels).backward();
  await optimizer.step();
}
model.eval();

/** Tracks from a probability for each edge, frame by frame; gaps are filled on a straight line. */
function tracksOf(
  { detections, frames }: TrackScene,
  ends: Int32Array,
  sure: ArrayLike<number>,
  method: 'best' | 'greedy',
) {
  return trackFrames(detections, linkTracks(detections, ends, sure, { method }), frames);
}

/** What the network finds, and what nearness alone gives. */
async function followed(scene: TrackScene): Promise<Record<'network' | 'nearest', TrackedPoint[][]>> {
  const own = trackGraph(scene.detections);
  const graph = graphOf([scene]);
  const sure = await noGrad(() => model.forward(graph.nodes, graph.edges, graph.features).sigmoid()).data();
  const near = Array.from({ length: own.count }, (_, e) => {
    const [gap, , , length] = own.features.subarray(e * EDGE_FEATURES);
    return 1 - 0.3 * gap - 0.2 * length; // the next frame before later ones, and then the shortest way
  });
  return { network: tracksOf(scene, own.edges, sure, 'best'), nearest: tracksOf(scene, own.edges, near, 'greedy') };
}

const all = await Promise.all(test.map(followed));
for (const way of ['nearest', 'network'] as const) {
  const metric = new TrackingMetrics({ maxDistance: 3 });
  test.forEach(({ truth }, i) => {
    const named = <T extends { readonly id: number }>(list: readonly T[]) =>
      list.map((o) => ({ ...o, id: 1000 * i + o.id }));
    all[i][way].forEach((found, frame) => metric.update(named(found), named(truth[frame])));
  });
  const { idf1, mota, switches } = await metric.compute();
  console.log(
    `${way.padEnd(8)} IDF1 ${idf1.toFixed(3)}, MOTA ${mota.toFixed(3)}, ${switches} times under another name`,
  );
}

const shown = test.slice(0, 3);
const pictures = [
  ...shown.map(({ size, truth }) => drawTracks(truth, { size })),
  ...shown.map(({ size, detections }, i) => drawTracks(all[i].nearest, { size, points: detections })),
  ...shown.map(({ size, detections }, i) => drawTracks(all[i].network, { size, points: detections })),
];
const names = ['truth', '', '', 'nearest', '', '', 'network', '', ''];
writeFileSync('tracks.png', encodePng(contactSheet(pictures, { columns: 3, labels: names, scale: 1 })));
console.log('tracks.png: three scenes; lines are tracks, grey points what the detector saw');
