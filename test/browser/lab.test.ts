// The lab in Chromium: every page loads without an error in its console, every figure computes, a control changes what it shows, the
// program behind "Show code", run in Node, prints what the page shows, and on a phone nothing is wider than the screen.
// A page is loaded once, with all of its figures set to end soon; the programs run in Node meanwhile.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, type Page, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildLab, bundleProgram } from '../../site/bundle.mjs';
import { encodePng } from '../../src/io/png.js';
import { whyNoBrowser } from './browser.js';

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
/** Settings under which a figure ends soon, and one control that is then changed. */
const TRIALS: Readonly<Record<string, { readonly hash: Record<string, string>; readonly change: [string, string] }>> = {
  playground: { hash: { steps: '100', points: '100' }, change: ['data', 'moons'] },
  neighbours: { hash: { points: '60' }, change: ['k', '1'] },
  kmeans: { hash: { points: '100', init: 'plus' }, change: ['init', 'random'] },
  components: { hash: {}, change: ['components', '3'] },
  likelihood: { hash: {}, change: ['slope', '1'] },
  border: { hash: { steps: '20' }, change: ['score', '-2'] },
  formula: {
    hash: { formula: '-x ^ 2 * y', values: 'x = 2, y = 3' },
    change: ['values', 'x = 1, y = 2'],
  },
  kernel: { hash: { slide: 'false', row: '3', column: '5' }, change: ['kernel', 'vertical'] },
  field: { hash: {}, change: ['layer', '2'] },
  pooling: { hash: {}, change: ['shift', '2'] },
  momentum: { hash: { steps: '20' }, change: ['momentum', '0.5'] },
  batches: { hash: { samples: '512' }, change: ['batch', '4'] },
  race: { hash: { steps: '20' }, change: ['surface', 'himmelblau'] },
  rates: { hash: { steps: '20', batch: '8' }, change: ['schedule', 'cosine'] },
  capacity: { hash: { degree: '3', points: '12' }, change: ['points', '20'] },
  sizes: { hash: { steps: '20' }, change: ['width', '4'] },
  tuning: { hash: { points: '2', steps: '5' }, change: ['steps', '10'] },
  table: { hash: { steps: '20' }, change: ['target', 'petal width'] },
  activations: { hash: {}, change: ['activation', 'relu'] },
  initialisation: { hash: { steps: '2' }, change: ['start', 'xavier'] },
  losses: { hash: {}, change: ['right', '1'] },
  dropout: { hash: { steps: '20', members: '4' }, change: ['drop', '0.3'] },
  batchnorm: { hash: { steps: '10' }, change: ['batch', '4'] },
  decay: { hash: { steps: '20' }, change: ['width', '16'] },
  augmentation: { hash: {}, change: ['seed', '2'] },
  architectures: { hash: { model: 'lenet' }, change: ['model', 'own'] },
  drawing: { hash: { steps: '10', picture: '2' }, change: ['picture', '3'] },
  upsampling: { hash: {}, change: ['stride', '3'] },
  unrolled: { hash: { length: '6' }, change: ['length', '8'] },
  gates: { hash: { steps: '10' }, change: ['text', 'a(b)c'] },
  characters: { hash: { steps: '15', hidden: '16' }, change: ['seed', '2'] },
  attention: { hash: {}, change: ['mask', 'causal'] },
  positions: { hash: {}, change: ['at', '20'] },
  transformer: { hash: { steps: '10' }, change: ['task', 'sort'] },
  latent: { hash: { steps: '10' }, change: ['model', 'plain'] },
  gan: { hash: { steps: '10' }, change: ['data', 'two'] },
  cartpole: { hash: { updates: '10', speed: '5' }, change: ['seed', '2'] },
  messages: { hash: { steps: '2' }, change: ['layers', '4'] },
  adversarial: { hash: { steps: '10' }, change: ['picture', '9'] },
};

const folder = mkdtempSync(join(tmpdir(), 'nabla-lab-'));
const lectures = whyNoBrowser ? [] : await buildLab(folder, (tex) => `<code>${tex}</code>`);
let server: Server;
let browser: Browser;

