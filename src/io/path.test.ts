// Paths where there are files, and where there are none: what writes to one says so at once, by the name of its call.
import { afterEach, expect, test, vi } from 'vitest';
import { ArgumentError } from 'nabla';
import { CsvLogger, JsonLinesLogger, SummaryWriter, TensorBoardLogger, search, uniform } from 'nabla/train';
import { filePath } from './path.js';

afterEach(() => vi.unstubAllGlobals());

test('a path is absolute', () => {
  expect(filePath('runs', 'Trainer')).toBe(`${process.cwd()}/runs`);
});

test.each([
  ['JsonLinesLogger', () => new JsonLinesLogger('a.jsonl')],
  ['CsvLogger', () => new CsvLogger('a.csv')],
  ['TensorBoardLogger', () => new TensorBoardLogger('logs')],
  ['SummaryWriter', () => new SummaryWriter('logs')],
])('%s without files', (call, make) => {
  vi.stubGlobal('process', undefined);
  expect(make).toThrow(ArgumentError);
  expect(make).toThrow(`${call}: there are no files here, so '`);
});

test('a search without files', async () => {
  vi.stubGlobal('process', undefined);
  const space = { a: uniform(0, 1) };
  await expect(search(space, ({ a }) => a, { trials: 1, folder: 'study' })).rejects.toThrow(
    "search: there are no files here, so the folder 'study' cannot be used.",
  );
});
