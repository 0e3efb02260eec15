// Mistakes in the loop: real trainings, each called by its name.
import { expect, test } from 'vitest';
import { diagnose } from '../../src/train/index.js';
import { PROCESS_CASES } from './loop-cases.js';
import { isRight, main } from './support.js';

test.each(main(PROCESS_CASES))(
  '$name: $expected',
  async (one) => {
    const diagnoses = diagnose(await one.run(1));
    expect(diagnoses).toSatisfy(() => isRight(one, diagnoses));
  },
  60_000,
);
