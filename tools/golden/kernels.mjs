// node tools/golden/kernels.mjs FILE: digests of the code of every program that the workloads of the bench need, on both tiers, a
// line each. Two files that are equal say that a change of the compiler left all emitted code as it was, byte for byte:
//
//   node tools/golden/kernels.mjs before.txt      (in the checkout before the change, built)
//   node tools/golden/kernels.mjs after.txt && diff before.txt after.txt
//
// WebAssembly: the bytes of each module. Native: the name in the compiler's cache, which is the digest of the C source, the
// flags and the compiler.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NAMES = ['W1', 'W2', 'W3', 'W4', 'W5', 'W6', 'W7', 'I1', 'M1'];
const own = fileURLToPath(import.meta.url);
const bench = (file) => import(new URL(`../../bench/${file}`, import.meta.url));

/** Runs a workload once in this process, with every WebAssembly module that it makes written to standard output. */
async function runOnce(name) {
  const digests = new Set();
  const { Module } = WebAssembly;
  WebAssembly.Module = class extends Module {
    constructor(bytes) {
      super(bytes);
      if (bytes.length > 200) digests.add(createHash('sha256').update(bytes).digest('hex'));
    }
  };
  const nabla = await import('nabla');
  const { clipGradNorm_ } = await import('nabla/optim');
  const { INFERENCE, WORKLOADS } = await bench('workloads.mjs');
  const { trainingStep } = await bench('training-step.mjs');
  const { microCases } = await bench('micro-cases.mjs');
  if (name === 'M1')
    for (const { make } of microCases(nabla)) {
      const { fn, inputs } = make();
      await nabla.compile(fn)(...inputs);
    }
  else if (name in INFERENCE) {
    const { model, x } = INFERENCE[name]();
    await nabla.noGrad(() => model.forward(x)).data();
  } else {
    const training = WORKLOADS[name]();
    const step = trainingStep({ compile: nabla.compile, clipGradNorm_ }, training);
    await (await step(training.x, training.y)).item();
  }
  for (const digest of [...digests].sort()) process.stdout.write(`${digest}\n`);
  process.exit(0);
}

/** The digests of a workload on a tier. */
function digestsOf(name, tier) {
  const cache = mkdtempSync(join(tmpdir(), 'nabla-golden-'));
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [own, '--once', name], {
      env: { ...process.env, NABLA_CPU: tier, NABLA_THREADS: '2', NABLA_CACHE_DIR: cache },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${name} on ${tier} ended with ${status}: ${stderr}`);
    if (tier === 'wasm') return stdout.trim().split('\n');
    const files = readdirSync(cache, { recursive: true }).filter((file) => /[0-9a-f]{32}/.test(file));
    return files.map((file) => /[0-9a-f]{32,}/.exec(file)[0]).sort();
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

const [first, second] = process.argv.slice(2);
if (first === '--once') await runOnce(second);
else {
  const lines = NAMES.flatMap((name) =>
    ['wasm', 'native'].flatMap((tier) => digestsOf(name, tier).map((digest) => `${name} ${tier} ${digest}`)),
  );
  writeFileSync(first, `${lines.join('\n')}\n`);
  process.stdout.write(`${lines.length} programs\n`);
}
