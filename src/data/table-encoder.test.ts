// Text columns as features: one-hot and ordinal, numbers standardised by the training part alone, what training did not have,
// and an encoder that was written down.
import { expect, test } from 'vitest';
import { ArgumentError, FormatError } from '../tensor/library.js';
import { parseCsv } from './formats/csv.js';
import { TableEncoder } from './table-encoder.js';

const train = parseCsv(
  'mass,island,size,kind\n1,Dream,small,b\n3,Biscoe,large,a\n5,Dream,medium,b\n7,Torgersen,small,a',
);
const order = { size: ['small', 'medium', 'large'] };
const rows = (data: Float32Array, width: number) =>
  Array.from({ length: data.length / width }, (_, i) => [...data.subarray(i * width, (i + 1) * width)]);

test('one-hot, ordinal in a given order, standardised numbers', () => {
  const encoder = TableEncoder.fit(train, { target: 'kind', columns: order });
  expect(encoder.names).toEqual(['mass', 'island=Biscoe', 'island=Dream', 'island=Torgersen', 'size']);
  expect([encoder.width, encoder.classes, encoder.target]).toEqual([5, ['a', 'b'], 'kind']);
  const data = encoder.classification(train);
  const s = Math.fround(1 / Math.sqrt(5)); // mean 4, variance (9 + 1 + 1 + 9) / 4 = 5
  expect(rows(data.column('x'), 5)).toEqual([
    [Math.fround(-3 / Math.sqrt(5)), 0, 1, 0, 0],
    [-s, 1, 0, 0, 2],
    [s, 0, 1, 0, 1],
    [Math.fround(3 / Math.sqrt(5)), 0, 0, 1, 0],
  ]);
  expect([...data.column('y')]).toEqual([1, 0, 1, 0]);
  const plain = TableEncoder.fit(train, { features: ['size', 'mass'], columns: { size: 'ordinal', mass: 'number' } });
  expect([plain.names, rows(plain.encode(train).data, 2)]).toEqual([
    ['size', 'mass'],
    [
      [2, 1],
      [0, 3],
      [1, 5],
      [2, 7],
    ],
  ]);
  const numbers = parseCsv('code,y\n10,1\n9,2\n10,3');
  const encoded = TableEncoder.fit(numbers, { target: 'y', columns: { code: 'one-hot' } });
  expect([encoded.names, [...encoded.regression(numbers).column('y')]]).toEqual([
    ['code=9', 'code=10'],
    [1, 2, 3],
  ]);
});

test('what comes later changes nothing: no leak from validation or test', () => {
  const later = parseCsv('mass,island,size,kind\n1000,Mars,small,b\n4,Dream,large,a');
  const encoder = TableEncoder.fit(train, { target: 'kind', columns: order });
  const before = JSON.stringify(encoder);
  expect(rows(encoder.encode(later).data, 5)).toEqual([
    [Math.fround(996 / Math.sqrt(5)), 0, 0, 0, 0],
    [0, 0, 1, 0, 2],
  ]);
  expect([JSON.stringify(encoder), encoder.unseen(later)]).toEqual([
    before,
    [{ column: 'island', value: 'Mars', count: 1 }],
  ]);
  const ordinal = TableEncoder.fit(train, { features: ['island'], columns: { island: 'ordinal' } });
  expect([...ordinal.encode(later).data]).toEqual([-1, 1]);
  expect(() => TableEncoder.fit(train, { target: 'kind', unseen: 'error' }).encode(later)).toThrow(
    "csv: line 2: column 'island' has 'Mars', which the training part does not have.",
  );
  const parts = parseCsv(
    `x,y\n${Array.from({ length: 100 }, (_, i) => `${i},${i % 2 === 0 ? 'even' : 'odd'}`).join('\n')}`,
  ).split({ train: 0.6, test: 0.4 }, { seed: 3, stratify: 'y' });
  const own = TableEncoder.fit(parts.train, { target: 'y' });
  const mean = (data: Float32Array) => data.reduce((a, b) => a + b, 0) / data.length;
  expect(mean(own.encode(parts.train).data)).toBeCloseTo(0, 6);
  expect(Math.abs(mean(own.encode(parts.test).data))).toBeGreaterThan(1e-3);
  expect([
    parts.train.length,
    parts.test.length,
    [...parts.test.classes('y').labels].filter((y) => y === 0).length,
  ]).toEqual([60, 40, 20]);
  expect(new Set([...parts.train.lines, ...parts.test.lines]).size).toBe(100);
});

