// Weights in a browser page: Files, bytes, addresses with progress, checksum and the page's cache.

import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import fixture from '../fixtures/torch-files.json' with { type: 'json' };
import { openBrowser, whyNoBrowser } from './browser.js';

const entry = fileURLToPath(new URL('weights-page.ts', import.meta.url));
let browser: Awaited<ReturnType<typeof openBrowser>>;

interface Result {
  readonly biases: number[][];
  readonly asked: number;
  readonly heard: number;
  readonly bytes: number;
  readonly refused: string;
  readonly path: string;
  readonly epoch: number;
}

describe.skipIf(whyNoBrowser)('weights in a browser', () => {
  beforeAll(async () => void (browser = await openBrowser()));

  test('from Files, bytes and addresses', async () => {
    const result = (await browser.run(entry, { isolated: false })) as unknown as Result;
    const checkpoint = fixture.read['checkpoint, zip'].value as {
      dict: [string, { dict: [string, { data: number[] }][] }][];
    };
    const bias = checkpoint.dict[1][1].dict[1][1].data;
    expect(result.biases).toEqual(new Array<number[]>(6).fill(bias));
    expect(result.asked).toBe(3); // the second time it comes from the cache; cache: false and another digest ask again
    expect([result.heard, result.epoch]).toEqual([result.bytes, 1]);
    expect(result.refused).toMatch(/has the SHA-256 [0-9a-f]{64}, and a{64} was expected/);
    expect(result.path).toBe(
      `ArgumentError: loadTorch: there are no files here, so 'model.pt' cannot be read. Give an http address, a File, or bytes.`,
    );
  }, 60_000);
});
