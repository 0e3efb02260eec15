import { expect, test } from 'vitest';
import { parseGrids } from './csv.js';

const row = Array.from({ length: 64 }, (_, i) => i % 17);

test('reads commas, blanks, labels, headers, comments and Windows line ends', () => {
  const header = row.map((_, i) => `p${i}`).join(',');
  const text = `\uFEFF${header}\r\n# a comment\r\n${row.join(',')}\r\n\r\n${row.join(' ')} 7\r\n${row.join('; ')};3;\r\n`;
  const grids = parseGrids(text, 'x');
  expect(grids.count).toBe(3);
  expect(grids.lines).toEqual([3, 5, 6]);
  expect(grids.labels).toEqual([undefined, 7, 3]);
  expect([...grids.pixels.subarray(64, 128)]).toEqual(row);
});

test.each([
  ['', /x holds no grid/],
  ['a,b\n', /x holds no grid/],
  ['1,2,3\n', /x, line 1: 3 values. A line has 64/],
  [`${row.join()}\n${row.slice(1).join()}\n`, /x, line 2: 63 values/],
  [`${row.with(4, 17).join()}\n`, /value 5 is 17. Pixels go from 0 \(paper\) to 16 \(ink\)/],
  [`${row.with(4, -1).join()}\n`, /value 5 is -1/],
  [row.map((n, i) => (i === 9 ? '0x3' : n)).join(), /value 10 is '0x3', not a number/],
  [row.map((n, i) => (i === 9 ? '' : n)).join(), /value 10 is empty, not a number/],
  [`${row.join()},12\n`, /the label \(value 65\) is '12'/],
  ['\u0000\u0001binary', /x holds no grid|not a number|1 value/],
])('refuses %j', (text, message) => {
  expect(() => parseGrids(text, 'x')).toThrow(message);
});
