// Drawings and photos as files: what a network is shown of them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { readImageFile } from './image-files.js';

const folder = mkdtempSync(join(tmpdir(), 'nabla-drawing-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of black rectangles [left, top, width, height] on white. */
async function drawing(name: string, [width, height]: [number, number], ...boxes: [number, number, number, number][]) {
  const pixels = new Uint8Array(width * height).fill(255);
  for (const [left, top, w, h] of boxes)
    for (let y = top; y < top + h; y++) pixels.fill(0, y * width + left, y * width + left + w);
  const path = join(folder, name);
  await sharp(pixels, { raw: { width, height, channels: 1 } })
    .png()
    .toFile(path);
  return path;
}

const MNIST = { shape: [1, 28, 28], most: 255, classes: 10, drawing: { margin: 4 } } as const;

/** Left, top, right and bottom of what is darker than half. */
function boxOf(pixels: Float32Array, width: number): number[] {
  const dark = Array.from(pixels.keys()).filter((i) => pixels[i] < 0.5);
  const [xs, ys] = [dark.map((i) => i % width), dark.map((i) => Math.floor(i / width))];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

test('a stroke in a corner of a wide sheet keeps its shape, fills 20 of 28 rows and lies in the middle', async () => {
  const path = await drawing('corner.png', [600, 200], [20, 10, 20, 100]);
  const { pixels } = (await readImageFile(path, MNIST))!;
  expect(boxOf(pixels, 28)).toEqual([12, 4, 15, 23]); // 20 × 100 → 4 × 20
});

test('a lying stroke fills the columns', async () => {
  const path = await drawing('lying.png', [100, 400], [10, 300, 80, 16]);
  const { pixels } = (await readImageFile(path, MNIST))!;
  expect(boxOf(pixels, 28)).toEqual([4, 12, 23, 15]);
});

test('the centre of mass is in the middle, not that of the box', async () => {
  // an L: 40 × 200 upright, 60 × 40 to its right at the bottom
  const path = await drawing('l.png', [300, 300], [50, 20, 40, 200], [90, 180, 60, 40]);
  const { pixels } = (await readImageFile(path, MNIST))!;
  let [mass, x, y] = [0, 0, 0];
  pixels.forEach((value, i) => {
    mass += 1 - value;
    x += (1 - value) * (i % 28);
    y += (1 - value) * Math.floor(i / 28);
  });
  expect(Math.abs(x / mass - 13.5)).toBeLessThan(0.51);
  expect(Math.abs(y / mass - 13.5)).toBeLessThan(0.51);
  const [left, top, right, bottom] = boxOf(pixels, 28);
  expect([right - left + 1, bottom - top + 1]).toEqual([10, 20]);
});

test('a picture of the size of the network stays as it is, and an empty one is empty', async () => {
  const same = await drawing('same.png', [28, 28], [1, 2, 3, 4]);
  expect(boxOf((await readImageFile(same, MNIST))!.pixels, 28)).toEqual([1, 2, 3, 5]);
  const empty = await drawing('empty.png', [100, 50]);
  expect([...new Set((await readImageFile(empty, MNIST))!.pixels)]).toEqual([1]);
});

test('of a photo the middle is taken, with its proportions', async () => {
  // the middle 100 × 100 of 300 × 100 is black
  const path = await drawing('photo.png', [300, 100], [100, 0, 100, 100]);
  const { pixels } = (await readImageFile(path, { ...MNIST, drawing: undefined }))!;
  expect(Math.max(...pixels.filter((_, i) => i % 28 > 1 && i % 28 < 26))).toBeLessThan(0.05);
});
