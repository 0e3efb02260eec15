// How often each training is diagnosed rightly, over many seeds: for choosing thresholds, not a part of the usual tests.
//   DOCTOR_SEEDS=20 npx vitest run test/doctor/rates.test.ts      prints a line for each training, and each wrong answer
//   DOCTOR_ONLY=relu                                              only those whose name or code matches this expression
import { expect, test } from 'vitest';
import { diagnose } from '../../src/train/index.js';
import { DATA_CASES, PROCESS_CASES } from './loop-cases.js';
import { CURVE_CASES, HEALTHY_CASES, LAYER_CASES, RATE_CASES } from './network-cases.js';
import { isRight } from './support.js';

const CASES = [...PROCESS_CASES, ...DATA_CASES, ...RATE_CASES, ...LAYER_CASES, ...CURVE_CASES, ...HEALTHY_CASES];

const { DOCTOR_SEEDS, DOCTOR_ONLY = '' } = process.env;
const seeds = Number(DOCTOR_SEEDS ?? 0);
const line = (text: string): void => void process.stdout.write(`${text}\n`);

test.skipIf(seeds === 0)(
  'rates over seeds (set DOCTOR_SEEDS)',
  async () => {
    let [right, all] = [0, 0];
    for (const one of CASES.filter(({ name, expected }) =>
      new RegExp(DOCTOR_ONLY).test(`${expected ?? 'healthy'} ${name}`),
    )) {
      const begin = performance.now();
      const wrong: string[] = [];
      for (let seed = 100; seed < 100 + seeds; seed++) {
        const diagnoses = diagnose(await one.run(seed));
        if (isRight(one, diagnoses)) continue;
        const said = diagnoses.map(({ code, evidence }) => `${code}: ${evidence[0].text}`).join(' | ');
        wrong.push(`    seed ${seed}: ${said || 'healthy'}`);
      }
      const seconds = (performance.now() - begin) / 1000 / seeds;
      line(`${seeds - wrong.length}/${seeds}  ${one.expected ?? 'healthy'}: ${one.name} (${seconds.toFixed(2)} s)`);
      for (const text of wrong) line(text);
      right += seeds - wrong.length;
      all += seeds;
    }
    line(`${right} of ${all} right`);
    expect(right / all).toBeGreaterThan(0.95);
  },
  24 * 3600 * 1000,
);