test('missing values: an error with its line, the mean or the commonest of the training part, or rows left out', () => {
  const gaps = parseCsv('mass,island\n1,Dream\n,Dream\n3,NA');
  expect(() => TableEncoder.fit(gaps)).toThrow(
    "csv: line 3: column 'mass' has 1 missing values, the first here. Give missing: 'fill', or leave such rows out.",
  );
  const encoder = TableEncoder.fit(gaps, { missing: 'fill' });
  expect(encoder.names).toEqual(['mass', 'island=Dream']);
  expect([...encoder.encode(gaps).data]).toEqual([-Math.fround(Math.sqrt(1)), 1, 0, 1, 1, 1]);
  expect(encoder.unseen(gaps)).toEqual([]);
  expect([...gaps.complete().lines, gaps.complete(['mass']).length]).toEqual([2, 2]);
  const strict = TableEncoder.fit(gaps.complete());
  expect(() => strict.encode(gaps)).toThrow(
    /line 3: column 'mass' has no value\. Fit the encoder with missing: 'fill'/,
  );
  expect([...TableEncoder.fit(gaps.complete(), { features: ['mass'] }).encode(gaps.complete()).data]).toEqual([0]); // constant
});

test('an encoder survives JSON; anything else is refused', () => {
  const encoder = TableEncoder.fit(train, { target: 'kind', columns: order });
  const again = TableEncoder.from(JSON.parse(JSON.stringify({ encoder })).encoder);
  expect([again.encode(train), again.classes, again.types]).toEqual([
    encoder.encode(train),
    ['a', 'b'],
    { mass: 'number', island: 'text', size: 'text' },
  ]);
  const state = encoder.toJSON();
  for (const wrong of [
    undefined,
    {},
    { ...state, version: 2 },
    { ...state, columns: [] },
    { ...state, columns: [{ name: 'mass', encoding: 'standard', mean: 'x', std: 1 }] },
    { ...state, columns: [{ name: 'mass', encoding: 'standard', mean: 0, std: 0 }] },
    { ...state, columns: [{ name: 'island', encoding: 'one-hot', categories: [1], commonest: 'x' }] },
    { ...state, classes: 'a' },
  ])
    expect(() => TableEncoder.from(wrong)).toThrow('TableEncoder: this is not what toJSON() of an encoder gives.');
});

test('mistakes are named', () => {
  const fit = (options: Parameters<typeof TableEncoder.fit>[1]) => () => TableEncoder.fit(train, options);
  expect(fit({ target: 'sort' })).toThrow(
    "csv: there is no column 'sort'. There are 'mass', 'island', 'size', 'kind'.",
  );
  expect(fit({ target: 'kind', features: ['kind'] })).toThrow("the target 'kind' is among the features");
  expect(fit({ target: 'kind', columns: { kind: 'one-hot' } })).toThrow("columns names 'kind', which is no feature");
  expect(fit({ columns: { size: ['small', 'large'] } })).toThrow("the order of 'size' lacks 'medium'");
  expect(fit({ columns: { size: ['small', 'small'] } })).toThrow("'small' stands twice");
  expect(fit({ columns: { size: 'standard' } })).toThrow(FormatError);
  expect(fit({ columns: { size: 'onehot' as 'one-hot' } })).toThrow("'onehot' for 'size' is not known. Use 'standard'");
  expect(fit({ features: [] })).toThrow('there are no features');
  expect(() => TableEncoder.fit(parseCsv('a\n'))).toThrow('the table has no rows');
  expect(() => TableEncoder.fit(train).classification(train)).toThrow(ArgumentError);
  expect(() => TableEncoder.fit(train, { target: 'mass', task: 'classification' }).regression(train)).toThrow(
    ArgumentError,
  );
  const late = parseCsv('mass,island,size,kind\n1,Dream,small,c\nx,Dream,small,b');
  const encoder = TableEncoder.fit(train, { target: 'kind' });
  expect(() => encoder.classification(late)).toThrow(
    "line 2: the class 'c' of column 'kind' does not occur in the training part.",
  );
  expect([...encoder.labels(late)]).toEqual([-1, 1]);
  expect(() => encoder.encode(late)).toThrow("line 3: column 'mass' has 'x', which is no number.");
  const names = parseCsv(`name\n${Array.from({ length: 60 }, (_, i) => `n${i}`).join('\n')}`);
  expect(() => TableEncoder.fit(names)).toThrow(/60 different texts in 60 rows.*say columns: \{ "name": 'one-hot' \}/);
  expect(TableEncoder.fit(names, { columns: { name: 'one-hot' } }).width).toBe(60);
});
