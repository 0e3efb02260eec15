// O2: operators that memory bounds, one a row: milliseconds, the bytes that have to move, and the rate as a fraction of that of a copy which
// moves as many and takes turns with it.

import * as nabla from 'nabla';
import { operatorCases } from './operator-cases.mjs';
import { copying } from './peak.mjs';
import { running } from './running.mjs';
import { measureTurns, round } from './timing.mjs';

export async function operators(report, { seconds = 1.5, only } = {}) {
  for (const { name, fn, inputs, bytes, apart } of operatorCases(nabla)) {
    if (only !== undefined && !name.includes(only)) continue;
    const { a: time, ratio } = await measureTurns(
      running(nabla, { fn, inputs: inputs() }),
      copying(Math.round(bytes / 8)),
      {
        seconds,
      },
    );
    report({
      workload: `O2.${name}`,
      ms_median: round(time.median, 2),
      ms_min: round(time.min, 2),
      megabytes: round(bytes / 1e6, 1),
      gbps: round(bytes / time.median / 1e6, 1),
      of_copy: round(1 / ratio, 2),
      ...(apart && { apart }),
    });
  }
}
