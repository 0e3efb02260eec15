// A heat map: a square for each number, names escaped, what does not fit is told.
import { expect, test } from 'vitest';
import { heatMapSvg } from './heat-map.js';

test('squares and names', () => {
  const values = [
    [0, 1, 0.5],
    [-3, 0, 2],
  ];
  const svg = heatMapSvg(values, { rows: ['a', '<b>'], columns: ['Ä', 'y', '&'], title: 'look' });
  const fills = [...svg.matchAll(/fill="(rgb[^"]+)"/g)].map(([, fill]) => fill);
  expect(fills).toHaveLength(6);
  expect(fills[0]).toBe('rgb(243 246 250)');
  expect(fills[3]).toBe(fills[0]); // below 0
  expect(fills[5]).toBe('rgb(8 48 107)'); // the largest
  expect(svg).toContain('>&lt;b&gt;</text>');
  expect(svg).toContain('>&amp;</text>');
  expect(svg).toContain('<title>0.5</title>');
  expect(heatMapSvg([[0]], { rows: ['a'], columns: ['b'] })).toContain('rgb(243 246 250)');
});

test('what is wrong is said', () => {
  const draw =
    (...args: unknown[]) =>
    () =>
      Reflect.apply(heatMapSvg, undefined, args);
  expect(draw([[1]], { rows: ['a', 'b'], columns: ['c'] })).toThrow('heatMapSvg: 1 rows of values, 2 names.');
  expect(draw([[1, 2]], { rows: ['a'], columns: ['c'] })).toThrow('row 0 has 2 values, there are 1 columns');
  expect(draw('abc', { rows: [], columns: [] })).toThrow('heatMapSvg: the values');
  expect(draw([[1]])).toThrow('heatMapSvg');
  expect(draw([[1]], { rows: [1], columns: ['c'] })).toThrow('rows: name 0 is 1. Give a text.');
});
