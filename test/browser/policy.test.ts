// Pages with a Content-Security-Policy: without WebAssembly an error says what to allow; without workers one thread does all
// the work, with the same results, and every promise settles.

import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, whyNoBrowser } from './browser.js';

const pageOf = (name: string): string => fileURLToPath(new URL(`${name}-page.ts`, import.meta.url));
let browser: Awaited<ReturnType<typeof openBrowser>>;

interface Result {
  readonly losses?: readonly number[];
  readonly trained?: number;
  readonly threads?: number;
  readonly name?: string;
  readonly message?: string;
}

const places = [
  { where: 'a page', isolated: false },
  { where: 'an isolated page', isolated: true },
  { where: 'a worker', isolated: false, worker: true },
  { where: 'a worker of an isolated page', isolated: true, worker: true },
];
const NO_WORKERS = "script-src 'self' 'wasm-unsafe-eval'";
const NO_WASM = "script-src 'self'";
const ALL = "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:";

describe.skipIf(whyNoBrowser)('Content-Security-Policy', () => {
  let wanted: Result;
  beforeAll(async () => {
    browser = await openBrowser();
    wanted = (await browser.run(pageOf('policy'), { isolated: false })) as Result;
  }, 60_000);

  test.each(places)(
    '$where without WebAssembly: a DeviceError that names the directive',
    async (place) => {
      const { name, message } = (await browser.run(pageOf('policy'), { ...place, policy: NO_WASM })) as Result;
      expect(name).toBe('DeviceError');
      expect(message).toContain("Add 'wasm-unsafe-eval' to its script-src");
      expect(message).not.toContain('bug in nabla');
    },
    60_000,
  );

  test.each(places)(
    '$where without workers: one thread, the same losses, and a Trainer ends',
    async (place) => {
      const result = (await browser.run(pageOf('policy'), { ...place, policy: NO_WORKERS })) as Result;
      expect(result).toMatchObject({ threads: 1, trained: 3 });
      result.losses!.forEach((loss, i) => expect(loss).toBeCloseTo(wanted.losses![i]!, 5));
    },
    60_000,
  );

  test.each(places)(
    '$where with both allowed: threads where memory can be shared',
    async ({ isolated, ...place }) => {
      const result = (await browser.run(pageOf('policy'), { isolated, ...place, policy: ALL })) as Result;
      expect(result).toMatchObject({ threads: isolated ? 3 : 1, trained: 3 });
      result.losses!.forEach((loss, i) => expect(loss).toBeCloseTo(wanted.losses![i]!, 5));
    },
    60_000,
  );

  test('in a page that drives itself, a failed step takes back what was given after it', async () => {
    const run = (policy: string) => browser.run(pageOf('failed-steps'), { isolated: true, policy });
    expect(await run(NO_WORKERS)).toEqual(await run(ALL));
  }, 60_000);

  test('a DataLoader with workers says what to allow', async () => {
    const { message } = (await browser.run(pageOf('policy-loader'), { isolated: false, policy: NO_WORKERS })) as Result;
    expect(message).toContain('DataLoader: a worker stopped (it did not start;');
    expect(message).toContain("worker-src 'self' blob:");
  }, 60_000);
});
