// L1: W3 trained from a DataLoader with random crops and flips, as a person would train it, and the share of the time in
// which the training loop waits for its next batch. With no workers, one, and two.

import { compile } from 'nabla';
import { DataLoader, workerDataset } from 'nabla/data';
import { clipGradNorm_ } from 'nabla/optim';
import { round } from './timing.mjs';
import { trainingStep } from './training-step.mjs';
import { WORKLOADS } from './workloads.mjs';

const WARM = 20;
const STEPS = 80;

export async function loader(report) {
  const dataset = await workerDataset(new URL('loader-data.mjs', import.meta.url));
  const workload = WORKLOADS.W3();
  const { batch } = workload;
  const step = trainingStep({ compile, clipGradNorm_ }, workload);
  for (const workers of [0, 1, 2]) {
    const options = { batchSize: batch, shuffle: true, seed: 1, dropLast: true, workers, persistentWorkers: true };
    const source = new DataLoader(dataset, options);
    let [steps, waited, begin] = [0, 0, 0];
    for (let epoch = 0; steps < WARM + STEPS; epoch++) {
      const batches = source.batches(epoch);
      while (steps < WARM + STEPS) {
        if (steps === WARM) [waited, begin] = [0, performance.now()];
        const asked = performance.now();
        const next = await batches.next();
        waited += performance.now() - asked;
        if (next.done) break;
        await (await step(next.value.x, next.value.y)).item();
        steps++;
      }
      await batches.return();
    }
    const total = performance.now() - begin;
    await source.close();
    report({
      workload: `L1.workers${workers}`,
      ms_step: round(total / STEPS),
      ms_waiting: round(waited / STEPS),
      share_waiting: round(waited / total, 4),
    });
  }
}
