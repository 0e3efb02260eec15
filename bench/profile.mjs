// --profile: which kernels a training step spends its time in. Native tier only.

import { CpuDevice } from '../dist/engine/device/cpu/device.js';
import { registerDevice } from '../dist/engine/engine.js';
import { setDevice } from 'nabla';
import { round } from './timing.mjs';

let device;

/** The device whose kernels are measured becomes the default. */
export function startProfile() {
  registerDevice('profiled', () => (device = new CpuDevice({ name: 'profiled', tier: 'native', profile: true })));
  setDevice('profiled');
}

/** A table of the kernels that took most, and what share of the time each had. */
export async function printProfile(workload, measurePeak) {
  const kernels = device.profile().filter(({ runs }) => runs > 10);
  const [peak, copy] = await measurePeak();
  const total = kernels.reduce((sum, k) => sum + k.milliseconds / k.runs, 0);
  console.log(`${workload}: ${round(total)} ms in ${kernels.length} kernels (thread 0)`);
  console.log('   share        ms   GFLOP/s  of peak     GB/s  of copy  kernel');
  const rows = kernels.sort((a, b) => b.milliseconds / b.runs - a.milliseconds / a.runs);
  for (const { name, runs, milliseconds, flops, bytes } of rows.slice(0, 20)) {
    const ms = milliseconds / runs;
    const columns = [
      `${((100 * ms) / total).toFixed(1)} %`.padStart(8),
      ms.toFixed(4).padStart(9),
      (flops / ms / 1e6).toFixed(1).padStart(9),
      `${((100 * flops) / ms / 1e6 / peak).toFixed(0)} %`.padStart(8),
      (bytes / ms / 1e6).toFixed(1).padStart(8),
      `${((100 * bytes) / ms / 1e6 / copy).toFixed(0)} %`.padStart(8),
    ];
    console.log(`${columns.join(' ')}  ${name}`);
  }
}
