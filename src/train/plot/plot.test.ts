// Learning curves: from events to charts, and charts as SVG and as text.
import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../index.js';
import { type NamedRun, examine, learningCurves, parseEvent, summariseRun } from '../index.js';
import type { EpochEvent, RunEvent } from '../record.js';
import { type Chart, axisOf, thinOut } from './chart.js';
import { chartSvg } from './svg.js';
import { chartText } from './text.js';

const epoch = (n: number, train: number, validation?: number, lr = 0.1): EpochEvent => ({
  event: 'epoch',
  epoch: n,
  step: 10 * n,
  train: { loss: train, accuracy: 1 - train / 4 },
  ...(validation !== undefined && { validation: { loss: validation } }),
  lr,
  seconds: 2,
  samplesPerSecond: 100,
});
const step = (n: number): RunEvent => ({ event: 'step', step: n, epoch: 1, loss: 3 / n, lr: 0.1 });
const run = (name: string, ...events: RunEvent[]): NamedRun => ({ name, events });
const good = run('good', step(5), epoch(1, 2, 2.2), epoch(2, 1, 1.4), epoch(3, 0.5, 1.6));

describe('charts of runs', () => {
  test('training and validation of each metric; the best validation is marked', () => {
    const [loss, accuracy, ...rest] = learningCurves([good]);
    expect(rest).toEqual([]);
    expect(loss.series).toEqual([
      { name: 'train', x: [1, 2, 3], y: [2, 1, 0.5], colour: 0, look: 'solid' },
      { name: 'validation', x: [1, 2, 3], y: [2.2, 1.4, 1.6], colour: 1, look: 'solid', mark: 1 },
    ]);
    expect(accuracy.series.map((s) => s.name)).toEqual(['train']);
  });

  test('several runs have a colour each; other axes; the learning rate where it changes', () => {
    const other = run('other', epoch(1, 3, undefined, 0.1), epoch(2, 2, undefined, 0.01));
    const charts = learningCurves([good, other], { x: 'time', log: true });
    expect(charts.map((c) => [c.title, c.log])).toEqual([
      ['loss', true],
      ['accuracy', false],
      ['learning rate', true],
    ]);
    expect(charts[0].series.map(({ name, colour, look }) => [name, colour, look])).toEqual([
      ['good train', 0, 'dashed'],
      ['good validation', 0, 'solid'],
      ['other train', 1, 'dashed'],
    ]);
    expect(charts[0].series[2].x).toEqual([2, 4]);
  });

  test('steps: where no epoch is finished, or asked for', () => {
    const [early] = learningCurves([run('early', step(1), step(2))], { x: 'step' });
    expect(early.series).toEqual([{ name: 'train, each step', x: [1, 2], y: [3, 1.5], colour: 0, look: 'solid' }]);
    const [loss] = learningCurves([good], { steps: true, metrics: ['loss'] });
    expect(loss.series[0]).toMatchObject({ x: [0.5], look: 'faint' });
  });

  test('what cannot be drawn is said', () => {
    expect(() => learningCurves([good], { metrics: ['f1'] })).toThrow(
      "no run has a metric 'f1'. There are loss, accuracy, lr.",
    );
    expect(() => learningCurves([run('empty')])).toThrow(ArgumentError);
  });
});

describe('axes', () => {
  const labels = (values: number[], options = {}) => axisOf(values, { ticks: 5, ...options }).ticks.map((t) => t.label);
  test.each([
    [[0.1, 0.93], {}, ['0', '0.2', '0.4', '0.6', '0.8', '1.0']],
    [[0.981, 0.9853], {}, ['0.981', '0.982', '0.983', '0.984', '0.985', '0.986']],
    [[-3, 4], {}, ['-4', '-2', '0', '2', '4']],
    [[0, 0.9], { ticks: 4 }, ['0', '0.25', '0.50', '0.75', '1.00']],
    [[1, 3], { whole: true, tight: true }, ['1', '2', '3']],
    [[1e7, 5e7], {}, ['1e7', '2e7', '3e7', '4e7', '5e7']],
    [[-4, 8], {}, ['-5.0', '-2.5', '0', '2.5', '5.0', '7.5', '10.0']],
    [[5, 5], {}, ['4.4', '4.6', '4.8', '5.0', '5.2', '5.4', '5.6']],
    [[0, 0], {}, ['-1.0', '-0.5', '0', '0.5', '1.0']],
    [[], {}, ['0', '0.2', '0.4', '0.6', '0.8', '1.0']],
    [[1e-4, 10], { log: true }, ['1e-4', '0.001', '0.01', '0.1', '1', '10']],
    [[0.1, 2.4], { log: true }, ['0.1', '0.3', '1']],
    [[0.56, 0.94], { log: true }, ['0.6', '0.7', '0.8', '0.9']],
  ])('%j %j', (values, options, expected) => {
    expect(labels(values, options)).toEqual(expected);
  });

  test('values have places inside; those that have none are gaps', () => {
    const linear = axisOf([1, NaN, 3, Infinity], { ticks: 5 });
    expect([1, 3].map((v) => linear.place(v))).toEqual([0, 1]);
    const log = axisOf([-1, 0, 0.1, 10], { ticks: 5, log: true });
    expect(log.place(1)).toBeCloseTo(0.5, 12);
    expect(log.place(0)).toBeNaN();
  });

  test('long curves keep their peaks', () => {
    const y = Array.from({ length: 10_000 }, (_, i) => (i === 7777 ? 50 : i === 3 ? NaN : Math.sin(i)));
    const thin = thinOut({ name: '', x: y.map((_, i) => i), y, colour: 0, look: 'solid' }, 500);
    expect(thin.x.length).toBeLessThanOrEqual(510);
    expect(Math.max(...thin.y)).toBe(50);
    expect(thin.x).toEqual([...thin.x].sort((a, b) => a - b));
  });
});

