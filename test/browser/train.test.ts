// Training in a browser page, bundled by esbuild without configuration: with threads where the page is cross-origin
// isolated, on one thread where it is not. Both give the same curve to rounding.

import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, whyNoBrowser } from './browser.js';

const entry = fileURLToPath(new URL('train-page.ts', import.meta.url));
let browser: Awaited<ReturnType<typeof openBrowser>>;

interface Result {
  readonly losses: number[];
  readonly accuracy: number;
  readonly values: number;
  readonly reference: number;
  readonly details: Record<string, unknown>;
}

describe.skipIf(whyNoBrowser)('training in a browser', () => {
  beforeAll(async () => void (browser = await openBrowser()));

  test('a page trains an MLP on the digits, with and without threads', async () => {
    const isolated = (await browser.run(entry, { isolated: true })) as unknown as Result;
    const plain = (await browser.run(entry, { isolated: false })) as unknown as Result;
    expect(isolated.details).toMatchObject({ 'shared memory': true, simd: true });
    expect(plain.details).toMatchObject({ 'shared memory': false, threads: 1 });
    for (const { accuracy, losses, values, reference } of [isolated, plain]) {
      expect(accuracy).toBeGreaterThan(0.93);
      expect(losses.at(-1)).toBeLessThan(losses[0]);
      expect(values).toBeCloseTo(reference, 4);
    }
    isolated.losses.forEach((loss, i) => expect(loss).toBeCloseTo(plain.losses[i], 4));
  }, 60_000);
});
