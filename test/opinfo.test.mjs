// A few small samples of PyTorch's own operator tests (OpInfo) for each operator: test/fixtures/opinfo.jsonl, made by
// tools/parity/opinfo/samples.py. Kernels have tests of their own, so these run on the reference device; tools/parity/opinfo/compare.mjs runs all samples on
// every device, and docs/operators.md is its table.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { setDevice } from 'nabla';
import { CALLS } from '../tools/parity/opinfo/calls.mjs';
import { check } from '../tools/parity/opinfo/samples.mjs';

const [, ...rows] = readFileSync(new URL('fixtures/opinfo.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));
const names = [...new Set(rows.map(({ op }) => op))];

test('every operator of the fixture is called', () => {
  expect(names.filter((name) => !(name in CALLS))).toEqual([]);
});

test.each(names)('%s', async (name) => {
  setDevice('reference');
  const wrong = [];
  for (const row of rows.filter(({ op }) => op === name)) {
    const problem = await check(CALLS[name], row);
    if (problem !== undefined) wrong.push(`${row.variant} ${row.dtype}: ${problem.kind}: ${problem.text}`);
  }
  expect(wrong).toEqual([]);
});
