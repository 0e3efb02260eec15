// The dashboard's server on run folders that are written, grow, are damaged and go; what it refuses; its page in a browser.

import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chromium } from 'playwright-core';
import { whyNoBrowser } from '../../../test/browser/browser.js';
import { SummaryWriter, writeConfusion } from '../../train/index.js';
import { rand } from '../../index.js';
import { Linear, ReLU, Sequential } from '../../nn/index.js';
import { readEvents } from '../../train/logging/event-reader.js';
import { frameRecord } from '../../train/logging/tf-record.js';
import { type RunEvent, formatEvent } from '../../train/record.js';
import type { RunDetails, RunList, SeriesData } from './api.js';
import { Axes } from './axes.js';
import { Series, visible } from './series.js';
import { type Dashboard, serve } from './server.js';

let folder: string;
let dashboard: Dashboard;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-dashboard-'));
  dashboard = await serve(folder, '<html><script nonce="NONCE"></script></html>');
});
afterEach(async () => {
  await dashboard.close();
  rmSync(folder, { recursive: true, force: true });
});

const start: RunEvent = {
  event: 'start',
  time: '2030-01-01T00:00:00Z',
  config: { run: 'digits', settings: { lr: 0.1, nested: {} } },
  facts: {
    epochs: 2,
    parameters: 12,
    layers: [
      { name: '0', kind: 'Linear' },
      { name: '1', kind: 'ReLU' },
    ],
  },
};
const step = (n: number): RunEvent => ({
  event: 'step',
  step: n,
  epoch: 1,
  loss: n === 3 ? NaN : 1 / n,
  lr: 0.1,
  gradNorm: 2,
});
const epoch = (n: number): RunEvent => ({
  event: 'epoch',
  epoch: n,
  step: 10 * n,
  train: { loss: 1 / n },
  validation: { loss: 2 / n, accuracy: 0.5 },
  lr: 0.1,
  seconds: 5,
  samplesPerSecond: 10,
});
const lines = (...events: readonly RunEvent[]): string => events.map((event) => `${formatEvent(event)}\n`).join('');
const steps = (from: number, to: number): RunEvent[] => Array.from({ length: to - from + 1 }, (_, i) => step(from + i));

function writeRun(name: string, text: string): string {
  mkdirSync(join(folder, name), { recursive: true });
  const path = join(folder, name, 'metrics.jsonl');
  writeFileSync(path, text);
  return path;
}

async function ask<T>(path: string, query: Record<string, string | number> = {}): Promise<T> {
  const url = new URL(dashboard.url);
  url.pathname = path;
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, String(value));
  const response = await fetch(url);
  expect([response.status, response.ok ? '' : await response.text()]).toEqual([200, '']);
  return (await response.json()) as T;
}

const list = (): Promise<RunList> => ask<RunList>('/api/runs');

