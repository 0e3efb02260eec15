// LOSS: the twentieth loss of W3 and W4, whose rounding errors grow from step to step, over sixteen runs whose inputs differ by
// 1e-7: single numbers say little, and their mean can be compared with another framework's.

import { compile } from 'nabla';
import { clipGradNorm_ } from 'nabla/optim';
import { trainingStep } from './training-step.mjs';
import { WORKLOADS } from './workloads.mjs';

const STEPS = 20;
/** Inputs are multiplied by 1 + e · 1.2e-7, for e from −7 to 8. */
const FACTORS = Array.from({ length: 16 }, (_, i) => 1 + (i - 7) * 1.2e-7);

export async function losses(report) {
  for (const name of ['W3', 'W4']) {
    const last = [];
    for (const factor of FACTORS) {
      const workload = WORKLOADS[name]();
      const step = trainingStep({ compile, clipGradNorm_ }, workload);
      const x = workload.x.mul(factor);
      await x.data();
      for (let i = 1; i < STEPS; i++) await (await step(x, workload.y)).item();
      last.push(await (await step(x, workload.y)).item());
    }
    report({
      workload: `LOSS.${name}`,
      mean: last.reduce((a, b) => a + b) / last.length,
      least: Math.min(...last),
      most: Math.max(...last),
      unchanged: last[7],
    });
  }
}