async function open(name: string, hash: string, width = 1200): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  const errors: string[] = [];
  page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
  page.on('pageerror', (error) => void errors.push(String(error)));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/lab/${name}.html${hash}`);
  return { page, errors };
}

async function valuesOf(page: Page, figure: string): Promise<Record<string, unknown>> {
  await page.locator(`#${figure}`).scrollIntoViewIfNeeded();
  const ended = await page.waitForSelector(`#${figure}[data-state='done'], #${figure}[data-state='error']`);
  const [state, text] = [
    await ended.getAttribute('data-state'),
    await page.locator(`#${figure} .status`).textContent(),
  ];
  if (state === 'error') throw new Error(`${figure}: ${text}`);
  return JSON.parse((await page.locator(`#${figure} .values`).getAttribute('data-values')) ?? '{}');
}

/** What programs of figures print in Node at last, each after the other in one process. */
async function print(lecture: string, programs: Readonly<Record<string, string>>): Promise<unknown[]> {
  const file = join(folder, `${lecture}.mjs`);
  const all = Object.keys(programs).map((name) => `await import('program:${name}');\nconsole.log('end');\n`);
  writeFileSync(file, await bundleProgram(all.join(''), programs));
  const env = { ...process.env, NABLA_CPU: 'wasm', NABLA_THREADS: '1' };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { env });
  expect(stderr).toBe('');
  const printed = stdout.split('end\n').slice(0, -1);
  return printed.map((text) => JSON.parse(text.trimEnd().split('\n').at(-1)!));
}

