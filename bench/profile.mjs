// --profile: which kernels a training step spends its time in. Native tier only.
// --trace FILE: the same as a file for chrome://tracing or ui.perfetto.dev: one step of thread 0, each kernel as long as it
// took on average.

import { writeFileSync } from 'node:fs';

import { CpuDevice, registerDevice } from '../dist/internals.js';
import { setDevice } from 'nabla';
import { round } from './timing.mjs';

const ROWS = 24;
let device;

/** The device whose kernels are measured becomes the default. */
export function startProfile() {
  registerDevice('profiled', () => (device = new CpuDevice({ name: 'profiled', tier: 'native', profile: true })));
  setDevice('profiled');
}

/** Equal kernels as one row, the longest first. */
function together(kernels) {
  const rows = new Map();
  for (const { name, shapes, runs, milliseconds, flops, bytes } of kernels) {
    const key = `${name} ${shapes}`;
    const row = rows.get(key) ?? { name, shapes, count: 0, ms: 0, flops: 0, bytes: 0 };
    row.count++;
    row.ms += milliseconds / runs;
    row.flops += flops;
    row.bytes += bytes;
    rows.set(key, row);
  }
  return [...rows.values()].sort((a, b) => b.ms - a.ms);
}

function writeTrace(file, workload, kernels) {
  let at = 0;
  const traceEvents = kernels.map(({ name, shapes, runs, milliseconds, flops, bytes }) => {
    const ts = at;
    const dur = (1000 * milliseconds) / runs;
    at += dur;
    return { name, cat: 'kernel', ph: 'X', pid: 1, tid: 0, ts, dur, args: { shapes, flops, bytes } };
  });
  const named = { name: 'process_name', ph: 'M', pid: 1, args: { name: `${workload}, thread 0, average step` } };
  writeFileSync(file, JSON.stringify({ displayTimeUnit: 'ms', traceEvents: [named, ...traceEvents] }));
}

/** A table of the kernels that took most, and what share of the time each had. */
export async function printProfile(workload, measurePeak, trace) {
  const kernels = device.profile().filter(({ runs }) => runs > 10);
  if (trace !== undefined) writeTrace(trace, workload, kernels);
  const [peak, copy] = await measurePeak();
  const total = kernels.reduce((sum, k) => sum + k.milliseconds / k.runs, 0);
  console.log(`${workload}: ${round(total)} ms in ${kernels.length} kernels (thread 0)`);
  console.log('   share        ms   GFLOP/s  of peak     GB/s  of copy  times  kernel');
  for (const { name, shapes, count, ms, flops, bytes } of together(kernels).slice(0, ROWS)) {
    const columns = [
      `${((100 * ms) / total).toFixed(1)} %`.padStart(8),
      ms.toFixed(4).padStart(9),
      (flops / ms / 1e6).toFixed(1).padStart(9),
      `${((100 * flops) / ms / 1e6 / peak).toFixed(0)} %`.padStart(8),
      (bytes / ms / 1e6).toFixed(1).padStart(8),
      `${((100 * bytes) / ms / 1e6 / copy).toFixed(0)} %`.padStart(8),
      String(count).padStart(6),
    ];
    console.log(`${columns.join(' ')}  ${name} ${shapes}`);
  }
}
