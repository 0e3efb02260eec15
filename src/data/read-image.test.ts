// Picture files through sharp: colours, opacity, EXIF, what is no picture. The page's own decoder is tested in test/browser/media.test.ts.
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { FormatError } from '../index.js';
import { encodePng } from '../io/index.js';
import { readImage } from './index.js';

const rgba = Uint8Array.from([10, 200, 20, 100, 30, 50, 255, 0]); // channel by channel, of two pixels
const png = (channels: 1 | 2 | 3 | 4, data = rgba.slice(0, 2 * channels)): Uint8Array =>
  encodePng({ data, shape: [channels, 1, 2] });

test('grey, RGB and what is transparent, from bytes and Blobs', async () => {
  expect(await readImage(png(3))).toEqual({ data: rgba.slice(0, 6), shape: [3, 1, 2] });
  expect((await readImage(new Blob([png(3) as Uint8Array<ArrayBuffer>]))).data).toEqual(rgba.slice(0, 6));
  expect((await readImage(png(1))).data).toEqual(Uint8Array.from([10, 200, 10, 200, 10, 200]));
  expect((await readImage(png(1), { channels: 1 })).data).toEqual(Uint8Array.from([10, 200]));
  expect((await readImage(png(4))).data).toEqual(Uint8Array.from([10, 255, 20, 255, 30, 255]));
  expect((await readImage(png(4), { channels: 4 })).data).toEqual(rgba);
  expect((await readImage(png(3), { channels: 4 })).data.slice(6)).toEqual(Uint8Array.from([255, 255]));
  expect((await readImage(png(2, Uint8Array.from([9, 8, 255, 255])), { channels: 4 })).data).toEqual(
    Uint8Array.from([9, 8, 9, 8, 9, 8, 255, 255]),
  );
});

test('a picture is turned as its EXIF entry says', async () => {
  const turned = await sharp(png(3)).withMetadata({ orientation: 6 }).png().toBuffer();
  expect((await readImage(turned)).shape).toEqual([3, 2, 1]);
});

test('what is no picture is said', async () => {
  await expect(readImage(new TextEncoder().encode('no picture at all'))).rejects.toThrow(FormatError);
  await expect(readImage(png(3).slice(0, 40))).rejects.toThrow(/^readImage: the picture cannot be decoded \(/);
  await expect(readImage(new Uint8Array(0))).rejects.toThrow('readImage: the picture is empty.');
  await expect(readImage('/nowhere/a.png')).rejects.toThrow('/nowhere/a.png');
  await expect(readImage(png(3), { channels: 2 as 3 })).rejects.toThrow('readImage: channels is 2. Use 1, 3 or 4.');
});
