// CSV: quotes, line ends, types, missing values, and errors that name the line.
import { expect, test } from 'vitest';
import { ArgumentError, FormatError } from '../../tensor/library.js';
import { parseCsv } from './csv.js';

test('quotes hold delimiters, line ends and quotes; line ends of all systems; a byte-order mark', () => {
  const table = parseCsv('\uFEFFname,text,n\r\n"a, b","say ""hi""\nthere",1\rc,,2.5e1\n\n"",x,-.5');
  expect(table.names).toEqual(['name', 'text', 'n']);
  expect(table.length).toBe(3);
  expect([...table.lines]).toEqual([2, 4, 6]);
  expect(table.column('name').values).toEqual(['a, b', 'c', '']);
  expect(table.column('text')).toEqual({ kind: 'text', values: ['say "hi"\nthere', '', 'x'], missing: [1] });
  expect([...table.numbers('n')]).toEqual([1, 25, -0.5]);
});

test('no header, other delimiters, comments, bytes', () => {
  const table = parseCsv(new TextEncoder().encode('# made by hand\n1;é\n2;b\n'), {
    delimiter: ';',
    header: false,
    comment: '#',
  });
  expect(table.names).toEqual(['column0', 'column1']);
  expect(table.column('column1').values).toEqual(['é', 'b']);
  expect([...parseCsv('a\tb\n1\t2', { delimiter: '\t' }).numbers('b')]).toEqual([2]);
  expect(parseCsv('a^b\n1^2', { delimiter: '^' }).names).toEqual(['a', 'b']);
});

test('columns of numbers may lack some; types can be asked for', () => {
  const table = parseCsv('a,b,c\n1,NA,x\n,inf,2\n3,-Infinity,');
  expect(table.column('a')).toEqual({ kind: 'number', values: Float64Array.of(1, NaN, 3), missing: [1] });
  expect([...table.numbers('b')]).toEqual([NaN, Infinity, -Infinity]);
  expect(table.column('c').kind).toBe('text');
  expect(parseCsv('a\n"1"\n"NA"', { types: { a: 'text' } }).column('a').values).toEqual(['1', 'NA']);
  expect(() => parseCsv('a,b\n1,2\n3,four', { types: { b: 'number' }, path: 'p.csv' })).toThrow(
    "csv: p.csv, line 3: column 'b' has 'four', which is no number. Repair the line, or look at delimiter and header.",
  );
  expect(parseCsv('a,b').length).toBe(0);
});

test('a table becomes a dataset for classification or regression', () => {
  const table = parseCsv('w,h,kind\n1,2,cat\n3,,dog\n5,6,ant');
  expect(() => table.classification('kind')).toThrow(
    "csv: line 3: column 'h' has 1 missing values, the first here. Give missing: 'drop' or 'mean'.",
  );
  const { data, classes } = table.classification('kind', { missing: 'mean' });
  expect(classes).toEqual(['ant', 'cat', 'dog']);
  expect([...data.column('x')]).toEqual([1, 2, 3, 4, 5, 6]);
  expect([...data.column('y')]).toEqual([1, 2, 0]);
  const dropped = table.regression('w', { features: ['h'], missing: 'drop' });
  expect([[...dropped.column('x')], [...dropped.column('y')]]).toEqual([
    [2, 6],
    [1, 5],
  ]);
  expect(() => table.regression('w')).toThrow(
    "column 'kind' is text ('cat'). Leave it out of the features, or encode it (TableEncoder).",
  );
  expect(() => table.regression('h', { features: ['w'] })).toThrow("line 3: column 'h' has no value");
  expect(() => table.column('x')).toThrow("csv: there is no column 'x'. There are 'w', 'h', 'kind'.");
  expect(parseCsv('y\n10\n9').classes('y')).toEqual({ labels: Int32Array.of(1, 0), classes: ['9', '10'] });
});

test.each([
  ['a,b\n1,2\n3', 'line 3: 1 field, but 2 in line 1', 8],
  ['a,b\n"é",2,3', 'line 2: 3 fields, but 2 in line 1', 4],
  ['é\n"x', 'line 2: a quote is never closed', 3],
  ['a\n"x"y', 'line 2: text follows a closing quote', 5],
  ['a\nx"y', 'line 2: a quote stands within a field that does not begin with one', 3],
  ['a,a\n1,2', "line 1: two columns are called 'a'", 0],
  ['\n\n', 'line 1: there is no line', 0],
])('%j is refused', (text, message, offset) => {
  let error: unknown;
  try {
    parseCsv(text);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(FormatError);
  expect((error as FormatError).message).toContain(message);
  expect((error as FormatError).offset).toBe(offset);
});

test('bytes that are no text, and options that make no sense', () => {
  expect(() => parseCsv(Uint8Array.of(0x61, 0xff))).toThrow('csv: it is not text in UTF-8.');
  expect(() => parseCsv('a', { delimiter: ',,' })).toThrow(ArgumentError);
  expect(() => parseCsv('a', { types: { b: 'text' } })).toThrow("types names a column 'b'");
});

test('long fields, many columns and long lines are read in one pass', () => {
  const begin = performance.now();
  for (const field of [
    `${'1'.repeat(300_000)}x`,
    `${' '.repeat(300_000)}x`,
    `1e${'1'.repeat(300_000)}.`,
    '1.'.repeat(150_000),
  ])
    expect(parseCsv(`a\n${field}`).column('a').values).toEqual([field]);
  const names = Array.from({ length: 80_000 }, (_, i) => `c${i}`);
  const table = parseCsv(`${names.join()}\n${names.map((_, i) => i).join()}`, { types: { c79999: 'number' } });
  expect([...table.numbers('c79999')]).toEqual([79_999]);
  expect(table.regression('c0').storage.x.shape).toEqual([79_999]);
  expect(() => parseCsv(`${names.join()},c5\n`)).toThrow("two columns are called 'c5'");
  expect(performance.now() - begin).toBeLessThan(10_000); // about 0.2 s; minutes where the time grows with the square
});
