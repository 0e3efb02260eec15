// Contact sheets: every pixel of every image where it belongs, labels in their room, sizes and types mixed.
import { expect, test } from 'vitest';
import { ShapeError } from '../tensor/library.js';
import { contactSheet } from './index.js';

const pixel = ({ data, shape }: { data: Uint8Array; shape: readonly number[] }, y: number, x: number) =>
  [0, 1, 2].map((c) => data[(c * shape[1] + y) * shape[2] + x]);

test('images lie in rows, enlarged; grey has three equal channels, floats are cut to 0 … 1', () => {
  const grey = { data: Float32Array.of(0, 1, 0.5, 2), shape: [1, 2, 2] };
  const red = { data: Uint8Array.of(200, 0, 10), shape: [3, 1, 1] };
  const sheet = contactSheet([grey, red, grey], { columns: 2, scale: 3, gap: 1 });
  expect(sheet.shape).toEqual([3, 15, 15]);
  expect([pixel(sheet, 1, 1), pixel(sheet, 1, 4), pixel(sheet, 4, 1), pixel(sheet, 6, 6)]).toEqual([
    [0, 0, 0],
    [255, 255, 255],
    [128, 128, 128],
    [255, 255, 255],
  ]);
  expect([pixel(sheet, 1, 8), pixel(sheet, 3, 10), pixel(sheet, 4, 8)]).toEqual([
    [200, 0, 10],
    [200, 0, 10],
    [24, 24, 24],
  ]);
  expect(pixel(sheet, 8, 4)).toEqual([255, 255, 255]);
});

test('labels are written below and cut off where there is no room', () => {
  const image = { data: new Uint8Array(64), shape: [1, 8, 8] };
  const ink = (labels?: string[]) => contactSheet([image], { scale: 2, labels }).data.filter((v) => v === 220).length;
  expect(ink()).toBe(0);
  expect(ink(['1'])).toBe(8 * 4 * 3); // the 1 has 8 pixels, each 2 × 2, in three channels
  expect(ink(['11111'])).toBe(ink(['11']));
  expect(ink(['i'])).toBe(ink(['I']));
});

test('what is no image is refused', () => {
  expect(() => contactSheet([])).toThrow('contactSheet: no images. Give at least one.');
  expect(() => contactSheet([{ data: new Uint8Array(8), shape: [2, 2, 2] }])).toThrow(ShapeError);
  expect(() => contactSheet([{ data: new Uint8Array(1), shape: [1, 1, 1] }], { columns: 0 })).toThrow('0 columns');
});
