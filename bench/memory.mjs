// MEM: resident memory over 100,000 training steps and 100,000 inferences whose results are dropped, none of them
// disposed. Flat means that what nobody holds is given back.

import { memoryStats, noGrad, tensor } from 'nabla';
import { Linear, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import { AdamW } from 'nabla/optim';
import { uniform } from './hash.mjs';
import { round } from './timing.mjs';

const STEPS = 100_000;
const megabytes = (bytes) => round(bytes / 2 ** 20, 1);

export async function memory(report) {
  const model = new Sequential(new Linear(16, 32), new ReLU(), new Linear(32, 4));
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
  const x = tensor(uniform(1, 8 * 16), { shape: [8, 16] });
  const y = tensor(Int32Array.from({ length: 8 }, (_, i) => i % 4));
  const train = async () => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x), y);
    loss.backward();
    await optimizer.step();
    return loss;
  };
  const infer = async () => {
    const out = noGrad(() => model.forward(x));
    await out.data();
  };
  for (const [name, step] of [
    ['train', train],
    ['infer', infer],
  ]) {
    const resident = [];
    const start = performance.now();
    for (let i = 1; i <= STEPS; i++) {
      await step();
      if (i % (STEPS / 10) === 0) resident.push(megabytes(process.memoryUsage.rss()));
    }
    report({
      workload: `MEM.${name}`,
      ms_median: round((performance.now() - start) / STEPS, 4),
      rss_mb_after_10_percent: resident[0],
      rss_mb_after_all: resident[9],
      rss_mb_max: Math.max(...resident),
      heap_mb: megabytes(memoryStats().reservedBytes),
    });
  }
}
