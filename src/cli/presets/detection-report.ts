// What a detector finds in scenes; and the end of its run, for a person: how well each class is found, and a picture: what was found beside what is there.

import { SHAPES, type SceneData, contactSheet } from '../../data/index.js';
import { encodePng } from '../../io/png.js';
import { MeanAveragePrecision, type TrueBox } from '../../metrics/index.js';
import type { DenseDetector } from '../../models/index.js';
import type { Page } from '../../train/index.js';
import { type Detection, drawBoxes } from '../../vision/index.js';
import { percent } from '../terminal.js';
import { positionsInTurn } from './positions.js';

const BATCH = 50;

/** Boxes are from 0 to the size of a picture; nothing is left out that a low score could still get right. */
const OPTIONS = { scoreThreshold: 0.05, iouThreshold: 0.5, names: SHAPES };

interface FoundAndTrue {
  readonly found: readonly Detection[];
  readonly truth: readonly TrueBox[];
}

/** What the network finds in each picture, and what is there. */
export async function detectAll(model: DenseDetector, scenes: SceneData): Promise<FoundAndTrue[]> {
  model.eval();
  const all: FoundAndTrue[] = [];
  for (const positions of positionsInTurn(scenes.length, BATCH)) {
    const { boxes, labels } = scenes.gather(positions);
    const most = labels.shape[1];
    const found = await model.detect(scenes.batch(positions).x, OPTIONS);
    found.forEach((own, i) => {
      const truth = Array.from(labels.data.subarray(i * most, (i + 1) * most), (index, k): TrueBox => {
        const [x1, y1, x2, y2] = boxes.data.subarray(4 * (i * most + k));
        return { box: [x1, y1, x2, y2], index };
      });
      all.push({ found: own, truth: truth.filter(({ index }) => index >= 0) });
    });
  }
  return all;
}

const SHOWN = 4;
/** Boxes that the network is less sure of are not drawn. */
const SURE = 0.4;

export async function reportDetection(page: Page, scenes: SceneData, all: readonly FoundAndTrue[]): Promise<void> {
  const metric = new MeanAveragePrecision();
  for (const { found, truth } of all) metric.update(found, truth);
  const { perClass, map50, map75, recall } = await metric.compute();
  page.line('Average precision, the mean over overlaps of 0.5 to 0.95:');
  SHAPES.forEach((name, k) => page.line(`  ${name.padEnd(8)}  ${percent(perClass[k] ?? NaN, 1)}`));
  page.line(`At an overlap of 0.5 ${percent(map50, 1)}, of 0.75 ${percent(map75, 1)}; recall ${percent(recall, 1)}.`);
  if (page.picture === undefined) return;
  const { data, shape } = scenes.gather(Array.from({ length: SHOWN }, (_, i) => i)).x;
  const area = data.length / SHOWN;
  const images = Array.from({ length: SHOWN }, (_, i) => ({
    data: data.slice(i * area, (i + 1) * area),
    shape: shape.slice(1),
  }));
  const named = all.slice(0, SHOWN).map(({ found, truth }) => ({
    found: found
      .filter(({ score }) => score >= SURE)
      .map((box) => ({ ...box, label: `${box.label} ${Math.round(100 * box.score)}%` })),
    truth: truth.map((box) => ({ ...box, label: SHAPES[box.index] })),
  }));
  const cells = [
    ...images.map((image, i) => drawBoxes(image, named[i].found)),
    ...images.map((image, i) => drawBoxes(image, named[i].truth)),
  ];
  const labels = ['found', 'truth'].flatMap((name) => [name, ...new Array<string>(SHOWN - 1).fill('')]);
  page.line();
  await page.picture('detections.png', encodePng(contactSheet(cells, { columns: SHOWN, labels, scale: 1 })));
}
