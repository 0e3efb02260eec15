// The exercises of the site's exams: nabla's answers to the exams' own questions are those of the course text, every question of an exam
// that is a check in test/course is there, other numbers have answers, too, and the program behind an exercise runs as it is shown.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleProgram } from '../../site/bundle.mjs';
import { type Exam, draw, isRight, parseNumber } from '../../site/exams/exercise.js';
import type { Solution } from '../../site/exams/messages.js';

interface Exams {
  readonly EXAMS: readonly Exam[];
  solve(exam: Exam, exercise: Exam['exercises'][number], given: object): Promise<Solution>;
}

/** What the text prints, by exam and question. */
const PRINTED: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  'mock-2020': {
    'I.3': [4, 1],
    'II.2': [2 / 4, 2 / 3],
    'II.6': [4, 3, 3, 2, 2],
    'II.7': [8, 15, 15],
    'III.1a': [2, 0, 0, -1.5],
    'III.1b': [2.5],
    'III.1c': [-1.5, 0.65],
  },
  'endterm-2020-08': {
    '1a': [12, 138],
    '1d': [1, 0],
    '1e, 1g': [0, 0, 1, 1],
    '1i': [0, 1, 0, 0],
    '2a': [-0.03, 1, 1.5, 0.18],
    '2c, 2d': [1, 0.5, 1],
    '4a': [7 / 3, 11 / 3, 8, 0],
    '4b': [8, 8, 5],
    '4c': [4, 3, 5, 5],
    '4d': [7],
    '4e': [1, 224, 1],
    '4g': [1.25],
    '6a': [45],
    '6b': [0.4621],
    '6c': [6, 0, 3],
    '6d': [1.5, 1, 0],
    '8b': [0.5],
    '8d': [3 * (1 - 0.1 * 0.02) - 0.1 * 4, 0.998],
    '8f': [0.1],
  },
  'endterm-2021-07': {
    '1.5': [3, 2],
    '1.6': [0, 0, 1],
    '1.7': [0],
    '2.2': [Math.LN2],
    '2.3': [0, -0.2, 0, 7],
    '2.4': [1 / 256, 1],
    '2.5': [-1.94],
    '2.6': [6, 10, 10],
    '2.7': [240, 5],
    '2.8': [705, 18],
    '2.9': [0],
    '2.13': [14, 32],
    '3.1': [32, 1600],
    '3.2': [6],
    '3.3, 3.4': [30, 64, 64, 150],
    '3.6': [40, 6, 8],
    '5.1': [0.2447, 0.6652, 0.09],
    '5.3, 5.4': [0.2447 * 0.7553, -0.2447 * 0.6652],
    '5.5': [0.4076],
    '5.7': [2 * 0.2447],
  },
  'endterm-2022-02': {
    '1.3': [1, 4],
    '1.5': [1, 1, 0, 0],
    '1.7': [1, 0, 1],
    '2.2': [Math.LN2, 0.127, 0.5],
    '2.5': [0.6],
    '2.6': [4, 0],
    '3.3': [1],
    '4.1, 4.2': [3200, 12_804],
    '4.3': [3, 100, 6, 4],
    '4.4': [224],
    '4.5': [112],
    '5.5, 5.6': [-5, 5, 0],
    '5.7': [1.25, 0.5],
    '5.9': [0],
    '6.1, 6.2': [0.7311, 0.1966],
    '6': [5, 0, 0.9933, 0.5],
    '6.3': [0.0066, 0.25],
    '6.4': [0.0066, -0.2434, 0.2566],
    '7.4': [1 + 2 * 0.8 ** 10, 1 + 2 * 0.95 ** 10],
  },
  'endterm-2022-08': {
    '1.2': [3, 5, 1, 1, 6],
    '1.3': [33, 1],
    '1.7': [4, 0],
    '2.2, 2.3': [4, 2, 2, 4, 3],
    '2.4': [0.97 * 3 + 0.1],
    '4.1': [1],
    '4.2, 4.3': [19, 784],
    '4.5': [100, 28, 28, 156_800],
    '4.7': [6],
    '4.8': [1],
    '4.10': [7, 1],
    '5.9': [5, 20, 28],
    '6.1': [2, 0, -1, 2, 0],
    '6.2': [1],
    '6.3': [1.5, -0.65],
    '7.3': [6],
    '8.6': [4.9],
    '8.7': [0, 0],
  },
  'lectures-2-6': {
    'L2.1': [7 / 6, 0.5],
    'L2.2': [6, 5, Math.sqrt(18), 5],
    'L2.3': [0.8808, 0.1269, 2.1269],
    'L2.4': [80, 4, 1],
    'L3.1': [-2, -8],
    'L3.2': [0.1192, -0.964, 0, -0.2],
    'L3.3': [163_840, 16_394_000],
    'L3.4': [0.223, 1.609],
    'L4.1': [4, 4, -2],
    'L4.2': [0.73, -0.2, 0.2],
    'L4.3': [4 / 9, 8 / 3, 4 / 9, 1 / 3 - 0.1 * (8 / 3)],
    'L4.4': [0.5625, 0.375, 0.75, 1],
    'L5.1': [-0.561, 1],
    'L5.2': [Math.sqrt(0.1), Math.sqrt(0.1)],
    'L5.3': [-0.1, -0.1965],
    'L5.4': [200 / 1100],
    'L5.5': [16_384],
    'L6.1': [0.025],
    'L6.2': [1.46],
    'L6.3': [6],
    'L6.4': [0.025],
  },
  'lectures-7-12': {
    'L7.1': [0.13, 2.04],
    'L7.2': [2.9],
    'L7.3': [33, 11],
    'L7.4': [4, 2],
    'L8.1': [-0.5, -1],
    'L8.2': [-Math.sqrt(1.5), Math.sqrt(1.5)],
    'L8.3': [0.2],
    'L9.1': [3, 0, 7 / 3],
    'L9.2': [6, 2.5],
    'L9.3': [3, 0],
    'L9.4': [76, 760],
    'L10.1': [471, 41],
    'L10.2': [1_228_800, 4800, 49_152],
    'L10.3': [568, 284, 568],
    'L11.1': [0.9 ** 10, 10 * 0.9 ** 9],
    'L11.2': [96, 384],
    'L11.3': [50, 0.6, 0.8],
    'L12.1': [0.982, 9.82],
    'L12.2': [64, 1],
    'L12.3': [8, 16_384],
    'L12.4': [0.91, 0.01],
  },
  'lectures-further': {
    'L4.5': [16, 10],
    'L5.6': [12, 4, 2],
    'L5.7': [6, 3, 9],
    'L6.5': [Math.log(10), Math.log(1 + 9 * Math.exp(-5))],
    'L7.5': [0.25, 0, 1, 0],
    'L8.4': [0.3, 0.9 + 0.1 * (14 / 3)],
    'L9.5': [25, 75, 225],
    'L9.6': [28, 24, 20],
    'L10.4': [256, 28],
    'L10.5': [7],
    'L11.4': [1 / 32, 1],
    'L12.5': [Math.sin(1), Math.cos(1), Math.sin(0.01), Math.cos(0.01)],
    'L12.6': [6.99, 3.49],
    'L12.7': [1 / (1 + Math.E), Math.E / (1 + Math.E), 0],
  },
};
/** Of test/course; its file by the exam. */
const COURSE: Readonly<Record<string, string>> = {
  'mock-2020': 'exam-mock-2020',
  'endterm-2020-08': 'exam-2020-08-11',
  'endterm-2021-07': 'exam-2021-07-13',
  'endterm-2022-02': 'exam-2022-02-08',
  'endterm-2022-08': 'exam-2022-08-01',
};

