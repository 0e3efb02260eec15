import { expect, test } from 'vitest';
import { confusion, drawConfusion, drawDigit, drawGallery } from './draw.js';

const pixels = Array.from({ length: 64 }, (_, i) => (i < 5 ? i * 4 : 0));

test('a digit is eight lines of two characters a pixel, in shades', () => {
  const lines = drawDigit(pixels);
  expect(lines).toHaveLength(8);
  expect(lines[0]).toBe('  ░░▒▒▓▓██      ');
});

test('a gallery breaks into rows that fit', () => {
  const pictures = Array.from({ length: 3 }, (_, i) => ({ pixels, caption: [`number ${i}`] }));
  expect(drawGallery(pictures, 40)).toHaveLength(9 + 1 + 9);
  for (const line of drawGallery(pictures, 60)) expect(line.length).toBeLessThanOrEqual(60);
  expect(drawGallery(pictures, 60)[8]).toMatch(/number 0 +number 1 +number 2/);
  expect(drawGallery([], 60)).toEqual([]);
});

test('a confusion matrix counts label by prediction', () => {
  const counts = confusion([0, 1, 1, 2], [0, 1, 2, 2], 3);
  expect(counts).toEqual([
    [1, 0, 0],
    [0, 1, 1],
    [0, 0, 1],
  ]);
  expect(drawConfusion(counts)[2].trim()).toBe('1   ·  1  1');
});
