// PNG files: read again by undoing each step of the format with Node's own zlib.
import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ArgumentError } from '../index.js';
import { encodePng } from './png.js';

/** Pixels of an 8-bit PNG without interlacing: row by row, channels of a pixel together. */
function decode(png: Uint8Array): { width: number; height: number; channels: number; pixels: number[] } {
  const view = new DataView(png.buffer, png.byteOffset, png.length);
  const chunks: Record<string, Uint8Array> = {};
  for (let at = 8; at < png.length; at += 12 + view.getUint32(at)) {
    const name = String.fromCharCode(...png.subarray(at + 4, at + 8));
    chunks[name] = png.subarray(at + 8, at + 8 + view.getUint32(at));
  }
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const channels = { 0: 1, 4: 2, 2: 3, 6: 4 }[png[25]] as number;
  const raw = inflateSync(chunks.IDAT);
  const stride = width * channels;
  const pixels: number[] = [];
  for (let row = 0; row < height; row++) {
    const filter = raw[row * (stride + 1)];
    for (let i = 0; i < stride; i++) {
      const left = i < channels ? 0 : pixels[row * stride + i - channels];
      const above = row === 0 ? 0 : pixels[(row - 1) * stride + i];
      pixels.push((raw[row * (stride + 1) + 1 + i] + [0, left, above][filter]) & 0xff);
    }
  }
  return { width, height, channels, pixels };
}

test.each([1, 2, 3, 4])('%i channels come back', (channels) => {
  const [height, width] = [7, 5];
  const data = Uint8Array.from({ length: channels * height * width }, (_, i) => (i * 37 + (i >> 3) * 11) % 256);
  const decoded = decode(encodePng({ data, shape: [channels, height, width] }));
  expect(decoded).toMatchObject({ width, height, channels });
  const planes = Array.from(data, (_, i) => decoded.pixels[(i % 35) * channels + Math.floor(i / 35)]);
  expect(planes).toEqual([...data]);
});

test('smooth images become small', () => {
  const data = Uint8Array.from({ length: 64 * 64 }, (_, i) => (i % 64) * 2 + (i >> 6));
  expect(encodePng({ data, shape: [1, 64, 64] }).length).toBeLessThan(400);
});

test('wrong shapes and sizes are named', () => {
  const data = new Uint8Array(12);
  expect(() => encodePng({ data, shape: [5, 2, 2] })).toThrow(ArgumentError);
  expect(() => encodePng({ data, shape: [3, 0, 2] })).toThrow('[3, 0, 2]');
  expect(() => encodePng({ data, shape: [3, 2, 3] })).toThrow('12 bytes do not fill [3, 2, 3]');
});
