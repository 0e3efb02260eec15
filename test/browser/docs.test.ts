// The worker of docs/browsers.md trains in a worker of a page, and its weights come back.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleText, openBrowser, whyNoBrowser } from './browser.js';

const page = readFileSync(fileURLToPath(new URL('../../docs/browsers.md', import.meta.url)), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'nabla-docs-'));
let browser: Awaited<ReturnType<typeof openBrowser>>;

/** A page that starts the worker, gives it the task of the document and collects its answers. */
const entryOf = (worker: string): string => `
  export function main() {
    const script = new Blob([${JSON.stringify(worker)}], { type: 'text/javascript' });
    const worker = new Worker(URL.createObjectURL(script));
    const losses = [];
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => {
        if ('weights' in data) resolve({ losses, bytes: data.weights.length });
        else losses.push(data.loss);
      };
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage({ inputs: Float32Array.of(1, 2, 3), targets: Float32Array.of(2, 4, 6) });
    });
  }`;

describe.skipIf(whyNoBrowser)('docs/browsers.md', () => {
  beforeAll(async () => void (browser = await openBrowser()));
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([
    { where: 'a page', isolated: false },
    { where: 'an isolated page', isolated: true },
  ])(
    'the worker of $where',
    async ({ isolated }) => {
      const [, worker] = /^\/\/ train-worker\.ts\n([\s\S]*?)^```$/m.exec(page)!;
      const entry = join(folder, 'page.js');
      writeFileSync(entry, entryOf(await bundleText(worker)));
      const result = (await browser.run(entry, { isolated })) as { losses: number[]; bytes: number };
      expect(result.losses).toHaveLength(100);
      expect(result.losses.at(-1)).toBeLessThan(0.05);
      expect(result.bytes).toBeGreaterThan(8);
    },
    60_000,
  );
});
