import { expect, test } from 'vitest';
import { parseImages } from './image-text.js';

const DIGITS = { shape: [1, 8, 8], most: 16, classes: 10 } as const;

const row = Array.from({ length: 64 }, (_, i) => i % 17);

test('reads commas, blanks, labels, headers, comments and Windows line ends', () => {
  const header = row.map((_, i) => `p${i}`).join(',');
  const text = `\uFEFF${header}\r\n# a comment\r\n${row.join(',')}\r\n\r\n${row.join(' ')} 7\r\n${row.join('; ')};3;\r\n`;
  const images = parseImages(text, 'x', DIGITS);
  expect(images.count).toBe(3);
  expect(images.names).toEqual(['3', '5', '6']);
  expect(images.labels).toEqual([undefined, 7, 3]);
  expect([...images.pixels.subarray(64, 128)]).toEqual(row.map((n) => n / 16));
});

test('colour images', () => {
  const images = parseImages('0 255 51 1', 'x', { shape: [3, 1, 1], most: 255, classes: 2 });
  expect([...images.pixels]).toEqual([0, 1, Math.fround(0.2)]);
  expect(images.labels).toEqual([1]);
  expect(() => parseImages('1 2', 'x', { shape: [3, 1, 1], most: 255, classes: 2 })).toThrow(
    /A line has 3 \(3x1x1 pixels\), or 4/,
  );
});

test.each([
  ['', /x holds no image/],
  ['a,b\n', /x holds no image/],
  ['1,2,3\n', /x, line 1: 3 values. A line has 64/],
  [`${row.join()}\n${row.slice(1).join()}\n`, /x, line 2: 63 values/],
  [`${row.with(4, 17).join()}\n`, /value 5 is 17. Pixels go from 0 to 16/],
  [`${row.with(4, -1).join()}\n`, /value 5 is -1/],
  [row.map((n, i) => (i === 9 ? '0x3' : n)).join(), /value 10 is '0x3', not a number/],
  [row.map((n, i) => (i === 9 ? '' : n)).join(), /value 10 is empty, not a number/],
  [`${row.join()},12\n`, /the label \(value 65\) is '12'/],
  ['\u0000\u0001binary', /x holds no image|not a number|1 value/],
])('refuses %j', (text, message) => {
  expect(() => parseImages(text, 'x', DIGITS)).toThrow(message);
});