const diverged: Chart = {
  title: 'a < b & "c"',
  xLabel: 'epoch',
  log: false,
  series: [
    { name: 'train', x: [1, 2, 3, 4], y: [1, NaN, 2, Infinity], colour: 0, look: 'solid' },
    { name: 'validation', x: [1, 2, 3, 4], y: [2, 3, 4, 4], colour: 1, look: 'dashed', mark: 0 },
  ],
};

describe('SVG', () => {
  test('gaps where a value is not finite; text is escaped; no NaN', () => {
    const svg = chartSvg([diverged]);
    expect(svg).toContain('a &lt; b &amp; &quot;c&quot;');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    const [train] = [...svg.matchAll(/<path d="([^"]*)" fill="none" stroke="#0072B2"/g)].map((m) => m[1]);
    expect(train.match(/M/g)).toHaveLength(2);
    expect(train).not.toContain('L');
    expect(svg.match(/<(\w+)[^>]*[^/]>/g)?.length).toBe(svg.match(/<\/\w+>/g)?.length);
  });

  test('nothing finite is said; many panels are two to a row', () => {
    const empty = { ...diverged, series: [{ ...diverged.series[0], y: [NaN, NaN, NaN, NaN] }] };
    expect(chartSvg([empty])).toContain('no finite values');
    expect(chartSvg([empty, empty, empty])).toContain('width="1040"');
    expect(chartSvg([])).toContain('<svg');
  });
});

describe('text', () => {
  test('fits the width, and tells curves apart by letters', () => {
    for (const columns of [30, 57, 80, 120]) {
      const lines = chartText(diverged, { columns, rows: 8 });
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      expect(lines[0]).toBe('a < b & "c" by epoch');
      expect(lines.slice(1, 9).join('')).toMatch(/A[^]*B|B[^]*A/);
    }
  });

  test('a falling line', () => {
    const chart = {
      title: 'loss',
      xLabel: 'epoch',
      log: false,
      series: [{ ...diverged.series[0], x: [0, 4], y: [4, 0] }],
    };
    expect(chartText(chart, { columns: 22, rows: 4 })).toEqual([
      'loss by epoch',
      '   4 ┤A⠒⠤⣀',
      '     │    ⠉⠒⠤⣀',
      '   2 ┤        ⠉⠒⠤⣀',
      '   0 ┤            ⠉⠒⠤A',
      '     └────────────────',
      '      0       2      4',
      '      A train',
    ]);
  });

  test('colours pieces of curves', () => {
    const lines = chartText(diverged, { columns: 40, paint: (text, colour) => `<${colour}>${text}` });
    expect(lines.at(-1)).toContain('<0>A train   <1>B validation');
  });
});

test('a run in a few numbers', () => {
  const start: RunEvent = { event: 'start', time: '', config: { lr: 3e-4 }, facts: { epochs: 9, parameters: 12 } };
  expect(summariseRun([start, ...good.events])).toEqual({
    status: 'unfinished',
    epochs: 3,
    plannedEpochs: 9,
    best: { loss: { value: 1.4, epoch: 2, on: 'validation' } },
    last: { loss: 1.6 },
    lr: 3e-4,
    parameters: 12,
    seconds: 6,
  });
  const nan = summariseRun([epoch(1, NaN), { event: 'end', reason: 'failed', step: 10, seconds: 2 }]);
  expect(nan).toMatchObject({ status: 'failed', best: {}, last: { loss: NaN }, lr: 0.1 });
  const nested: RunEvent = { ...start, config: { settings: { lr: 0.5 } } };
  expect(summariseRun([nested, ...good.events]).lr).toBe(0.5);
  expect(summariseRun([])).toEqual({ status: 'no record', epochs: 0, best: {}, last: {}, seconds: 0 });
});

test('a point that is nowhere on the x axis is left out of text and picture, at once', () => {
  for (const x of [
    [1, -Infinity, 3],
    [NaN, 2, 3],
    [1, 2, Infinity],
  ]) {
    const chart: Chart = {
      title: 't',
      xLabel: 'step',
      log: false,
      series: [{ name: 's', x, y: [1, 2, 3], colour: 0, look: 'solid', mark: 1 }],
    };
    expect(chartText(chart, { columns: 60 })).toHaveLength(18);
    expect(chartSvg([chart])).not.toMatch(/NaN|Infinity/);
  }
});

test('steps and epochs of a record are whole numbers, and events that nobody knows are passed over', () => {
  const event = { event: 'step', step: 1, epoch: 1, loss: 1, lr: 1 };
  for (const step of [-1, 0.5, 'Infinity', 2 ** 60, null])
    expect(parseEvent(JSON.stringify({ ...event, step }))).toBe(undefined);
  expect(parseEvent(JSON.stringify({ ...epoch(1, 1), epoch: -1 }))).toBe(undefined);
  const strange = ['constructor', '__proto__', 'toString'].map((name) => ({ event: name }) as unknown as RunEvent);
  expect(examine([...good.events, ...strange])).toEqual(examine(good.events));
});
