// `nabla train tracks`: following objects through a film. Detections of 24 frames are the nodes of a graph, edges lead to where an object may be next,
// and a network whose nodes and edges tell each other what they know says which edges are right. Tracks are the best way to link them; IDF1 and MOTA
// say how well objects are followed. The detector misses 10 % and sees things that are not there.
//
// Settings were chosen on the validation scenes; the test scenes are looked at once, when a run is complete.

import { ArrayDataset, DataLoader, type TrackScene, trackScenes } from '../../data/index.js';
import { type AnyTensor, type Tensor, arange, noGrad, ones, tensor } from '../../index.js';
import { encodePng } from '../../io/png.js';
import { contactSheet } from '../../data/index.js';
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
import { percent } from '../terminal.js';

/** An object is found where a track is no further from it than this: about a frame's way. */
const NEAR = 3;

/** The graphs of scenes, filled up to one size, so that a step is captured once: edges that are none lead from the last node to itself. */
function graphsOf(scenes: readonly TrackScene[], maxGap: number) {
  const graphs = scenes.map(({ detections }) => trackGraph(detections, { maxGap }));
  const nodes = 1 + Math.max(...scenes.map(({ detections }) => detections.length));
  const edges = Math.max(...graphs.map(({ count }) => count));
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
  return { data, nodes };
}

interface Batch {
  readonly edges: AnyTensor;
  readonly features: Tensor;
  readonly labels: Tensor;
  readonly counts: Tensor;
}

/** The mean over edges that are some, of a batch of scenes as one graph. */
function batchLoss(model: EdgeClassifier, { edges, features, labels, counts }: Batch, nodes: number): Tensor<[]> {
  const scenes = features.shape[0];
  const first = arange(scenes).to('int32').mul(nodes).reshape([scenes, 1, 1]);
  const all = edges.to('int32').add(first).transpose(0, 1).reshape([2, -1]);
  const logits = model.forward(ones([scenes * nodes, 1]), all, features.reshape([-1, EDGE_FEATURES]));
  const each = bceWithLogits(logits, labels.reshape([-1]), { reduction: 'none' });
  const counted: Tensor = counts.reshape([-1]);
  return each.mul(counted).sum().div(counted.sum());
}

/** Tracks of a scene, frame by frame. */
async function follow(
  model: EdgeClassifier,
  { detections, frames }: TrackScene,
  maxGap: number,
): Promise<TrackedPoint[][]> {
  const { edges, features, count } = trackGraph(detections, { maxGap });
  const given = [tensor(edges, { shape: [2, count] }), tensor(features, { shape: [count, EDGE_FEATURES] })] as const;
  const logits = noGrad(() => model.forward(ones([detections.length, 1]), ...given));
  const tracks = linkTracks(detections, edges, await logits.sigmoid().data());
  return trackFrames(detections, tracks, frames);
}

async function scoresOf(model: EdgeClassifier, scenes: readonly TrackScene[], maxGap: number): Promise<TrackingScores> {
  model.eval();
  const metric = new TrackingMetrics({ maxDistance: NEAR });
  for (const [i, scene] of scenes.entries()) {
    // names of their own in each scene
    const named = <T extends { readonly id: number }>(list: readonly T[]): T[] =>
      list.map((object) => ({ ...object, id: 1000 * i + object.id }));
    const found = await follow(model, scene, maxGap);
    found.forEach((objects, frame) => metric.update(named(objects), named(scene.truth[frame])));
  }
  return metric.compute();
}

function evaluation(model: EdgeClassifier, scenes: readonly TrackScene[], maxGap: number): Evaluation {
  return {
    measures: { IDF1: 'higher', MOTA: 'higher' },
    async evaluate() {
      const { idf1, mota } = await scoresOf(model, scenes, maxGap);
      return { IDF1: idf1, MOTA: mota };
    },
  };
}

const SHOWN = 3;

async function report(page: Page, model: EdgeClassifier, scenes: readonly TrackScene[], maxGap: number): Promise<void> {
  const { misses, falseAlarms, switches, objects, idPrecision, idRecall } = await scoresOf(model, scenes, maxGap);
  page.line(
    `${objects} objects in all frames: ${misses} not found, ${falseAlarms} found where none is, ${switches} under another name.`,
  );
  page.line(`Identities: precision ${percent(idPrecision, 1)}, recall ${percent(idRecall, 1)}.`);
  if (page.picture === undefined) return;
  const shown = scenes.slice(0, SHOWN);
  const [pictures, truths] = [[], []] as [ReturnType<typeof drawTracks>[], ReturnType<typeof drawTracks>[]];
  for (const scene of shown) {
    const { size, detections: points, truth } = scene;
    pictures.push(drawTracks(await follow(model, scene, maxGap), { size, points }));
    truths.push(drawTracks(truth, { size }));
  }
  const labels = ['tracks and detections', 'truth'].flatMap((name) => [
    name,
    ...new Array<string>(shown.length - 1).fill(''),
  ]);
  page.line();
  await page.picture(
    'tracks.png',
    encodePng(contactSheet([...pictures, ...truths], { columns: shown.length, labels, scale: 1 })),
  );
}

export default defineRun({
  name: 'tracks',
  title: 'Following objects through a film by linking detections',
  settings: {
    epochs: 15,
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
    const [validation, test] = [all.slice(scenes, scenes + held), all.slice(scenes + held)];
    const { data, nodes } = graphsOf(all.slice(0, scenes), maxGap);
    const model = new EdgeClassifier({ nodeFeatures: 1, edgeFeatures: EDGE_FEATURES, hidden, steps });
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr, weightDecay }),
      train: new DataLoader(data, { batchSize, shuffle: true, dropLast: true, seed }),
      validation: evaluation(model, validation, maxGap),
      test: evaluation(model, test, maxGap),
      forward: (_, batch: Batch) => batchLoss(model, batch, nodes),
      schedule: (step, total) => oneCycle(step, total, lr),
      clipNorm: 1,
      epochs,
      checkpoint: { monitor: 'IDF1' },
      report: (page) => report(page, model, test, maxGap),
    };
  },
});