describe('runs', () => {
  test('are followed: new ones, new lines, half of a line, and those that are gone', async () => {
    expect((await list()).runs).toEqual([]);
    const whole = lines(start, ...steps(1, 10), epoch(1));
    const path = writeRun('first', whole.slice(0, -20));
    let [run] = (await list()).runs;
    expect(run).toMatchObject({
      name: 'first',
      task: 'digits',
      status: 'unfinished',
      epochs: 0,
      settings: { lr: 0.1 },
    });
    appendFileSync(path, whole.slice(-20));
    [run] = (await list()).runs;
    expect(run).toMatchObject({ epochs: 1, plannedEpochs: 2, seconds: 5, best: { loss: 2, accuracy: 0.5 } });
    const series = await ask<SeriesData[]>('/api/series', { runs: run.id });
    const loss = series.find(({ chart, part }) => chart === 'loss' && part === 'step');
    expect(loss?.step).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(loss?.value.slice(0, 4)).toEqual([1, 0.5, null, 0.25]); // NaN
    expect(loss?.seconds?.[3]).toBe(2); // of 5 for 10 steps
    const { version } = await list();
    expect(await ask('/api/runs', { known: version })).toMatchObject({ version, runs: [] });
    rmSync(join(folder, 'first'), { recursive: true });
    expect((await list()).runs).toEqual([]);
  });

  test('a record that was replaced by a shorter one is read again', async () => {
    const path = writeRun('a', lines(start, ...steps(1, 20), epoch(1), epoch(2)));
    expect((await list()).runs[0].epochs).toBe(2);
    rmSync(path);
    writeRun('a', lines(start, ...steps(1, 4)));
    const [run] = (await list()).runs;
    expect(run.epochs).toBe(0);
    const [loss] = await ask<SeriesData[]>('/api/series', { runs: run.id });
    expect(loss.count).toBe(4);
  });

  test('damaged lines count for nothing, and a long record is read whole when it is asked for', async () => {
    const many = lines(start, ...steps(1, 15_000), epoch(1));
    writeRun('long', `{"event":"step","step":\n\u0000\u0001\n${many}{"event":"end","reason":`);
    const [run] = (await list()).runs;
    expect(run).toMatchObject({ epochs: 1, task: 'digits', fault: null });
    const series = await ask<SeriesData[]>('/api/series', { runs: run.id });
    const loss = series.find(({ chart, part }) => chart === 'loss' && part === 'step');
    expect(loss?.count).toBe(15_000);
    expect(loss?.step.length).toBeLessThan(1600);
    const zoomed = await ask<SeriesData[]>('/api/series', { runs: run.id, from: 100, to: 200 });
    expect(zoomed[0].step.slice(0, 3)).toEqual([99, 100, 101]);
    const details = await ask<RunDetails>('/api/details', { run: run.id });
    expect(details.diagnoses.map(({ code }) => code)).toContain('loss-not-finite');
  });

  test('event files of TensorBoard: scalars, histograms, images, texts', async () => {
    const writer = new SummaryWriter(join(folder, 'tb'), { now: () => 1700000000 });
    for (let i = 1; i <= 5; i++) writer.addScalar('train/loss', 1 / i, i);
    writer.addHistogram('weights', Float32Array.of(-1, 0, 0, 2), 1);
    writer.addText('note', 'what *this* is', 2);
    await writer.addImage('picture', rand([1, 4, 4]), 3);
    await writer.close();
    const [run] = (await list()).runs;
    expect(run).toMatchObject({ name: 'tb', status: 'event file' });
    const [loss] = await ask<SeriesData[]>('/api/series', { runs: run.id });
    expect(loss).toMatchObject({ chart: 'train/loss', step: [1, 2, 3, 4, 5], seconds: [0, 0, 0, 0, 0] });
    const details = await ask<RunDetails>('/api/details', { run: run.id });
    expect(details.histograms[0].steps[0].counts.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(details.texts).toEqual([{ tag: 'note', step: 2, text: 'what *this* is' }]);
    expect(details.images).toEqual([{ tag: 'picture', steps: [3] }]);
    const url = dashboard.url.replace('/?', `/api/image?run=${run.id}&tag=picture&step=3&`);
    const image = new Uint8Array(await (await fetch(url)).arrayBuffer());
    expect([...image.subarray(1, 4)]).toEqual([...Buffer.from('PNG')]);
  });

  test('a graph of a model, which classes are taken for which, and what each epoch needed', async () => {
    const writer = new SummaryWriter(join(folder, 'model'), { now: () => 1700000000 });
    await writer.addGraph(new Sequential(new Linear(2, 3), new ReLU()), rand([1, 2]));
    await writer.close();
    writeRun('model', lines(start, epoch(1)));
    const pictures = { data: Float32Array.of(0, 1, 2, 3, 0, 0, 0, 0, 1, 1, 1, 0), shape: [1, 2, 2] };
    const truth = [0, 0, 1];
    await writeConfusion(join(folder, 'model'), { truth, predicted: [0, 1, 1], classes: ['cat', 'dog'], pictures });
    const [run] = (await list()).runs;
    const { graph, confusion, resources } = await ask<RunDetails>('/api/details', { run: run.id });
    const relu = graph?.find(({ name }) => name.startsWith('1/'));
    expect(graph?.find(({ name }) => name === relu?.inputs[0])?.name).toMatch(/^0\//);
    expect(confusion).toMatchObject({ classes: ['cat', 'dog'], counts: [[1, 1], [0, 1]] }); // prettier-ignore
    expect(confusion?.pictures.map((picture) => [picture.truth, picture.predicted])).toEqual([[0, 0], [0, 1], [1, 1]]); // prettier-ignore
    expect(
      Buffer.from(confusion?.pictures[0].png ?? '', 'base64')
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
    expect(resources).toEqual([{ step: 10, seconds: 5, samplesPerSecond: 10 }]);

    writeFileSync(join(folder, 'model/confusion.json'), '{"classes": ["cat"], "counts": [[1, 2]], "pictures": []}');
    expect((await list()).runs[0].fault).toBe('confusion.json is no confusion matrix.');
    expect(await ask<RunDetails>('/api/details', { run: run.id })).toMatchObject({ confusion: null, resources });
  });

  test('a confusion matrix of what is none is refused', async () => {
    const wrong = async (options: object): Promise<string> =>
      writeConfusion(join(folder, 'x'), options as never).then(
        () => 'nothing was thrown',
        (error: Error) => error.message,
      );
    expect(await wrong({ truth: [0, 1], predicted: [0] })).toMatch(/^writeConfusion: 2 labels and 1 predictions/);
    expect(await wrong({ truth: [], predicted: [] })).toMatch(/at least one/);
    expect(await wrong({ truth: [0, 2], predicted: [0, 1], classes: ['a', 'b'] })).toMatch(/sample 1 has the class 2/);
    expect(await wrong({ truth: [0.5], predicted: [0] })).toMatch(/sample 0 has the class 0.5/);
    expect(await wrong({ truth: [0] })).toMatch(/^writeConfusion: .*predicted/);
    const pictures = { data: new Float32Array(3), shape: [1, 2, 2] };
    expect(await wrong({ truth: [0], predicted: [0], pictures })).toMatch(/3 numbers for 1 pictures/);
  });

  test('an event file that is cut off or damaged gives what comes before', () => {
    const record = frameRecord(new Uint8Array([9, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x10, 7])); // time 2, step 7
    const two = new Uint8Array([...record, ...record]);
    expect(readEvents(two.subarray(0, -1))).toMatchObject({
      events: [{ step: 7 }],
      used: record.length,
      isDamaged: false,
    });
    two[record.length + 14] ^= 1;
    expect(readEvents(two)).toMatchObject({ events: [{ step: 7 }], used: record.length, isDamaged: true });
    const huge = frameRecord(new Uint8Array([0x2a, 0xff, 0xff, 0xff, 0xff, 0x0f])); // a summary of 4 GiB
    expect(readEvents(huge)).toMatchObject({ events: [], isDamaged: false });
  });
});

describe('the server', () => {
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<number> => {
    const { port } = new URL(dashboard.url);
    return new Promise((done, fail) => {
      request({ host: '127.0.0.1', port, path, headers, method }, (response) => {
        response.resume();
        done(response.statusCode ?? 0);
      })
        .on('error', fail)
        .end();
    });
  };
  const token = (): string => new URL(dashboard.url).search;

  test('answers who knows the token, from its own page, by its own name', async () => {
    expect(await get(`/${token()}`)).toBe(200);
    expect(await get('/')).toBe(401);
    expect(await get(`/${token()}0`)).toBe(401);
    expect(await get(`/api/runs?token=${'0'.repeat(32)}`)).toBe(401);
    expect(await get(`/${token()}`, { host: 'evil.example' })).toBe(403); // a name that was made to lead here
    expect(await get(`/api/runs${token()}`, { origin: 'https://evil.example' })).toBe(403);
    expect(await get(`/api/runs${token()}`, { origin: 'null' })).toBe(403);
    expect(await get(`/api/runs${token()}`, {}, 'POST')).toBe(405);
  });

  test('gives no file: neither by a path nor through a link', async () => {
    for (const path of ['/etc/passwd', '/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/api/image', '/api/details'])
      expect([path, await get(`${path}${token()}&run=../..&tag=/etc/passwd`)]).toEqual([path, 404]);
    const outside = mkdtempSync(join(tmpdir(), 'nabla-outside-'));
    writeFileSync(join(outside, 'metrics.jsonl'), lines(start, epoch(1)));
    mkdirSync(join(folder, 'linked'));
    symlinkSync(join(outside, 'metrics.jsonl'), join(folder, 'linked', 'metrics.jsonl'));
    symlinkSync(outside, join(folder, 'out'));
    expect((await list()).runs).toEqual([]);
    rmSync(outside, { recursive: true });
  });

  test('allows its page its own script and nothing else', async () => {
    const response = await fetch(dashboard.url);
    const policy = response.headers.get('content-security-policy') ?? '';
    const nonce = /nonce="([^"]+)"/.exec(await response.text())?.[1];
    expect(policy).toContain(`default-src 'none'; script-src 'nonce-${nonce}'`);
    expect(policy).not.toContain('unsafe');
  });
});

test('few points look like all: the extremes stay', () => {
  const series = new Series();
  for (let i = 0; i < 10_000; i++)
    series.push(i, i === 4321 ? 50 : i === 7000 ? -50 : i === 9000 ? NaN : Math.sin(i / 700));
  const places = visible(series.step, series.value, 400);
  expect(places.length).toBeLessThanOrEqual(500);
  for (const place of [0, 4321, 7000, 9000, 9999]) expect(places).toContain(place);
  series.cutFrom(5000);
  expect(series.count).toBe(5000);
});

test('steps in epochs and seconds', () => {
  const axes = new Axes([epoch(1), epoch(2)].filter((event) => event.event === 'epoch'));
  expect([5, 10, 15, 20, 30].map((s) => [axes.epoch(s), axes.seconds(s)])).toEqual([
    [0.5, 2.5],
    [1, 5],
    [1.5, 7.5],
    [2, 10],
    [3, 15],
  ]);
  expect(new Axes([]).seconds(3)).toBeNaN();
});

describe.skipIf(whyNoBrowser)('the page', () => {
  test('draws runs, follows one, sorts, filters, and survives one that is damaged under it', async () => {
    const built = (name: string): string =>
      readFileSync(new URL(`../../../dist/cli/dashboard/${name}`, import.meta.url), 'utf8');
    const page = built('page.html')
      .replace('STYLE', () => built('page.css'))
      .replace('SCRIPT', () => built('page.js'));
    const served = await serve(folder, page);
    const path = writeRun('one', lines(start, ...steps(1, 10), epoch(1)));
    writeRun(
      'two',
      lines(start, ...steps(1, 10), epoch(1), epoch(2), { event: 'end', reason: 'completed', step: 20, seconds: 10 }),
    );
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--headless', '--no-sandbox'],
    });
    try {
      const tab = await browser.newPage();
      const faults: string[] = [];
      tab.on('pageerror', (error) => faults.push(error.message));
      tab.on('console', (message) => void (message.type() === 'error' && faults.push(message.text())));
      for (const name of ['one', 'two'])
        await writeConfusion(join(folder, name), {
          truth: [0, 0, 1],
          predicted: [0, 1, 1],
          classes: ['cat', 'dog'],
          pictures: { data: new Float32Array(12), shape: [1, 2, 2] },
        });
      await tab.goto(served.url);
      await tab.waitForSelector('[data-chart="loss"] canvas');
      expect(await tab.locator('.runs li').count()).toBe(2);
      expect(await tab.locator('.runs').innerText()).toContain('epoch 1/2');
      appendFileSync(path, lines(...steps(11, 20), epoch(2)));
      await tab.waitForFunction(() => document.querySelector('.runs')?.textContent?.includes('epoch 2/2'));
      await tab.fill('input[type=search]', 'status = completed');
      expect(await tab.locator('.runs li').count()).toBe(1);
      await tab.fill('input[type=search]', 'loss < 5');
      await tab.click('nav >> text=table');
      await tab.click('th >> text=epochs');
      expect(await tab.locator('th[aria-sort=ascending]').innerText()).toContain('epochs');
      await tab.click('nav >> text=doctor');
      await tab.waitForSelector('.finding.error');
      await tab.click('nav >> text=graph');
      await tab.click('.graph .box >> nth=0');
      expect(await tab.locator('.graph .box').count()).toBe(2);
      await tab.click('nav >> text=resources');
      await tab.waitForSelector('.chart canvas');
      await tab.click('nav >> text=confusion');
      await tab.click('.confusion td button >> nth=1');
      await tab.waitForSelector('text=cat, said dog: 1');
      expect(await tab.locator('img.sample').count()).toBe(1);
      rmSync(path);
      writeFileSync(path, '\u0000\u0000');
      await tab.waitForFunction(() => !document.querySelector('.runs')?.textContent?.includes('one'));
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
      await served.close();
    }
  }, 40_000);
});
