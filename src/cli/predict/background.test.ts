// Which background a picture has: all digits of the set that comes with the package, as they are and inverted; drawings.
import { expect, test } from 'vitest';
import { digits } from '../../data/index.js';
import { drawImage } from '../draw.js';
import { backgroundOf, invertForeign } from './background.js';

test('every digit is light on black, and dark on white where it is inverted', () => {
  const pixels = digits().column('x').slice();
  const inverted = pixels.map((value) => 1 - value);
  expect(invertForeign(pixels, [1, 8, 8], 'black')).not.toContain(true);
  expect(invertForeign(inverted, [1, 8, 8], 'black')).not.toContain(false);
  expect(inverted.every((value, i) => Math.abs(value - pixels[i]) < 1e-6)).toBe(true);
  expect(invertForeign(pixels.slice(0, 64), [1, 8, 8], 'white')).toEqual([true]);
});

test('grey paper is light; a bright thing that touches the edge is none; a channel alone does not decide', () => {
  const paper = (edge: number, inside: number) =>
    Float32Array.from({ length: 36 }, (_, i) => (i % 6 > 1 && i % 6 < 4 && i > 11 && i < 24 ? inside : edge));
  expect(backgroundOf(paper(0.6, 0.1), [1, 6, 6])).toBe('white');
  expect(backgroundOf(paper(0.3, 0.1), [1, 6, 6])).toBe('black');
  expect(backgroundOf(paper(0.6, 0.9), [1, 6, 6])).toBe('black');
  expect(backgroundOf(Float32Array.of(1, 1, 0, 0, 0, 0), [3, 1, 2])).toBe('black');
});

test('pictures of any size fit into 80 columns', () => {
  const ramp = (size: number) => Float32Array.from({ length: size * size }, (_, i) => (i % size) / (size - 1));
  expect(drawImage(ramp(4), [1, 4, 4])).toEqual(new Array(4).fill('  ░░▓▓██'));
  const digit = drawImage(ramp(28), [1, 28, 28]);
  expect([digit.length, digit[0].length, digit[0].trimEnd().length]).toEqual([14, 28, 28]);
  for (const size of [16, 17, 57, 224]) {
    const lines = drawImage(ramp(size), [1, size, size]);
    expect(lines.every((line) => line.length === lines[0].length && line.length <= 56)).toBe(true);
  }
});
