// npm run bench -- [W1 … W7 I1 M1 C1 O1 O2 D1 L1 MEM LOSS BUSY] [--threads n] [--tier wasm|native|auto] [--device cpu|reference]
// [--json] [--only TEXT] [--profile] [--trace FILE] [--against FOLDER [--seconds n]]: one JSON line a workload. With --against another
// checkout takes every second turn: turns.mjs. BUSY, which takes minutes, has to be asked for: busy.mjs.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const NAMES = ['W1', 'W2', 'W3', 'W4', 'W5', 'W6', 'W7', 'I1', 'M1', 'C1', 'O1', 'O2', 'D1', 'L1', 'MEM', 'LOSS'];
const ON_REQUEST = ['BUSY'];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: 'string' },
    device: { type: 'string' },
    tier: { type: 'string' },
    json: { type: 'boolean' },
    only: { type: 'string' },
    profile: { type: 'boolean' },
    trace: { type: 'string' },
    against: { type: 'string' },
    seconds: { type: 'string' },
  },
});
const unknown = positionals.find((p) => ![...NAMES, ...ON_REQUEST].includes(p));
const TIERS = ['wasm', 'native', 'auto'];
if (unknown !== undefined || (values.tier !== undefined && !TIERS.includes(values.tier))) {
  process.stderr.write(
    `bench: ${unknown === undefined ? `tier '${values.tier}' is not there, use ${TIERS.join(', ')}` : `'${unknown}' is not a workload, use ${[...NAMES, ...ON_REQUEST].join(', ')}`}.\n`,
  );
  process.exit(2);
}
if (values.threads !== undefined) process.env.NABLA_THREADS = values.threads;
process.env.NABLA_CPU = values.tier ?? process.env.NABLA_CPU ?? 'wasm';

const { compile, devices, memoryStats, noGrad, setDevice } = await import('nabla');
const { clipGradNorm_ } = await import('nabla/optim');
const { computing, peakArithmetic, peakCopy } = await import('./peak.mjs');
const { INFERENCE, WORKLOADS } = await import('./workloads.mjs');
const { measure, round } = await import('./timing.mjs');
const { trainingStep } = await import('./training-step.mjs');
const { micro } = await import('./micro.mjs');
const { losses } = await import('./losses.mjs');
const { memory } = await import('./memory.mjs');
const { printProfile, startProfile } = await import('./profile.mjs');
const { overhead } = await import('./overhead.mjs');
const { operators } = await import('./operators.mjs');
const { doubles } = await import('./doubles.mjs');
const { loader } = await import('./loader.mjs');
const { busy } = await import('./busy.mjs');
const { againstOther } = await import('./turns.mjs');

const tier = process.env.NABLA_CPU === 'wasm' ? 'wasm' : 'native';
/** What the profile compares with: arithmetic of all threads, and the bandwidth of a copy. The profile is native. */
const peaks = async () => [await peakArithmetic(computing('native', threads)), await peakCopy()];

if (values.device !== undefined) setDevice(values.device);
if (values.trace !== undefined) values.profile = true;
if (values.profile) startProfile();
const device = values.device ?? 'cpu';
const threads = device === 'cpu' ? devices().find((d) => d.name === 'cpu').details.threads : 1;
await new Promise((resolve) => setTimeout(resolve, 200)); // the worker threads come up

function report(line) {
  const full = { device, tier: device === 'cpu' ? process.env.NABLA_CPU : undefined, threads, ...line };
  if (values.json) process.stdout.write(`${JSON.stringify(full)}\n`);
  else
    process.stdout.write(
      `${Object.entries(line)
        .map(([k, v]) => (k === 'workload' ? String(v).padEnd(22) : `${k} ${v}`))
        .join('  ')}\n`,
    );
}

async function train(name) {
  const workload = WORKLOADS[name]();
  const { x, y, batch } = workload;
  const step = trainingStep({ compile, clipGradNorm_ }, workload);
  const start = performance.now();
  const losses = [await (await step(x, y)).item()];
  const first = performance.now() - start;
  while (losses.length < 20) losses.push(await (await step(x, y)).item());
  const { median, min } = await measure(async () => (await step(x, y)).item(), { seconds: 3, least: 20 });
  if (values.profile) {
    await printProfile(name, peaks, values.trace);
    return;
  }
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

async function infer(name) {
  const { model, x } = INFERENCE[name]();
  const run = compile(async (input) => noGrad(() => model.forward(input)));
  const start = performance.now();
  const output = await (await run(x)).data();
  const first = performance.now() - start;
  const { median, min } = await measure(async () => (await run(x)).data(), { seconds: 3, least: 20 });
  if (values.profile) return printProfile(name, peaks, values.trace);
  report({
    workload: name,
    ms_median: round(median),
    ms_min: round(min),
    samples_per_s: round(1000 / median, 1),
    compile_ms: round(first - median, 1),
    peak_mb: round(memoryStats().peakBytes / 2 ** 20, 1),
    check: Array.from(output.slice(0, 3), (v) => round(v, 5)),
  });
}

/** The first time, and again, when the programs are on disk. */
function cold() {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-bench-'));
  const once = (programs) => {
    const env = { ...process.env, NABLA_CACHE_DIR: folder, NABLA_PROGRAM_CACHE: programs };
    const start = performance.now();
    const file = fileURLToPath(new URL('cold.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', env });
    if (status !== 0) throw new Error(stderr);
    return performance.now() - start;
  };
  try {
    once('on');
    const [times, again] = ['off', 'on'].map((programs) =>
      Array.from({ length: 7 }, () => once(programs)).sort((a, b) => a - b),
    );
    const figures = { ms_median: round(times[3], 1), ms_min: round(times[0], 1) };
    report({ workload: 'C1', ...figures, again_ms_median: round(again[3], 1), again_ms_min: round(again[0], 1) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const name of positionals.length > 0 ? positionals : NAMES) {
  if (values.against !== undefined && /^[WIM]\d$/.test(name))
    await againstOther(name, values.against, Number(values.seconds ?? 12), report);
  else if (name === 'M1') await micro(tier, threads, report);
  else if (name === 'C1') cold();
  else if (name === 'O1') await overhead(report);
  else if (name === 'O2') await operators(report, { only: values.only });
  else if (name === 'D1') await doubles(report);
  else if (name === 'L1') await loader(report);
  else if (name === 'MEM') await memory(report);
  else if (name === 'LOSS') await losses(report);
  else if (name === 'BUSY') await busy(report, { against: values.against, tier: values.tier, threads: values.threads });
  else if (name in INFERENCE) await infer(name);
  else await train(name);
}
process.exit(0);
