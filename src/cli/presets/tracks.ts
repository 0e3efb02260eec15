// `nabla train tracks`: following objects through a film. Detections of 24 frames are the nodes of a graph, edges lead to where an object may be next,
// and a network whose nodes and edges tell each other what they know says which edges are right. Tracks are the best way to link them; IDF1 and MOTA
// say how well objects are followed. The detector misses 10 % and sees things that are not there.
//
// Settings were chosen on the validation scenes; the test scenes are looked at once, when a run is complete.

import { ArrayDataset, DataLoader, type TrackScene, contactSheet, trackScenes } from '../../data/index.js';
import { type AnyTensor, type Tensor, arange, noGrad, ones } from '../../index.js';
import { encodePng } from '../../io/png.js';
import { TrackingMetrics, type TrackingScores } from '../../metrics/index.js';
import { EdgeClassifier } from '../../models/index.js';
import { bceWithLogits } from '../../nn/index.js';
import { AdamW, oneCycle } from '../../optim/index.js';
import { type Evaluation, type Page, defineRun } from '../../train/index.js';
import {
  EDGE_FEATURES,
  type TrackedPoint,
  drawTracks,
  linkTracks,
  trackFrames,
  trackGraph,
} from '../../vision/index.js';
import { largest } from '../../tensor/extremes.js';
import { percent } from '../terminal.js';
import { positionsInTurn } from './positions.js';

/** An object is found where a track is no further from it than this: about a frame's way. */
const NEAR = 3;
/** Scenes that go through the network at once. */
const TOGETHER = 10;

/** Scenes with their graphs, filled up to one size, so that few programs are compiled: edges that are none lead from the last node to itself. */
function withGraphs(scenes: readonly TrackScene[], maxGap: number) {
  const graphs = scenes.map(({ detections }) => trackGraph(detections, { maxGap }));
  const nodes = 1 + largest(scenes.map(({ detections }) => detections.length));
  const edges = largest(graphs.map(({ count }) => count));
  const ends = new Int32Array(scenes.length * 2 * edges).fill(nodes - 1);
  const features = new Float32Array(scenes.length * edges * EDGE_FEATURES);
  const [labels, counts] = [new Float32Array(scenes.length * edges), new Float32Array(scenes.length * edges)];
  graphs.forEach((graph, i) => {
    for (const row of [0, 1])
      ends.set(graph.edges.subarray(row * graph.count, (row + 1) * graph.count), (2 * i + row) * edges);
    features.set(graph.features, i * edges * EDGE_FEATURES);
    labels.set(graph.labels, i * edges);
    counts.fill(1, i * edges, i * edges + graph.count);
  });
  const data = new ArrayDataset({
    edges: { data: ends, shape: [2, edges] },
    features: { data: features, shape: [edges, EDGE_FEATURES] },
    labels: { data: labels, shape: [edges] },
    counts: { data: counts, shape: [edges] },
  });
  return { scenes, graphs, data, nodes, edges };
}

type Films = ReturnType<typeof withGraphs>;

interface Batch {
  readonly edges: AnyTensor;
  readonly features: Tensor;
  readonly labels: Tensor;
  readonly counts: Tensor;
}

/** A logit for each edge of a batch of scenes as one graph, scene by scene. */
function logitsOf(model: EdgeClassifier, { edges, features }: Batch, nodes: number): Tensor {
  const scenes = features.shape[0];
  const first = arange(scenes).to('int32').mul(nodes).reshape([scenes, 1, 1]);
  const all = edges.to('int32').add(first).transpose(0, 1).reshape([2, -1]);
  return model.forward(ones([scenes * nodes, 1]), all, features.reshape([-1, EDGE_FEATURES]));
}

/** The mean over edges that are some. */
function batchLoss(model: EdgeClassifier, batch: Batch, nodes: number): Tensor<[]> {
  const { labels, counts } = batch;
  const each = bceWithLogits(logitsOf(model, batch, nodes), labels.reshape([-1]), { reduction: 'none' });
  const counted: Tensor = counts.reshape([-1]);
  return each.mul(counted).sum().div(counted.sum());
}