const folder = mkdtempSync(join(tmpdir(), 'nabla-exams-'));
let exams: Exams;

describe('the exams', () => {
  beforeAll(async () => {
    const file = join(folder, 'exams.mjs');
    writeFileSync(
      file,
      await bundleProgram("export { EXAMS } from './exams/exams.js'; export { solve } from './exams/solve.js';"),
    );
    exams = await import(file);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('every question that is a check of the course is an exercise, and no other', () => {
    const numbers = (text: string): string[] => text.match(/[IV\d][\w.]*/g) ?? [];
    for (const { name, exercises } of exams.EXAMS.filter((exam) => exam.name in COURSE)) {
      const text = readFileSync(new URL(`../course/${COURSE[name]}.test.ts`, import.meta.url), 'utf8');
      const checks = [...text.matchAll(/^ *test\(\s*['"]([^:,]+(?:, [\d.]+\w?)*)[:,] /gm)].flatMap(([, id]) =>
        numbers(id!),
      );
      expect({ name, asked: exercises.flatMap(({ id }) => numbers(id)).toSorted() }).toEqual({
        name,
        asked: checks.toSorted(),
      });
    }
  });

  test('the answers are those of the course text', async () => {
    for (const exam of exams.EXAMS) {
      for (const exercise of exam.exercises) {
        const { answer, steps } = await exams.solve(exam, exercise, exercise.given);
        const printed = PRINTED[exam.name]![exercise.id]!;
        const right = answer.map((value, i) => isRight(exercise.answer, printed[i]!, value));
        expect({ exam: exam.name, id: exercise.id, answer, printed, right }).toMatchObject({
          right: printed.map(() => true),
        });
        expect(steps.length, `${exam.name} ${exercise.id} shows a way`).toBeGreaterThan(0);
      }
    }
  }, 60_000);

  test('other numbers have answers, too', async () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    for (const exam of exams.EXAMS) {
      for (const exercise of exam.exercises.filter(({ vary }) => vary)) {
        const given = draw(exercise, random);
        const { answer } = await exams.solve(exam, exercise, given);
        const { labels } = exercise.answer.kind === 'numbers' ? exercise.answer : { labels: [] };
        if (labels.length > 0)
          expect({ id: exercise.id, given, count: answer.length }).toEqual({
            id: exercise.id,
            given,
            count: labels.length,
          });
        expect(answer.some(Number.isNaN), `${exam.name} ${exercise.id}: ${JSON.stringify(given)}`).toBe(false);
        expect(exercise.ask(given), 'the question names its numbers').not.toMatch(/undefined|NaN/);
      }
    }
  }, 60_000);

  test('the program of every exercise runs as it is shown, and prints the answer', async () => {
    const programs: Record<string, string> = {};
    const answers: Record<string, readonly number[]> = {};
    for (const exam of exams.EXAMS) {
      for (const exercise of exam.exercises) {
        const name = `${exam.name} ${exercise.id}`;
        const { program, answer } = await exams.solve(exam, exercise, exercise.given);
        [programs[name], answers[name]] = [program, answer];
      }
    }
    const all = Object.keys(programs).map((name) => `await import('program:${name}');\nlast['${name}'] = printed;\n`);
    const file = join(folder, 'shown.mjs');
    writeFileSync(
      file,
      await bundleProgram(
        `const say = console.log;
let printed: unknown;
const last: Record<string, unknown> = {};
console.log = (...values: unknown[]) => (printed = values.at(-1));
${all.join('')}say(JSON.stringify(last));`,
        programs,
      ),
    );
    const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
    // The mistake of which L6.2 asks is one that nabla warns of.
    expect(stderr).toMatch(/^nabla: crossEntropy takes logits and was given probabilities.*\n$/);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(answers)));
  }, 120_000);

  test('numbers are read as people write them', () => {
    const written = { '0,5': 0.5, '2/3': 2 / 3, '−1.5': -1.5, ' 1e-3 ': 1e-3, '+4': 4, '-1/4': -0.25, '∞': Infinity };
    for (const [text, value] of Object.entries(written)) expect(parseNumber(text)).toBe(value);
    for (const text of ['', ' ', 'two', '1/2/3', '/', '1,2,3', '1 2'])
      expect({ text, value: parseNumber(text) }).toEqual({ text, value: NaN });
  });
});
