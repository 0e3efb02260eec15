// A browser does not tell whose turn it is after an await: compiled functions must be right there, too, alone and at once.

import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, whyNoBrowser } from './browser.js';

const entry = fileURLToPath(new URL('capture-page.ts', import.meta.url));
let browser: Awaited<ReturnType<typeof openBrowser>>;

interface Result {
  readonly plain: readonly (readonly number[])[];
  readonly together: readonly (readonly number[])[];
  readonly alone: readonly number[];
  readonly captures: number;
  readonly gradients: boolean;
}

describe.skipIf(whyNoBrowser)('compiled functions in a browser page', () => {
  beforeAll(async () => void (browser = await openBrowser()));

  test.each([true, false])(
    'with threads: %s',
    async (isolated) => {
      const { plain, together, alone, captures, gradients } = (await browser.run(entry, { isolated })) as Result;
      expect(together).toEqual(plain);
      expect(alone).toEqual(plain[0]);
      expect(captures).toBe(1);
      expect(gradients).toBe(true);
    },
    60_000,
  );
});