/** Tracks of each scene, frame by frame. */
async function follow(
  model: EdgeClassifier,
  { scenes, graphs, data, nodes, edges }: Films,
): Promise<TrackedPoint[][][]> {
  model.eval();
  const found: TrackedPoint[][][] = [];
  for (const positions of positionsInTurn(scenes.length, TOGETHER)) {
    const sure = await noGrad(() => logitsOf(model, data.batch(positions), nodes).sigmoid()).data();
    for (const [k, i] of positions.entries()) {
      const { detections, frames } = scenes[i];
      const own = sure.subarray(k * edges, k * edges + graphs[i].count);
      found.push(trackFrames(detections, linkTracks(detections, graphs[i].edges, own), frames));
    }
  }
  return found;
}

async function scoresOf(found: readonly TrackedPoint[][][], { scenes }: Films): Promise<TrackingScores> {
  const metric = new TrackingMetrics({ maxDistance: NEAR });
  for (const [i, { truth }] of scenes.entries()) {
    // names of their own in each scene
    const named = <T extends { readonly id: number }>(list: readonly T[]): T[] =>
      list.map((object) => ({ ...object, id: 1000 * i + object.id }));
    found[i].forEach((objects, frame) => metric.update(named(objects), named(truth[frame])));
  }
  return metric.compute();
}

function evaluation(model: EdgeClassifier, films: Films): Evaluation {
  return {
    measures: { IDF1: 'higher', MOTA: 'higher' },
    async evaluate() {
      const { idf1, mota } = await scoresOf(await follow(model, films), films);
      return { IDF1: idf1, MOTA: mota };
    },
  };
}

const SHOWN = 3;

async function report(page: Page, model: EdgeClassifier, films: Films): Promise<void> {
  const found = await follow(model, films);
  const { misses, falseAlarms, switches, objects, idPrecision, idRecall } = await scoresOf(found, films);
  page.line(`${objects} objects in all frames: ${misses} not found, ${switches} times under another name;`);
  page.line(
    `${falseAlarms} found where none is. Identities: precision ${percent(idPrecision, 1)}, recall ${percent(idRecall, 1)}.`,
  );
  if (page.picture === undefined) return;
  const shown = films.scenes.slice(0, SHOWN);
  const pictures = [
    ...shown.map(({ size, detections: points }, i) => drawTracks(found[i], { size, points })),
    ...shown.map(({ size, truth }) => drawTracks(truth, { size })),
  ];
  const empty = new Array<string>(shown.length - 1).fill('');
  const labels = ['tracks, detections', ...empty, 'truth', ...empty];
  page.line();
  await page.picture('tracks.png', encodePng(contactSheet(pictures, { columns: shown.length, labels, scale: 1 })));
}

export default defineRun({
  name: 'tracks',
  title: 'Following objects through a film by linking detections',
  settings: {
    epochs: 20,
    lr: 0.003,
    batchSize: 8,
    weightDecay: 0.01,
    scenes: 240,
    held: 50,
    misses: 0.1,
    falseAlarms: 0.5,
    maxGap: 3,
    steps: 4,
    hidden: 32,
  },

  create({ epochs, lr, batchSize, weightDecay, scenes, held, misses, falseAlarms, maxGap, steps, hidden, seed }) {
    const all = trackScenes({ scenes: scenes + 2 * held, misses, falseAlarms, seed: 0 }); // the same scenes for every seed
    const [train, validation, test] = [
      all.slice(0, scenes),
      all.slice(scenes, scenes + held),
      all.slice(scenes + held),
    ].map((some) => withGraphs(some, maxGap));
    const model = new EdgeClassifier({ nodeFeatures: 1, edgeFeatures: EDGE_FEATURES, hidden, steps });
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay }),
      train: new DataLoader(train.data, { batchSize, shuffle: true, dropLast: true, seed }),
      validation: evaluation(model, validation),
      test: evaluation(model, test),
      forward: (_, batch: Batch) => batchLoss(model, batch, train.nodes),
      schedule: (step, total) => oneCycle(step, total, lr),
      clipNorm: 1,
      epochs,
      checkpoint: { monitor: 'IDF1' },
      report: (page) => report(page, model, test),
    };
  },
});
