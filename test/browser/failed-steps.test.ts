// In a page with threads the error of a step comes when somebody reads. By then later steps have been given: none of them may
// build on the one that failed.

import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, whyNoBrowser } from './browser.js';

const entry = fileURLToPath(new URL('failed-steps-page.ts', import.meta.url));
let browser: Awaited<ReturnType<typeof openBrowser>>;

interface Result {
  readonly losses: readonly (number | string)[];
  readonly later: readonly number[];
  readonly counts: readonly number[];
  readonly weights: readonly (readonly number[])[];
}

describe.skipIf(whyNoBrowser)('steps in a browser page with threads', () => {
  beforeAll(async () => void (browser = await openBrowser()));

  test('a step that fails and those given before anybody knew have not been tried', async () => {
    const results = (await browser.run(entry, { isolated: true })) as Record<string, Result>;
    for (const kind of ['eager', 'captured']) {
      const [hit, clean] = [results[kind], results[`${kind}, clean`]];
      const text = expect.stringContaining('crossEntropy: label 3 is no class');
      expect(hit.losses).toEqual([...clean.losses, text, text, text]);
      const { counts, later, weights } = hit;
      expect({ counts, later, weights }).toEqual({ counts: clean.counts, later: clean.later, weights: clean.weights });
    }
  }, 60_000);
});
