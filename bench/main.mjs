// npm run bench -- [W1 W2 W3 M1 C1 O1 MEM] [--threads n] [--device cpu|reference] [--json]: one JSON line a workload.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const NAMES = ['W1', 'W2', 'W3', 'M1', 'C1', 'O1', 'MEM'];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: 'string' },
    device: { type: 'string' },
    tier: { type: 'string' },
    json: { type: 'boolean' },
    steps: { type: 'string' },
  },
});
const unknown = positionals.find((p) => !NAMES.includes(p));
if (unknown !== undefined || (values.tier !== undefined && values.tier !== 'wasm')) {
  process.stderr.write(
    `bench: ${unknown === undefined ? `tier '${values.tier}' is not there, use wasm` : `'${unknown}' is not a workload, use ${NAMES.join(', ')}`}.\n`,
  );
  process.exit(2);
}
if (values.threads !== undefined) process.env.NABLA_THREADS = values.threads;

const { compile, devices, memoryStats, setDevice } = await import('nabla');
const { WORKLOADS } = await import('./workloads.mjs');
const { measure, round } = await import('./timing.mjs');
const { micro } = await import('./micro.mjs');
const { memory } = await import('./memory.mjs');
const { overhead } = await import('./overhead.mjs');

if (values.device !== undefined) setDevice(values.device);
const device = values.device ?? 'cpu';
const threads = device === 'cpu' ? devices().find((d) => d.name === 'cpu').details.threads : 1;
await new Promise((resolve) => setTimeout(resolve, 200)); // the worker threads come up

function report(line) {
  const full = { device, tier: device === 'cpu' ? 'wasm' : undefined, threads, ...line };
  if (values.json) process.stdout.write(`${JSON.stringify(full)}\n`);
  else
    process.stdout.write(
      `${Object.entries(line)
        .map(([k, v]) => (k === 'workload' ? String(v).padEnd(22) : `${k} ${v}`))
        .join('  ')}\n`,
    );
}

async function train(name) {
  const { model, optimizer, x, y, batch, loss } = WORKLOADS[name]();
  const step = compile(async (input, target) => {
    optimizer.zeroGrad();
    const l = loss(model.forward(input), target);
    l.backward();
    await optimizer.step();
    return l;
  });
  const start = performance.now();
  const losses = [await (await step(x, y)).item()];
  const first = performance.now() - start;
  while (losses.length < 20) losses.push(await (await step(x, y)).item());
  const { median, min } = await measure(async () => (await step(x, y)).item(), { seconds: 3, least: 20 });
  report({
    workload: name,
    ms_median: round(median),
    ms_min: round(min),
    samples_per_s: round((batch * 1000) / median, 1),
    compile_ms: round(first - median, 1),
    peak_mb: round(memoryStats().peakBytes / 2 ** 20, 1),
    loss_first: round(losses[0], 5),
    loss_second: round(losses[1], 5),
    loss_last: round(losses[19], 5),
  });
}

function cold() {
  const times = Array.from({ length: 7 }, () => {
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL('cold.mjs', import.meta.url))], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  report({ workload: 'C1', ms_median: round(times[3], 1), ms_min: round(times[0], 1) });
}

for (const name of positionals.length > 0 ? positionals : NAMES) {
  if (name === 'M1') await micro(threads, report);
  else if (name === 'C1') cold();
  else if (name === 'O1') await overhead(report);
  else if (name === 'MEM') await memory(report);
  else await train(name);
}
process.exit(0);
