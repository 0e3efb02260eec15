// nabla/browser in a page: pictures of all kinds as tensors and back, files that stay, functions of a worker, and what is refused.
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { connect, expose, fromPixels, openBrowserFiles, toPixels } from 'nabla/browser';
import { zeros } from 'nabla';
import { bundleText, openBrowser, whyNoBrowser } from './browser.js';
import type { main } from './page-tools-page.js';

const entry = fileURLToPath(new URL('page-tools-page.ts', import.meta.url));
let browser: Awaited<ReturnType<typeof openBrowser>>;

describe.skipIf(whyNoBrowser)('nabla/browser', () => {
  beforeAll(async () => void (browser = await openBrowser()));

  test('pictures, files and calls', async () => {
    const exposing = "import { expose } from 'nabla/browser'; expose({ add: (a, b) => a + b });";
    const files = {
      '/late.js': ['text/javascript', "setTimeout(() => importScripts('/exposing.js'), 100);"],
      '/exposing.js': ['text/javascript', await bundleText(exposing)],
    } as const;
    const found = (await browser.run(entry, { isolated: false, files })) as Awaited<ReturnType<typeof main>>;
    const { pictures, opfs, indexeddb, calls, failures } = found;
    expect(pictures).toMatchObject({
      rgb: [
        [3, 1, 2],
        [[[1, 1]], [[0, 1]], [[0, 1]]],
      ], // blue is transparent: the white behind it is seen
      opacity: [[[1, 0]], [[0, 0]], [[0, 1]], [[1, 0]]],
      bitmap: 0,
      scaled: [1, 4, 6],
      bytes: [0, 0, 0, 255, 255, 255, 255, 255],
    });
    expect(pictures.grey[0]![0]![0]).toBeCloseTo(76 / 255, 5);
    const [width, height, pixels] = pictures.canvas;
    expect([width, height]).toEqual([2, 1]);
    for (const [c, row] of [
      [0, 128 / 255],
      [1, 1],
      [0, 1],
    ].entries())
      row.forEach((value, i) => expect((pixels as number[][][])[c]![0]![i]).toBeCloseTo(value, 5));
    expect(pictures.wrong).toEqual([
      expect.stringMatching(/^ArgumentError: fromPixels: the image is not loaded/),
      expect.stringMatching(/^ArgumentError: fromPixels: the video shows no picture yet/),
      expect.stringMatching(/^ArgumentError: fromPixels: .*a picture/),
      expect.stringMatching(/^ArgumentError: fromPixels: .*channels.*2/),
      expect.stringMatching(/^ArgumentError: fromPixels: .*size/),
      expect.stringMatching(/^ShapeError: toPixels: \[3\]: need \[H, W\]/),
      expect.stringMatching(/^ArgumentError: toPixels: .*a canvas/),
    ]);
    for (const stored of [opfs, indexeddb]) {
      expect(stored).toMatchObject({
        names: ['layer.safetensors', 'other'],
        other: [4],
        gap: 0,
        left: [false, ['layer.safetensors']],
      });
      expect(stored.wrong).toEqual([
        "NablaError: read: there is no 'other'. There are layer.safetensors.",
        expect.stringMatching(/^ArgumentError: write: 'a\/b' is no name of a file/),
        expect.stringMatching(/^ArgumentError: write: .*a Uint8Array/),
      ]);
    }
    expect(calls.results).toEqual([6, 5]);
    expect(calls.steps).toEqual([0, 1, 2]);
    expect(calls.wrong).toEqual([
      expect.stringMatching(/^ShapeError: add/),
      expect.stringMatching(/^ArgumentError: missing: the worker has no such function\. It has sum, add/),
      expect.stringMatching(/^NablaError: tensor: its result is nothing that a message carries/),
      expect.stringMatching(/^ArgumentError: add: an argument is nothing that a message carries \(.*Symbol/),
      expect.stringMatching(/^ArgumentError: connect: /),
      expect.stringMatching(/^ArgumentError: expose: /),
    ]);
    expect(calls.early).toEqual({
      results: [6, 4, 5],
      told: [1, 2, 3],
      wrong: expect.stringMatching(/^ArgumentError: sum: an argument is nothing that a message carries/),
      lateSum: 5,
      failed: Array(3).fill('NablaError: connect: the worker has failed (Uncaught Error: no chunk).'),
    });
    const failed = (cause: string): string[] => Array(2).fill(`NablaError: connect: the worker has failed (${cause}).`);
    expect(failures).toEqual({
      missing: failed('its script cannot be loaded: look at its address, and at the network'),
      throwing: failed('Uncaught Error: no heap'),
      unreadable: failed("Uncaught SyntaxError: Unexpected token '='"),
      alive: ['3', 'NablaError: connect: the worker has failed (Uncaught Error: outside of a call).', '3'],
    });
  }, 60_000);
});

test('outside of a browser each says what is missing', async () => {
  expect(() => fromPixels({ width: 2, height: 2 } as ImageBitmap)).toThrow(/fromPixels: there is no canvas here/);
  await expect(toPixels(zeros([2, 2]))).rejects.toThrow(/toPixels: there are no canvases here/);
  await expect(openBrowserFiles()).rejects.toThrow(/openBrowserFiles: there is no storage of a browser here/);
  await expect(openBrowserFiles({ in: 'opfs' })).rejects.toThrow(/no private file system here/);
  await expect(openBrowserFiles({ folder: '../x' })).rejects.toThrow(/is no name of a file/);
  expect(() => expose({})).toThrow(/expose: there is no page to answer here/);
  expect(() => connect(null as never)).toThrow(/^connect: /);
});
