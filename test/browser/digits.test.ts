// examples/web/digits.ts: a network that PyTorch has trained and saved as .pt reads digits in a page.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { digits } from '../../src/data/index.js';
import { openBrowser, whyNoBrowser } from './browser.js';
import type { Drawn } from './digits-page.js';

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const example = (name: string): Uint8Array => readFileSync(fileOf(`../../examples/web/${name}`));
let browser: Awaited<ReturnType<typeof openBrowser>>;

describe.skipIf(whyNoBrowser)('from a .pt to a page', () => {
  beforeAll(async () => void (browser = await openBrowser()));

  test('digits that are drawn are read', async () => {
    const [x, y] = [digits().column('x'), digits().column('y')];
    const images = Array.from({ length: 20 }, (_, i) => [...x.subarray(64 * i, 64 * (i + 1))]);
    const files = {
      '/digits.json': ['application/json', JSON.stringify(images)],
      '/digits.html': ['text/html', example('digits.html')],
      '/digits.pt': ['application/octet-stream', example('digits.pt')],
    } as const;
    const { seen, stroke } = (await browser.run(fileOf('digits-page.ts'), { isolated: false, files })) as Drawn;
    const right = seen.filter((digit, i) => digit === y[i]).length;
    expect(right).toBeGreaterThanOrEqual(18);
    expect(stroke).toBe(1);
  }, 60_000);
});
