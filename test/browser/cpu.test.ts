// The CPU runtime in Chromium: in a page with threads (cross-origin isolated), in a page without, and in a worker.
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, whyNoBrowser } from './browser.js';

const entry = fileURLToPath(new URL('cpu-page.ts', import.meta.url));
let browser: Awaited<ReturnType<typeof openBrowser>>;

describe.skipIf(whyNoBrowser)('CpuRuntime in a browser', () => {
  beforeAll(async () => void (browser = await openBrowser()));

  test.each([
    { where: 'an isolated page', isolated: true, threads: 3 },
    { where: 'a page without isolation', isolated: false, threads: 1 },
    { where: 'a worker of an isolated page', isolated: true, worker: true, threads: 3 },
    { where: 'a worker without isolation', isolated: false, worker: true, threads: 1 },
  ])('in $where', async ({ threads, ...options }) => {
    const result = (await browser.run(entry, options)) as Record<string, unknown>;
    if (process.env['NABLA_DEBUG']) console.log(options.where, result['microseconds'], result['limitMb']);
    const fourth = (i: number): number[] => [0, 1, 2, 3].map((k) => (i + k) ** 4);
    expect(result).toMatchObject({
      threads,
      working: threads,
      features: { simd: true, relaxed: true, shared: options.isolated },
      first: [1, 4, 9, 16],
      ordered: [9, 19, 29, 39, 49].map(fourth),
      summed: 50 * threads * (threads + 1),
      afterGrowth: [1, 4, 9, 16],
      indexError: { index: 12, size: 10 },
      afterIndexError: 50 * threads * (threads + 1),
      afterTrap: [1, 4, 9, 16],
      trapped: expect.stringContaining('unreachable'),
      disposed: expect.stringContaining('has been disposed'),
    });
  });
});