describe.skipIf(whyNoBrowser)('the lab', () => {
  beforeAll(async () => {
    server = createServer(({ url = '/' }, response) => {
      const path = new URL(url, 'http://lab').pathname;
      response.setHeader('Content-Type', `${TYPES[extname(path)] ?? 'text/plain'}; charset=utf-8`);
      response.end(readFileSync(join(folder, path)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(lectures.map((lecture) => ({ lecture, name: lecture.name })))(
    '$name',
    async ({ lecture }) => {
      const names = lecture.figures.map((figure) => figure.name);
      const state = names.flatMap((name) =>
        Object.entries(TRIALS[name]!.hash).map(([key, value]) => [`${name}.${key}`, value]),
      );
      const { page, errors } = await open(lecture.name, `#${new URLSearchParams(state)}`);
      const programs: Record<string, string> = {};
      for (const name of names) programs[name] = (await page.locator(`#${name} .code code`).textContent())!;
      const printed = print(lecture.name, programs);
      const shown: Record<string, unknown>[] = [];
      for (const name of names) shown.push(await valuesOf(page, name));
      expect(await printed).toEqual(shown);

      for (const [i, name] of names.entries()) {
        const [control, value] = TRIALS[name]!.change;
        const input = page.locator(`#${name}-${control}`);
        // Out of sight a figure rests.
        await page.locator(`#${name}`).scrollIntoViewIfNeeded();
        if ((await input.evaluate((e) => e.tagName)) === 'SELECT') await input.selectOption(value);
        else await input.fill(value);
        await input.blur();
        await page.waitForFunction(
          ([figure, before]) => {
            const root = document.querySelector<HTMLElement>(`#${figure}`);
            const now = root?.querySelector<HTMLElement>('.values')?.dataset['values'];
            return root?.dataset['state'] === 'error' || (root?.dataset['state'] === 'done' && now !== before);
          },
          [name, JSON.stringify(shown[i])],
        );
        expect(await valuesOf(page, name)).not.toEqual(shown[i]);
        expect(new URLSearchParams(new URL(page.url()).hash.slice(1)).get(`${name}.${control}`)).toBe(value);
      }
      await page.getByRole('button', { name: 'Reset' }).first().click();
      expect(errors).toEqual([]);
      await page.close();
    },
    60_000,
  );

  test('a picture of one’s own is augmented, and Node has the same numbers', async () => {
    const { page, errors } = await open('regularisation', '');
    const root = page.locator('#augmentation');
    const boat = await valuesOf(page, 'augmentation');
    const stripes = Uint8ClampedArray.from({ length: 3 * 96 * 96 }, (_, i) => (i % 7) * 36);
    const buffer = Buffer.from(encodePng({ data: stripes, shape: [3, 96, 96] }));
    await page.locator('#augmentation-picture').setInputFiles({ name: 'stripes.png', mimeType: 'image/png', buffer });
    await page.waitForFunction(
      (before) => document.querySelector<HTMLElement>('#augmentation .values')?.dataset['values'] !== before,
      JSON.stringify(boat),
    );
    const shown = await valuesOf(page, 'augmentation');
    const program = (await root.locator('.code code').textContent())!;
    expect(await print('own', { augmentation: program })).toEqual([shown]);
    expect(new URL(page.url()).hash).not.toContain('picture');
    await page
      .locator('#augmentation-picture')
      .setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('no') });
    await root.getByText('This is no picture that the browser can read.').waitFor();
    await root.getByRole('button', { name: 'The boat again' }).click();
    await page.waitForFunction(
      (before) => document.querySelector<HTMLElement>('#augmentation .values')?.dataset['values'] === before,
      JSON.stringify(boat),
    );
    expect(errors).toEqual([]);
    await page.close();
  });

  test('a table of one’s own is learnt: its last column or another, in words what is wrong with it', async () => {
    const { page, errors } = await open('recipe', '#table.steps=50');
    const root = page.locator('#table');
    await valuesOf(page, 'table');
    const rows = Array.from({ length: 60 }, (_, i) => `${i};${i % 2 ? 'yes' : 'no'};${(i % 7) / 2};${i % 2 ? 3 : -1}`);
    const give = (text: string) =>
      page.locator('#table-file').setInputFiles({ name: 'own.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    await give(['id;answer;x;y', ...rows].join('\r\n'));
    await page.waitForFunction(() =>
      document.querySelector<HTMLElement>('#table .values')?.dataset['values']?.includes('"predicts":"y"'),
    );
    const shown = await valuesOf(page, 'table');
    expect(shown).toMatchObject({ predicts: 'y', from: '3 columns of 45 rows', 'right of the rest': 1 });
    const program = (await root.locator('.code code').textContent())!;
    expect(await print('table', { table: program })).toEqual([shown]);
    expect(new URL(page.url()).hash).not.toContain('file');
    await page.locator('#table-target').fill('z');
    await page.locator('#table-target').blur();
    const unknown = "csv: there is no column 'z'. There are 'id', 'answer', 'x', 'y'.";
    await root.locator('.status').filter({ hasText: unknown }).waitFor();
    await give('a,b\n1,2\n');
    await page.locator('#table-target').fill('');
    await page.locator('#table-target').blur();
    await root.locator('.status').filter({ hasText: 'At least 12 are needed.' }).waitFor();
    expect(errors).toEqual([]);
    await page.close();
  }, 60_000);

  test('a network is put together from blocks, by keys and by dragging, and says where it does not fit', async () => {
    const { page, errors } = await open('architectures', '#architectures.own=conv 4 3; flatten; linear 10');
    page.setDefaultTimeout(5000);
    const root = page.locator('#architectures');
    const items = root.locator('.blocks li');
    const text = root.locator('#architectures-own');
    const says = (i: number, words: string | RegExp) =>
      items.nth(i).locator('small').filter({ hasText: words }).waitFor();
    await root.scrollIntoViewIfNeeded();
    await root.getByRole('button', { name: '+ Max pool' }).focus();
    await page.keyboard.press('Enter');
    await says(3, /^It takes a map, and 10 is a vector/);
    await page.keyboard.press('ArrowUp'); // the new block's handle has the focus
    await page.keyboard.press('ArrowUp');
    await says(1, '4 × 16 × 16');
    await says(3, '10 · 10.3 k parameters · 10.2 k multiply-adds');
    expect(await text.inputValue()).toBe('conv 4 3; pool 2; flatten; linear 10');
    await items.nth(1).getByLabel('Max pool: window').fill('4');
    await items.nth(1).getByLabel('Max pool: window').blur();
    await says(1, '4 × 8 × 8');
    const grip = (await items.nth(2).locator('.handle').boundingBox())!;
    const top = (await items.nth(0).boundingBox())!;
    await page.mouse.move(grip.x + 5, grip.y + 5);
    await page.mouse.down();
    await page.mouse.move(grip.x + 5, top.y + 20, { steps: 3 });
    await page.mouse.move(grip.x + 5, top.y + 2);
    await page.mouse.up();
    expect(await text.inputValue()).toBe('flatten; conv 4 3; pool 4; linear 10');
    await says(1, /^It takes a map, and 3072 is a vector/);
    await says(3, 'waits for those above');
    await items.nth(0).locator('.handle').focus();
    await page.keyboard.press('Delete');
    await says(2, /^A linear layer takes a vector, and 4 × 8 × 8 is a map/);
    expect(await root.locator('.building pre').textContent()).toBe(
      'const model = new Sequential(\n  new Conv2d(3, 4, 3, { padding: 1, stride: 1 }), // 4 × 32 × 32\n  new MaxPool2d(4), // 4 × 8 × 8\n);',
    );
    expect(await root.locator('#architectures-model').inputValue()).toBe('own');

    // A picture is touched: the worker that draws it says what that sets.
    const sheet = page.locator("#drawing canvas[data-view='sheet']");
    await sheet.scrollIntoViewIfNeeded();
    await page.locator('#drawing .values b').first().waitFor();
    const place = (await sheet.boundingBox())!;
    await page.mouse.move(place.x + place.width / 2, place.y + 20);
    await page.mouse.down();
    await page.mouse.move(place.x + place.width / 2, place.y + place.height - 20, { steps: 6 });
    await page.mouse.up();
    await page.waitForFunction(() =>
      /[1-9a-f].*[1-9a-f]/.test(document.querySelector<HTMLInputElement>('#drawing-pixels')!.value),
    );
    expect(await page.locator('#drawing-picture').inputValue()).toBe('drawn');
    expect(errors).toEqual([]);
    await page.close();
  });

  test('while the playground trains, the page is never held up for 50 ms', async () => {
    const { page, errors } = await open('networks', '#playground.steps=600');
    await page.evaluate(() => {
      const durations: number[] = [];
      Object.assign(globalThis, { durations });
      new PerformanceObserver((list) => durations.push(...list.getEntries().map(({ duration }) => duration))).observe({
        type: 'longtask',
      });
    });
    // Others compute on this machine, too: of three runs one has to be free of tasks that the browser calls long.
    const longest: number[] = [];
    while (longest.length < 3 && !longest.includes(0)) {
      if (longest.length > 0) await page.locator('#playground .play').click();
      await page.waitForSelector("#playground[data-state='running']");
      await page.evaluate('durations.length = 0');
      await page.waitForSelector("#playground[data-state='done']");
      longest.push(await page.evaluate<number>('Math.max(0, ...durations)'));
    }
    expect(longest).toContain(0);
    expect(errors).toEqual([]);
    await page.close();
  }, 60_000);

  test('on a phone nothing is wider than the screen', async () => {
    for (const { name } of [{ name: 'index' }, ...lectures]) {
      const { page, errors } = await open(name, '', 360);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect({ name, isWider: width > 360 }).toEqual({ name, isWider: false });
      expect(errors).toEqual([]);
      await page.close();
    }
  }, 60_000);

  test('what an address says wrongly is passed over, and a wrong list of widths is an error in words', async () => {
    const { page, errors } = await open(
      'networks',
      '#playground.data=none&playground.points=1e9&playground.hidden=9,x',
    );
    await page.waitForSelector("#playground[data-state='error']");
    expect(await page.locator('#playground .status').textContent()).toMatch(/^Hidden layers: up to six widths/);
    expect(await page.locator('#playground-data').inputValue()).toBe('circles');
    expect(await page.locator('#playground-points').inputValue()).toBe('1000');
    expect(errors).toEqual([]);
    await page.close();
  });
});
