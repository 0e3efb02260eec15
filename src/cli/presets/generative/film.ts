// What a generator makes of the same random numbers after each epoch, and the pictures of its report.

import { type HostImage, HostRandom, contactSheet } from '../../../data/index.js';
import { type Tensor, noGrad, tensor } from '../../../index.js';
import { encodePng } from '../../../io/index.js';
import type { Page } from '../../../train/index.js';

/** Pictures of an epoch, and rows of the sheet at most. */
const COLUMNS = 10;
const ROWS = 10;

/** [N, C, H, W] from 0 to 1 as pictures for a contact sheet. */
export async function picturesOf(x: Tensor): Promise<HostImage[]> {
  const [count, channels, height, width] = x.shape;
  const [data, size] = [await x.data(), channels * height * width];
  return Array.from({ length: count }, (_, i) => ({
    data: Float32Array.from(data.subarray(size * i, size * (i + 1))),
    shape: [channels, height, width],
  }));
}

/** Numbers [count, ...shape] from the standard normal distribution, the same for the same seed. */
export function fixedNoise(seed: number, shape: readonly number[]): Tensor {
  const random = new HostRandom(seed, 23);
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    { shape: [...shape] },
  );
}

/** A sheet as a file beside the weights, where there is such a place. */
export async function drawSheet(
  page: Page,
  name: string,
  images: readonly HostImage[],
  columns: number,
): Promise<void> {
  if (page.picture === undefined || images.length === 0) return;
  const [, height] = images[0].shape;
  const sheet = contactSheet(images, { columns, gap: 2, scale: Math.max(1, Math.round(48 / height)) });
  await page.picture(name, encodePng(sheet));
}

/** Samples by epoch: a row for each, of the epochs that this process has seen. */
export class Film {
  private readonly rows: HostImage[][] = [];
  private readonly make: () => Tensor | Promise<Tensor>;

  /** `make` gives the pictures of always the same numbers. */
  constructor(make: () => Tensor | Promise<Tensor>) {
    this.make = make;
  }

  async take(): Promise<void> {
    this.rows.push((await picturesOf(await noGrad(this.make))).slice(0, COLUMNS));
  }

  /** The epochs that are shown: the first, the last, and some between them. */
  async draw(page: Page): Promise<void> {
    const last = this.rows.length - 1;
    const shown = new Set(Array.from({ length: ROWS }, (_, i) => Math.round((i * last) / (ROWS - 1))));
    const rows = this.rows.filter((_, i) => shown.has(i));
    await drawSheet(page, 'epochs.png', rows.flat(), COLUMNS);
  }
}
