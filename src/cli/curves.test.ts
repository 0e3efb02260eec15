// `nabla curves` and `nabla runs` as they are built (dist/cli/main.js), on records that are written here.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunEvent, formatEvent } from '../train/record.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
let cwd: string;

function nabla(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd, encoding: 'utf8' });
  return { status, stdout, stderr };
}

function writeRun(name: string, lr: number, losses: readonly number[], isDone: boolean, tail = ''): void {
  const events: RunEvent[] = [
    { event: 'start', time: '2030-01-01T00:00:00Z', config: { lr }, facts: { epochs: 3 } },
    ...losses.map((loss, i): RunEvent => {
      const accuracy = 1 - loss / 3;
      const validation = { loss: loss + 0.1, accuracy };
      return {
        event: 'epoch',
        epoch: i + 1,
        step: 5 * (i + 1),
        train: { loss, accuracy },
        validation,
        lr,
        seconds: 2,
        samplesPerSecond: 9,
      };
    }),
    ...(isDone ? [{ event: 'end', reason: 'completed', step: 15, seconds: 6 } as const] : []),
  ];
  mkdirSync(join(cwd, name), { recursive: true });
  writeFileSync(join(cwd, name, 'config.json'), '{}');
  writeFileSync(join(cwd, name, 'metrics.jsonl'), events.map((e) => `${formatEvent(e)}\n`).join('') + tail);
}

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'nabla-curves-'));
  writeRun('runs/first', 0.1, [2, 1, 0.5], true);
  writeRun('runs/deep/second', 0.01, [2, NaN], false, '{"event":"ep');
  writeFileSync(join(cwd, 'runs', 'note.txt'), '');
  mkdirSync(join(cwd, 'runs', 'begun'));
  writeFileSync(join(cwd, 'runs', 'begun', 'config.json'), '{}');
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

test('runs are compared, the best first', () => {
  const { status, stdout, stderr } = nabla('runs');
  expect([status, stderr]).toEqual([0, '']);
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  expect(rows.map((row) => row[0])).toEqual(['run', 'first', join('deep', 'second'), 'begun']);
  expect(rows[1]).toEqual([
    'first',
    'completed',
    '3/3',
    '0.6000',
    '3',
    '0.6000',
    '0.8333',
    '3',
    '0.8333',
    '0.1',
    '6.0 s',
  ]);
  expect(rows[2].slice(1, 6)).toEqual(['unfinished', '2/3', '2.100', '1', 'NaN']);
  expect(rows[3].slice(1)).toEqual(['no record', '0', '–', '–']);
  const json = nabla('runs', 'runs', '--json', '--sort', 'name').stdout.trimEnd().split('\n');
  expect(json.map((line) => (JSON.parse(line) as { name: string }).name)).toEqual([
    'begun',
    join('deep', 'second'),
    'first',
  ]);
});

test('runs of different tasks stand in tables of their own, with the settings in which they differ', () => {
  const write = (name: string, run: string, settings: Record<string, unknown>, accuracy: number) => {
    const facts = { epochs: 1 };
    const events: RunEvent[] = [
      { event: 'start', time: '2030-01-01T00:00:00Z', config: { run, settings }, facts },
      { event: 'epoch', epoch: 1, step: 1, train: { loss: 1, accuracy }, lr: 1, seconds: 1, samplesPerSecond: 1 },
      { event: 'end', reason: 'completed', step: 1, seconds: 1 },
    ];
    mkdirSync(join(cwd, 'tasks', name), { recursive: true });
    writeFileSync(join(cwd, 'tasks', name, 'metrics.jsonl'), events.map((e) => `${formatEvent(e)}\n`).join(''));
  };
  write('a', 'digits', { lr: 0.1, epochs: 1, seed: 0, batchSize: 32 }, 0.9);
  write('b', 'digits', { lr: 0.2, epochs: 1, seed: 1, batchSize: 32 }, 0.8);
  write('c', 'mnist', { lr: 0.1, epochs: 1, seed: 0, model: 'mlp' }, 0.7);
  write('d', join(cwd, 'own.ts'), { lr: 0.1, text: '' }, 0.7);
  write('e', join(cwd, 'own.ts'), { lr: 0.1, text: 'evil\u001b[2J' }, 0.7);
  const { status, stdout } = nabla('runs', 'tasks');
  expect(status).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.filter((line) => /runs?$/.test(line))).toEqual(['./own.ts, 2 runs', 'digits, 2 runs', 'mnist, 1 run']);
  const [below, again] = lines.filter((line) => line.includes('seed'));
  expect([below.trim(), again.trim()]).toEqual([
    expect.stringMatching(/^(a .*)?seed 0$/),
    expect.stringMatching(/^(b .*)?seed 1$/),
  ]);
  expect(stdout).not.toMatch(/batch size|model mlp/);
  expect(stdout).toContain('text evil\\u001b[2J');
  const [json] = nabla('runs', 'tasks', '--json').stdout.split('\n').slice(2);
  expect(JSON.parse(json)).toMatchObject({ name: 'a', task: 'digits', settings: { seed: 0 } });
});

test('curves in the terminal and as SVG', () => {
  const drawn = nabla('curves', 'runs/first', '--metric', 'loss');
  expect([drawn.status, drawn.stderr]).toEqual([0, '']);
  const lines = drawn.stdout.trimEnd().split('\n');
  expect(lines[0]).toBe('loss by epoch');
  expect(lines.at(-1)?.trim()).toBe('A train   B validation');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(nabla('curves', '--metric', 'loss').stdout).toBe(drawn.stdout); // the latest run
  expect(nabla('curves', 'runs/first', 'runs/deep/second', '--out', 'c.svg', '--log')).toMatchObject({
    status: 0,
    stdout: 'c.svg\n',
  });
  expect(readFileSync(join(cwd, 'c.svg'), 'utf8')).toContain('second validation');
});

const hasSharp = (() => {
  try {
    createRequire(import.meta.url)('sharp');
    return true;
  } catch {
    return false;
  }
})();

test.skipIf(!hasSharp)('curves as PNG (needs the optional package sharp)', () => {
  expect(nabla('curves', 'runs/first', '--out', 'c.png').stderr).toBe('');
  expect([...readFileSync(join(cwd, 'c.png')).subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
});

test.each([
  [['curves', 'nowhere'], 2, 'cannot read nowhere: there is no such file or folder.'],
  [['curves', 'runs/begun'], 2, 'holds no record of a run'],
  [['curves', 'runs/first', '--metric', 'f1'], 1, "no run has a metric 'f1'. There are loss, accuracy, lr."],
  [['curves', 'runs/first', '--out', 'c.gif'], 2, 'must end in .svg or .png'],
  [['curves', 'runs/first', '--x', 'day'], 2, 'epoch, step, time'],
  [['runs', 'runs/note.txt'], 2, 'is a file'],
  [['runs', '--metric', 'f1'], 2, "no run has a metric 'f1'. There are loss, accuracy."],
  [['runs', 'nowhere'], 2, 'cannot read nowhere'],
])('%j is refused', (args, status, text) => {
  const ended = nabla(...args);
  expect(ended.status).toBe(status);
  expect(ended.stderr).toContain(text);
  expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1);
});
