// `npm run recipes`: its rows name what there is, its table says what the runs have left.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { figuresIn, resultOf, table } from '../scripts/recipes/results.mjs';
import { ROWS } from '../scripts/recipes/rows.mjs';
import { PRESETS } from '../src/cli/definitions.ts';

test('every row names a preset or a program that is there', () => {
  expect(new Set(ROWS.map(({ name }) => name)).size).toBe(ROWS.length);
  for (const row of ROWS) {
    if (row.preset !== undefined) expect(Object.keys(PRESETS)).toContain(row.preset);
    else expect(existsSync(row.program)).toBe(true);
  }
});

test('a table of what is complete', () => {
  const out = mkdtempSync(join(tmpdir(), 'nabla-recipes-'));
  const two = [
    { name: 'a', preset: 'digits', metric: 'accuracy', wanted: ['≥', 0.95] },
    {
      name: 'b',
      program: 'b.ts',
      figures: [
        { metric: 'error', pattern: /error (\S+)/, wanted: ['≤', 0.1] },
        { metric: 'count', pattern: /count (\S+)/ },
      ],
    },
  ];
  try {
    const write = (name, seed, file, text) => {
      mkdirSync(join(out, name, `seed-${seed}`), { recursive: true });
      writeFileSync(join(out, name, `seed-${seed}`, file), text);
    };
    const epoch = '{"event":"epoch","seconds":61}\n';
    write(
      'a',
      0,
      'metrics.jsonl',
      `${epoch}${epoch}{"event":"end","reason":"completed","test":{"accuracy":0.9712345}}\n`,
    );
    write('a', 1, 'metrics.jsonl', `${epoch}{"event":"end","reason":"aborted"}\n{"event":"ep`); // broken off
    write('b', 0, 'result.json', JSON.stringify({ values: figuresIn(two[1], 'error 0.2 count 7'), seconds: 5 }));
    expect(table(two, [0, 1], (row, seed) => resultOf(out, row, seed)).split('\n')).toEqual([
      '| recipe | figure | seeds 0, 1 | mean | wanted | time a run |',
      '| --- | --- | --- | --- | --- | --- |',
      '| a | accuracy | 0.9712, – | 0.9712 | ≥ 0.95 | 2.0 min |',
      '| b | error | 0.2, – | 0.2 | ≤ 0.1 **missed** | 5 s |',
      '|  | count | 7, – | 7 |  |  |',
    ]);
    expect(() => figuresIn(two[1], 'error none')).toThrow('b: no error in what b.ts has printed');
    expect(() => resultOf(out, { ...two[0], metric: 'return' }, 0)).toThrow('a: the test gave accuracy, not return.');
  } finally {
    rmSync(out, { recursive: true });
  }
});
