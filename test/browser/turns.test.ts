// A page goes on drawing, and its timers go on, while a training loop runs in it.

import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, whyNoBrowser } from './browser.js';

const entry = fileURLToPath(new URL('turns-page.ts', import.meta.url));
let browser: Awaited<ReturnType<typeof openBrowser>>;

describe.skipIf(whyNoBrowser)('a training loop in a browser', () => {
  beforeAll(async () => void (browser = await openBrowser()));

  test.each([
    { where: 'a page without isolation', isolated: false },
    { where: 'an isolated page', isolated: true },
    { where: 'a worker', isolated: false, worker: true },
  ])(
    '$where: frames are drawn and timers go on',
    async (options) => {
      const result = (await browser.run(entry, options)) as Record<string, number>;
      expect(result['frames']).toBeGreaterThanOrEqual(5);
      expect(result['timers']).toBeGreaterThanOrEqual(5);
      expect(result['intervals']).toBeGreaterThanOrEqual(5);
      expect(result['steps']).toBeLessThan(result['most']!);
    },
    60_000,
  );
});
