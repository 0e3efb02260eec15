// The table of README.md names every file of this folder and counts its checks.
import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

test('the table of sources is complete and counts right', () => {
  const files = readdirSync(new URL('.', import.meta.url)).filter(
    (f) => f.endsWith('.test.ts') && !f.startsWith('readme'),
  );
  const counts = files.map((file) => [file, read(file).match(/^ *test\(/gm)?.length]);
  const rows = [...read('README.md').matchAll(/\| `([\w.-]+)` \| (\d+) \|/g)].map(([, file, n]) => [file, Number(n)]);
  expect(rows.toSorted()).toEqual(counts.toSorted());
});
