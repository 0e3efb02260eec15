// Charts of optimisation and sampling, and what is drawn behind and beside curves: fields of classes, heights with contours, clouds, crosses.
import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../index.js';
import { chartSvg, chartText, convergenceChart, surfaceChart, traceChart } from '../index.js';
import type { Chart } from './chart.js';

const count = (svg: string, pattern: RegExp): number => svg.match(pattern)?.length ?? 0;
const bowl = (x: number, y: number): number => x * x + 4 * y * y;

test('convergence: distances to the minimum on a logarithmic scale, the minimum itself is a gap', () => {
  const chart = convergenceChart({ newton: [3, 2.01, 2], slow: [3, 2.5, 2.25] }, { minimum: 2 });
  expect(chart.series.map(({ name, y }) => [name, y[0]])).toEqual([
    ['newton', 1],
    ['slow', 1],
  ]);
  expect(chart.log).toBe(true);
  expect(chartSvg([chart])).not.toMatch(/NaN|Infinity/);
  expect(() => convergenceChart({})).toThrow(ArgumentError);
  expect(() => convergenceChart({ a: 'fast' as never })).toThrow("'a' is 'fast'. Give a list of numbers");
});

describe('surfaces', () => {
  const paths = {
    momentum: [
      [-1, 0.8],
      [0.2, -0.1],
      [0, 0],
    ] as [number, number][],
  };
  const chart = surfaceChart(bowl, { x: [-2, 2], y: [-1, 1], paths, resolution: 40, levels: 5 });

  test('heights are sampled at the middles of cells, from below', () => {
    const { values, columns, rows } = chart.area!;
    expect([columns, rows, values.length]).toEqual([40, 40, 1600]);
    expect(values[0]).toBeCloseTo(bowl(-2 + 2 / 40, -1 + 1 / 40), 12);
    expect(values[39 * 40 + 20]).toBeCloseTo(bowl(2 / 40, 1 - 1 / 40), 12);
  });

  test('contours of a bowl are closed: as many ends above as below the middle', () => {
    const svg = chartSvg([chart]);
    expect(count(svg, /stroke="white" stroke-opacity="0.55"/g)).toBe(5);
    const [inner] = [...svg.matchAll(/<path d="([^"]*)" fill="none" stroke="white"/g)].map((m) => m[1]);
    const points = [...inner.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(
      ([, x, y]) => `${Number(x).toFixed(1)} ${Number(y).toFixed(1)}`,
    );
    const ends = new Map<string, number>();
    for (const point of points) ends.set(point, (ends.get(point) ?? 0) + 1);
    expect([...ends.values()].every((times) => times % 2 === 0)).toBe(true);
  });

  test('ways end with a cross, in the legend by name; tags are balanced', () => {
    const svg = chartSvg([chart]);
    expect(svg).toContain('>momentum</text>');
    expect(count(svg, /stroke-width="2.6"/g)).toBe(1);
    expect(count(svg, /<(\w+)[^>]*[^/]>/g)).toBe(count(svg, /<\/\w+>/g));
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('a surface that is infinite in places is drawn where it is not', () => {
    const log = surfaceChart((x, y) => (x < 0 ? NaN : x / y), { x: [-1, 1], y: [-1, 1], log: true, resolution: 10 });
    expect(chartSvg([log])).not.toMatch(/NaN|Infinity/);
  });

  test.each([
    [{ x: [1, -1], y: [0, 1] }, 'x goes from 1 to -1'],
    [{ x: [0, 1], y: [0, 1], paths: { a: [] } }, "path 'a' has no points"],
    [{ x: [0, 1], y: [0, 1], resolution: 1 }, 'resolution is 1'],
    [{ x: [0, 1], y: [0, 1], contours: 3 }, "there is no option 'contours'"],
  ])('%j is refused', (options, message) => {
    expect(() => surfaceChart(bowl, options as never)).toThrow(message);
  });
});

test('traces: chains faint, the mean after the burn-in', () => {
  const chart = traceChart({ a: [9, 9, 1, 2], b: [9, 9, 3, 2] }, { burnIn: 2 });
  expect(chart.series.map(({ name, look }) => [name, look])).toEqual([
    ['a', 'faint'],
    ['b', 'faint'],
    ['mean', 'dashed'],
  ]);
  expect(chart.series[2]).toMatchObject({ x: [2, 3], y: [2, 2] });
  expect(() => traceChart({ a: [1] }, { burnIn: 1 })).toThrow('burnIn is 1, and there are 1 samples');
});

test('classes behind points: neighbours of one class are one rectangle, every point is drawn, in text as well', () => {
  const n = 3000;
  const many = Array.from({ length: n }, (_, i) => i / n);
  const chart: Chart = {
    title: 'regions',
    xLabel: 'a',
    yLabel: 'b',
    xScale: 'linear',
    log: false,
    area: { x: [0, 1], y: [0, 1], columns: 4, rows: 2, values: [0, 0, 1, 1, 0, 1, 1, 1], kind: 'classes' },
    series: [
      { name: 'zero', x: many, y: many, colour: 0, look: 'points' },
      { name: 'centre', x: [0.5], y: [0.5], colour: 7, look: 'crosses' },
    ],
  };
  const svg = chartSvg([chart]);
  expect(count(svg, /<rect x=/g)).toBe(4);
  expect(count(svg, /<circle/g)).toBe(n);
  expect(svg).toContain('>b</text>');
  const text = chartText(chart, { columns: 40, rows: 8 }).join('\n');
  expect(text).toContain('× centre');
  expect(text).toContain('⠂ zero');
});
