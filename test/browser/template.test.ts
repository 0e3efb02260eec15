// The template of examples/web, built by Vite as a project builds it, in Chromium: it trains in its worker, says what is drawn, and what it
// has learnt is there after the page was loaded again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, describe, expect, test } from 'vitest';
import { serve } from '../../site/serve.mjs';
import { whyNoBrowser } from './browser.js';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nabla-template-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(whyNoBrowser)('the template', () => {
  test('is built by Vite and works', async () => {
    await build({
      root: at('examples/web/template'),
      logLevel: 'error',
      resolve: {
        alias: [
          { find: /^nabla$/, replacement: at('src/index.ts') },
          { find: /^nabla\/([a-z/]+)$/, replacement: `${at('src')}/$1/index.ts` },
        ],
      },
      build: { outDir: folder, emptyOutDir: true, minify: false },
    });
    const { url, close } = await serve(folder);
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu'],
    });
    try {
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => void errors.push(String(error)));
      page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
      await page.goto(`${url}index.html`);
      const answer = page.locator('#answer');
      /** A stroke down the middle. */
      const draw = async (): Promise<void> => {
        const box = (await page.locator('#canvas').boundingBox())!;
        const x = box.x + box.width / 2;
        await page.mouse.move(x, box.y + 30);
        await page.mouse.down();
        await page.mouse.move(x, box.y + 226, { steps: 5 });
        await page.mouse.up();
      };
      await draw();
      await answer.filter({ hasText: 'Train it first.' }).waitFor();
      await page.locator('#train').click();
      await answer.filter({ hasText: /^Trained: 9\d\.\d %/ }).waitFor({ timeout: 60_000 });
      await page.reload();
      await draw();
      await answer.filter({ hasText: /^A \d\?/ }).waitFor();
      expect(errors).toEqual([]);
    } finally {
      await browser.close();
      close();
    }
  }, 120_000);
});
