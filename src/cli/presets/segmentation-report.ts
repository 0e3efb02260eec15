// The end of a run that names each pixel, for a person: the intersection over union of each class, and a picture: images, predictions, truths.

import { type HostImage, contactSheet } from '../../data/index.js';
import { type AnyTensor, type Tensor, noGrad } from '../../index.js';
import { encodePng } from '../../io/png.js';
import { MeanIoU } from '../../metrics/index.js';
import type { Module } from '../../nn/index.js';
import { largest } from '../../tensor/extremes.js';
import type { Page } from '../../train/index.js';
import { drawMask } from '../../vision/index.js';
import { percent } from '../terminal.js';
import { positionsInTurn } from './positions.js';

/** Images and masks as tensors, ready for the network, at the given positions. */
interface MaskedImages {
  readonly length: number;
  batch(positions: ArrayLike<number>): { readonly x: Tensor; readonly mask: AnyTensor };
}

const BATCH = 50;

export interface SegmentationReport {
  /** Names of the classes, the background among them. */
  readonly classes: readonly string[];
  /** Pictures that are shown. Default 6. */
  readonly shown?: number;
  /** Images that go through the network at once. Default 50. */
  readonly batchSize?: number;
  /** Pixels as they are shown, 0 to 1, of those that the network is given. Default: as they are. */
  readonly pixels?: (x: Tensor) => Tensor;
}

export async function reportSegmentation(
  page: Page,
  model: Module & { forward(x: Tensor): AnyTensor },
  images: MaskedImages,
  { classes, shown = 6, batchSize = BATCH, pixels = (x) => x }: SegmentationReport,
): Promise<void> {
  model.eval();
  const ratio = new MeanIoU();
  for (const positions of positionsInTurn(images.length, batchSize)) {
    const { x, mask } = images.batch(positions);
    ratio.update(
      noGrad(() => model.forward(x)),
      mask,
    );
  }
  const each = await ratio.perClass();
  const wide = largest(classes.map(({ length }) => length));
  page.line('Intersection over union of each class:');
  classes.forEach((name, k) => page.line(`  ${name.padEnd(wide)}  ${percent(each[k] ?? NaN, 1)}`));
  if (page.picture === undefined) return;
  const count = Math.min(shown, images.length);
  const rows: HostImage[][] = [[], [], []];
  for (let i = 0; i < count; i++) {
    const { x, mask } = images.batch([i]);
    const [, , height, width] = x.shape;
    const said = noGrad(() => model.forward(x)).argmax(1);
    const masks = [await said.data(), await mask.data()].map((labels) => drawMask(labels, [height, width]));
    rows[0].push({ data: Float32Array.from(await pixels(x).data()), shape: [x.shape[1], height, width] });
    masks.forEach((picture, k) => rows[k + 1].push(picture));
  }
  const labels = ['image', 'prediction', 'truth'].flatMap((name) => [name, ...new Array<string>(count - 1).fill('')]);
  page.line();
  await page.picture('segmentation.png', encodePng(contactSheet(rows.flat(), { columns: count, labels })));
}
