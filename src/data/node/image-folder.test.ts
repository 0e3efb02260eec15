// Folders of pictures: order of classes and files as torchvision has it, decoding, damaged files.
import { createRequire } from 'node:module';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FormatError, NablaError } from '../../tensor/library.js';
import { setDevice } from '../../index.js';
import { DataLoader, SampleError, imageFolder } from '../index.js';

type Make = (from: object) => { png(): { toFile(path: string): Promise<unknown> } };
let sharp: Make | undefined;
try {
  sharp = createRequire(import.meta.url)('sharp') as Make;
} catch {
  // optional
}

let root: string;
beforeEach(() => {
  setDevice('reference');
  root = mkdtempSync(join(tmpdir(), 'nabla-images-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function put(name: string, background: object, width = 3, channels = 3): Promise<void> {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  await sharp!({ create: { width, height: 2, channels, background } })
    .png()
    .toFile(join(root, name));
}

const red = { r: 255, g: 10, b: 0 };
const blue = { r: 0, g: 0, b: 250 };

describe.skipIf(sharp === undefined)('needs the optional package sharp', () => {
  test('classes and pictures are in the order of their names; other files are left out', async () => {
    for (const name of ['b/2.png', 'b/10.png', 'b/a/x.PNG', 'a/1.png']) await put(name, red);
    writeFileSync(join(root, 'b', 'notes.txt'), 'not a picture');
    writeFileSync(join(root, 'readme.md'), '');
    for (const name of ['.cache/1.png', '__MACOSX/a/1.png', 'a/.hidden.png', 'b/.checkpoints/1.png'])
      await put(name, red);
    writeFileSync(join(root, 'a', '._1.png'), 'what macOS leaves beside a/1.png');
    const images = await imageFolder(root);
    expect(images.classes).toEqual(['a', 'b']);
    expect(images.paths.map((path) => relative(root, path))).toEqual(['a/1.png', 'b/10.png', 'b/2.png', 'b/a/x.PNG']);
    expect([...images.targets]).toEqual([0, 1, 1, 1]);
  });

  test('pictures become bytes [C, H, W]; alpha is dropped, sizes and grey can be asked for', async () => {
    await put('a/1.png', { ...red, alpha: 1 }, 3, 4);
    await put('b/1.png', blue);
    const images = await imageFolder(root);
    for await (const { x, y } of new DataLoader(images, { batchSize: 2, prefetch: 1 })) {
      expect([x.shape, x.dtype, y.dtype, await y.array()]).toEqual([[2, 3, 2, 3], 'float32', 'int32', [0, 1]]);
      const pixels = await x.data();
      expect([0, 6, 12, 18, 24, 30].map((i) => pixels[i])).toEqual([255, 10, 0, 0, 0, 250]);
    }
    await put('b/2.png', blue, 5);
    await expect((await imageFolder(root)).load()).rejects.toThrow(/2\.png has the shape \[3, 2, 5\].*Give a size/);
    const loaded = await (await imageFolder(root, { size: [4, 6], channels: 1 })).load();
    expect(loaded.gather([2]).x.shape).toEqual([1, 1, 4, 6]);
    const [first] = loaded.column('x');
    expect(first).toBe(82); // Pillow's grey of 255, 10, 0
  });

  test('a damaged picture is named, with its sample', async () => {
    await put('a/1.png', red);
    writeFileSync(join(root, 'a', '2.png'), Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1, 2, 3));
    const images = await imageFolder(root);
    const error: unknown = await images.get(1).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).path).toBe(join(root, 'a', '2.png'));
    const failed: unknown = await new DataLoader(images, { batchSize: 2 })
      .batches(0)
      .next()
      .catch((e: unknown) => e);
    expect(failed).toBeInstanceOf(SampleError);
    expect([(failed as SampleError).index, (failed as SampleError).cause instanceof FormatError]).toEqual([1, true]);
  });

  test('folders without classes or pictures', async () => {
    await expect(imageFolder(root)).rejects.toThrow(/has no folders\. Make one for each class/);
    mkdirSync(join(root, 'empty'));
    await expect(imageFolder(root)).rejects.toThrow("class 'empty' has no pictures");
    await expect(imageFolder(join(root, 'nowhere'))).rejects.toThrow(NablaError);
    await expect(imageFolder(root, { size: [0, 1] })).rejects.toThrow('size is [0, 1]');
  });

  test('a relative root stays what it was; a link that leads back is named', async () => {
    await put('photos/a/1.png', red);
    const before = process.cwd();
    try {
      process.chdir(root);
      const opening = imageFolder('photos');
      process.chdir(tmpdir());
      const images = await opening;
      expect((await images.get(0)).x.shape).toEqual([3, 2, 3]);
    } finally {
      process.chdir(before);
    }
    symlinkSync('..', join(root, 'photos/a/back'));
    await expect(imageFolder(join(root, 'photos'))).rejects.toThrow(/a[/\\]back leads back to .*Remove that link/);
  });
});
