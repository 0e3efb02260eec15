// The presets of sequences, small: they learn a little, are measured, and report.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { printedBy } from '../../../test/support/command-line.js';

let folder = '';
const before = process.env.NABLA_DATA;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-sequences-'));
  process.env.NABLA_DATA = folder;
  const rows = Array.from({ length: 60 }, (_, i) =>
    i % 2 === 0 ? `spam,"win ${i} prizes, call now"` : `ham,see you at ${i} ok`,
  );
  writeFileSync(join(folder, 'sms_spam.csv'), `label,message\n${rows.join('\n')}\n`);
});
afterAll(() => {
  if (before === undefined) delete process.env.NABLA_DATA;
  else process.env.NABLA_DATA = before;
  rmSync(folder, { recursive: true, force: true });
});

const train = (...args: string[]): Promise<string> => printedBy('train', ...args);

const settings = (values: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${String(value)}`]);

test('spam, by a BERT that was pre-trained on hidden words', async () => {
  const [hidden, spam] = [join(folder, 'hidden'), join(folder, 'spam')];
  const guesses = await train('masked-lm', '--epochs', '1', '--out', hidden);
  expect(guesses).toMatch(/Words that it would put into the gaps:\s+see you at \? tonight +\S+, \S+/);
  const more = settings({ from: hidden, labelled: 32 });
  const text = await train('spam', '--model', 'bert', '--epochs', '12', '--out', spam, ...more);
  expect(text).toMatch(/Test f1 100\.00 %/);
  expect(text).toMatch(/12 of 12 messages are told right\./);
}, 120_000);

test('translate: dates, BLEU of both searches, attention as pictures', async () => {
  const out = join(folder, 'dates');
  const small = settings({ width: 16, layers: 1, beams: 2, warmup: 10, averageFrom: 1 });
  const text = await train('translate', '--epochs', '1', '--batch-size', '500', '--out', out, ...small);
  expect(text).toMatch(/Test bleu [\d.]+, bleuOfBeams [\d.]+, exact [\d.]+/);
  expect(text).toContain('Sentences that it has not seen');
  expect(readFileSync(join(out, 'attention-1.svg'), 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
}, 120_000);

test.each([
  ['captions', { samples: 128, width: 16, decoder: 'gru' }, /Test exact [01]\.\d+/, 'captions.png'],
  [
    'moving-shapes',
    { samples: 16, hidden: 4, layers: 1 },
    /foretold from the first 6: squared error 0\.\d+/,
    'films.png',
  ],
] as const)(
  '%s',
  async (name, small, expected, picture) => {
    const out = join(folder, name);
    const text = await train(name, '--epochs', '1', '--out', out, ...settings(small));
    expect(text).toMatch(expected);
    expect(existsSync(join(out, picture))).toBe(true);
  },
  120_000,
);
