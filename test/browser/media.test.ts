// Pictures and sounds in a browser page: decoded by the page, with the numbers that sharp and nabla/audio give in Node.

import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { tensor } from '../../src/index.js';
import { encodeWav } from '../../src/audio/index.js';
import { encodePng } from '../../src/io/index.js';
import { openBrowser, whyNoBrowser } from './browser.js';
import { type Seen, type main, seen } from './media-page.js';

const entry = fileURLToPath(new URL('media-page.ts', import.meta.url));
let browser: Awaited<ReturnType<typeof openBrowser>>;

/** 18×24 pixels; the last rows are half transparent. */
function picture(): Uint8Array {
  const data = Uint8Array.from({ length: 4 * 18 * 24 }, (_, i) => {
    const [channel, row, column] = [Math.floor(i / 432), Math.floor(i / 24) % 18, i % 24];
    return channel === 3 ? (row < 12 ? 255 : 128) : (column * 9 + row * 5 + channel * 60) % 256;
  });
  return encodePng({ data, shape: [4, 18, 24] });
}

const sound = (): Promise<Uint8Array> => {
  const rows = [440, 1000].map((hertz) =>
    Array.from({ length: 1024 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / 8000)),
  );
  return encodeWav(tensor(rows), 8000);
};

/** Largest difference. */
const far = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0) : Infinity;

describe.skipIf(whyNoBrowser)('pictures and sounds in a page', () => {
  beforeAll(async () => void (browser = await openBrowser()));

  test('readImage, preprocessing and nabla/audio', async () => {
    const media = { picture: picture(), sound: await sound(), turned: new Uint8Array() };
    media.turned = await sharp(media.picture).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const wanted: Seen = await seen(media);
    const files = {
      '/picture.png': ['image/png', media.picture],
      '/turned.jpg': ['image/jpeg', media.turned],
      '/sound.wav': ['audio/wav', media.sound],
    } as const;
    const found = (await browser.run(entry, { isolated: false, files })) as Awaited<ReturnType<typeof main>>;

    for (const [name, pixels] of Object.entries(wanted.images))
      expect([name, far(found.images[name], pixels) <= 2]).toEqual([name, true]); // a canvas rounds what is half transparent
    const opaque = (image: readonly number[]): number[] =>
      image.slice(3).filter((_, i) => Math.floor(i / 24) % 18 < 12);
    expect(opaque(found.images['bytes'])).toEqual(opaque(wanted.images['bytes']));
    expect([found.address, found.file]).toEqual([found.images['bytes'], found.images['bytes']]);
    expect(found.turned).toEqual(wanted.turned);
    expect(found.box).toEqual(wanted.box);
    for (const [name, tolerance] of [
      ['cropped', 0.02],
      ['framed', 2 / 255],
      ['mels', 1e-3],
      ['cepstrum', 1e-3],
      ['resampled', 1e-6],
      ['part', 0],
    ] as const)
      expect([name, far(found[name], wanted[name]) <= tolerance]).toEqual([name, true]);
    expect(far(found.ofCanvas, found.cropped)).toBeLessThan(0.02);
    expect([found.encoding, found.sound]).toEqual([wanted.encoding, wanted.sound]);
    expect([found.again, found.samples]).toEqual([true, [2, 1024]]);
    expect(found.errors[0]).toMatch(/^FormatError: readImage: the picture cannot be decoded/);
    expect(found.errors.slice(1)).toEqual(wanted.errors.slice(1));
    expect(found.path).toMatch(/readImage: there are no files here, so 'picture.png' cannot be read/);
    expect(found.missing).toMatch(/readImage: .*none\.png/);
  }, 60_000);
});
