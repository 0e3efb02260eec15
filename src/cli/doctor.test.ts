// `nabla doctor` and `nabla lr-find` as they are built (dist/cli/main.js).
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunEvent, formatEvent } from '../train/record.js';
import { ILLNESSES } from '../train/doctor/diagnose.js';
import { nearest } from '../tensor/nearest.js';
import { wrapped } from './wrap.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
let cwd: string;

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'nabla-doctor-'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

function nabla(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd, encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** A record of steps whose losses are given by their number. */
function writeRun(name: string, lossOf: (step: number) => number, tail = ''): void {
  const events: RunEvent[] = [
    { event: 'start', time: '2030-01-01T00:00:00Z', config: {}, facts: { classes: 10, loss: 'crossEntropy' } },
    ...Array.from({ length: 60 }, (_, i): RunEvent => ({
      event: 'step',
      step: i + 1,
      epoch: 1,
      loss: lossOf(i),
      lr: 1,
    })),
  ];
  mkdirSync(join(cwd, 'runs', name), { recursive: true });
  writeFileSync(join(cwd, 'runs', name, 'metrics.jsonl'), events.map((e) => `${formatEvent(e)}\n`).join('') + tail);
}

test('names what is wrong with a run, with evidence and remedy', () => {
  writeRun('high', (i) => (i < 20 ? 2.3 + i * i : NaN), '{"event":"ste');
  const { status, stdout } = nabla('doctor', 'runs/high');
  expect(status).toBe(0);
  expect(stdout).toContain('Error: The learning rate is too high (lr-too-high)');
  expect(stdout).toContain('  Step 21: the loss is NaN in step 21.');
  expect(stdout).toContain('  Remedy: Divide the learning rate by 10');
  // a command is copied as a whole, and how long it is depends on the folder that nabla was installed in
  expect(stdout.split('\n').every((line) => line.length <= 80 || line.startsWith('More about it: '))).toBe(true);
  const report = JSON.parse(nabla('doctor', '--json').stdout) as { run: string; healthy: boolean; diagnoses: object[] };
  expect(report).toMatchObject({ run: join('runs', 'high'), healthy: false, diagnoses: [{ code: 'lr-too-high' }] });
});

test('says that a run is healthy, and what was looked at', () => {
  writeRun('good', (i) => 0.1 + 2.2 * Math.exp(-i / 10));
  const { stdout } = nabla('doctor', 'runs/good');
  expect(stdout).toContain('Healthy: nothing found. Looked at 60 losses.');
  expect(stdout).toContain('nabla train --doctor');
});

test('lists what it knows; a folder without a record is one line on standard error', () => {
  expect(nabla('doctor', '--list').stdout).toMatch(/^forgotten-zero-grad +Gradients are not cleared/);
  mkdirSync(join(cwd, 'empty'));
  const { status, stderr } = nabla('doctor', 'empty');
  expect([status, stderr.split('\n').length]).toEqual([2, 2]);
});

test('explains every finding; a name that is none is answered with the nearest', () => {
  const { status, stdout } = nabla('doctor', '--explain', 'dead-relus');
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^Units are dead: .* \(dead-relus\)\nAn error: .*\n\nWhat it is\n {2}A ReLU gives 0[\s\S]*\n\nHow it is noticed\n {2}Units of ReLU[\s\S]*\n\nWhat to do\n {2}Start with Kaiming/,
  );
  expect(stdout.split('\n').every((line) => line.length <= 80)).toBe(true);
  for (const { code, about, sign, remedy } of ILLNESSES)
    for (const text of [about, sign, remedy])
      expect([code, text]).toEqual([code, expect.stringMatching(/^.{30,}\.$/s)]);
  expect(nabla('doctor', '--explain', 'dead-relu')).toEqual({
    status: 2,
    stdout: '',
    stderr:
      'nabla: --explain dead-relu: the doctor knows no such finding. Did you mean dead-relus? See nabla doctor --list.\n',
  });
  const codes = ILLNESSES.map(({ code }) => code);
  expect(
    ['overfiting', 'zero-grad', 'lr-to-high', 'softmax', 'Dead-ReLUs', 'q'].map((name) => nearest(name, codes)),
  ).toEqual(['overfitting', 'forgotten-zero-grad', 'lr-too-high', 'softmax-before-loss', 'dead-relus', undefined]);
});

test('lr-find draws the curve and suggests a rate', () => {
  const { status, stdout, stderr } = nabla('lr-find', 'digits', '--steps', '40', '--from', '1e-5', '--to', '1');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^loss by learning rate, logarithmic\n/);
  expect(stdout).toMatch(/Suggested learning rate: \d(\.\d)?e-[1-4]\n/);
  expect(nabla('lr-find', 'digits', '--from', '1', '--to', '0.1').stderr).toBe(
    'nabla: --from 1 is not below --to 0.1.\n',
  );
}, 60_000);

test('long lines are broken and indented', () => {
  expect(wrapped('  one two three', 9)).toEqual(['  one two', '    three']);
  expect(wrapped('', 9)).toEqual(['']);
});
