// PNG files: read again by undoing each step of the format with Node's own zlib.
import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ArgumentError } from '../index.js';
import { encodeApng, encodePng } from './png.js';

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

/** Names and contents of the chunks of a file, in their order. */
function chunksOf(png: Uint8Array): { name: string; content: Uint8Array }[] {
  const view = new DataView(png.buffer, png.byteOffset, png.length);
  const chunks = [];
  for (let at = 8; at < png.length; at += 12 + view.getUint32(at))
    chunks.push({
      name: String.fromCharCode(...png.subarray(at + 4, at + 8)),
      content: png.subarray(at + 8, at + 8 + view.getUint32(at)),
    });
  return chunks;
}

test('an animation: the first picture whole, of the others what has changed', () => {
  const first = Uint8Array.from({ length: 3 * 6 * 8 }, (_, i) => (i * 7) % 256);
  const second = first.slice();
  for (const [y, x] of [
    [2, 3],
    [4, 6],
  ])
    for (let c = 0; c < 3; c++) second[(c * 6 + y) * 8 + x] ^= 255;
  const shape = [3, 6, 8] as const;
  const file = encodeApng(
    [
      { data: first, shape },
      { data: second, shape },
      { data: second, shape },
    ],
    {
      delay: [40, 60, 80],
      plays: 2,
    },
  );
  expect(decode(file).pixels).toEqual(decode(encodePng({ data: first, shape })).pixels); // for who knows no animations
  const chunks = chunksOf(file);
  expect(chunks.map(({ name }) => name)).toEqual([
    'IHDR',
    'acTL',
    'fcTL',
    'IDAT',
    'fcTL',
    'fdAT',
    'fcTL',
    'fdAT',
    'IEND',
  ]);
  const numbers = ({ content }: { content: Uint8Array }, count: number) => {
    const view = new DataView(content.buffer, content.byteOffset, content.length);
    return Array.from({ length: count }, (_, i) => view.getUint32(4 * i));
  };
  expect(numbers(chunks[1], 2)).toEqual([3, 2]);
  const controls = chunks.filter(({ name }) => name === 'fcTL');
  // number in the sequence, width, height, left, top; then delay as a fraction
  expect(controls.map((chunk) => numbers(chunk, 5))).toEqual([
    [0, 8, 6, 0, 0],
    [1, 4, 3, 3, 2],
    [3, 1, 1, 0, 0],
  ]);
  expect(controls.map(({ content }) => [...content.subarray(20)])).toEqual(
    [40, 60, 80].map((ms) => [0, ms, 3, 232, 0, 0]),
  );
  const part = chunks[5];
  expect(numbers(part, 1)).toEqual([2]);
  const rows = inflateSync(part.content.subarray(4));
  expect(rows.length).toBe(3 * (1 + 3 * 4));
});

test('pictures of an animation have one shape, and a delay each', () => {
  const one = { data: new Uint8Array(4), shape: [1, 2, 2] } as const;
  expect(() => encodeApng([])).toThrow('encodeApng: there are no pictures');
  expect(() => encodeApng(one as never)).toThrow(/encodeApng: the pictures is a plain object/);
  expect(() => encodeApng([one, { data: new Uint8Array(2), shape: [1, 1, 2] }])).toThrow(
    'picture 1 is [1, 1, 2], the first [1, 2, 2]',
  );
  expect(() => encodeApng([one], { delay: [1, 2] })).toThrow('2 delays for 1 pictures');
  expect(() => encodeApng([one], { delay: 1e6 })).toThrow('delay 0 is 1000000. Use at most 65535');
  expect(() => encodeApng([one], { plays: -1 })).toThrow('encodeApng: plays is -1');
  expect(() => encodeApng([{ data: new Uint8Array(3), shape: [1, 2, 2] }])).toThrow('3 bytes do not fill [1, 2, 2]');
});
