// Threads and heap are set in a page, which has no environment variables.

import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, whyNoBrowser } from './browser.js';

const entry = fileURLToPath(new URL('configure-page.ts', import.meta.url));
let browser: Awaited<ReturnType<typeof openBrowser>>;

describe.skipIf(whyNoBrowser)('configure in a browser', () => {
  beforeAll(async () => void (browser = await openBrowser()));

  test.each([
    { where: 'an isolated page', isolated: true, threads: 2 },
    { where: 'a page without isolation', isolated: false, threads: 1 },
    { where: 'a worker of an isolated page', isolated: true, worker: true, threads: 2 },
  ])(
    '$where',
    async ({ threads, ...place }) => {
      expect(await browser.run(entry, place)).toEqual({
        first: [6, threads, 128],
        late: 'DeviceError: configure: the cpu device is in use already. Set threads and heapMB before the first tensor is made, or after await disposeDevices().',
        second: [6, 1, 128],
      });
    },
    60_000,
  );
});
