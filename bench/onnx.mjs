// node bench/onnx.mjs --models FOLDER --onnxruntime FOLDER [--tier wasm|native] [--loads n] [--seconds n] [NAME …]: ONNX models beside
// onnxruntime-node, a JSON line each. FOLDER of models has <name>.onnx beside <name>.npz with `in0/<input>`; onnxruntime-node is installed in
// the other one, outside of this checkout. From the file to the first result: --loads new processes of each by turns, after both have
// imported their library; medians of milliseconds by the clock and of the processor. Running: one process of each, turns of 0.4 s for
// --seconds, medians, and the median of the ratios of neighbouring turns. Above 1 nabla takes longer.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const TURN_MS = 400;
const WARM_MS = 1500;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    models: { type: 'string' },
    onnxruntime: { type: 'string' },
    tier: { type: 'string', default: 'wasm' },
    loads: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '6' },
  },
});
if (values.models === undefined || values.onnxruntime === undefined) {
  process.stderr.write('bench: --models and --onnxruntime are folders that have to be given.\n');
  process.exit(2);
}
const FOLDERS = { nabla: fileURLToPath(new URL('..', import.meta.url)), onnxruntime: values.onnxruntime };
const ENGINES = Object.keys(FOLDERS);
const middle = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const round = (x, digits = 2) => Number(x.toFixed(digits));

async function start(engine, name) {
  const files = ['onnx', 'npz'].map((kind) => join(values.models, `${name}.${kind}`));
  const child = fork(fileURLToPath(new URL('onnx-worker.mjs', import.meta.url)), [engine, FOLDERS[engine], ...files], {
    env: { NABLA_THREADS: '2', ...process.env, NABLA_CPU: values.tier },
  });
  const [loaded] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${engine} ended with ${code} in ${name}`))),
  ]);
  const turn = async (milliseconds) => {
    child.send({ milliseconds });
    return (await once(child, 'message'))[0];
  };
  return { loaded, turn, stop: () => child.kill() };
}

async function loads(name) {
  const found = { nabla: [], onnxruntime: [] };
  for (let i = 0; i < Number(values.loads); i++) {
    for (const engine of ENGINES) {
      const { loaded, stop } = await start(engine, name);
      found[engine].push(loaded);
      stop();
    }
  }
  const of = (key) => ENGINES.map((engine) => middle(found[engine].map((x) => x[key])));
  return { first: of('first'), cpu: of('cpu') };
}

async function runs(name) {
  const workers = [];
  for (const engine of ENGINES) workers.push(await start(engine, name));
  for (const { turn } of workers) await turn(WARM_MS);
  const times = workers.map(() => []);
  for (const begin = performance.now(); performance.now() - begin < Number(values.seconds) * 1000;)
    for (const [i, { turn }] of workers.entries()) times[i].push(await turn(TURN_MS));
  for (const { stop } of workers) stop();
  return { run: times.map(middle), ratio: middle(times[0].map((ms, i) => ms / times[1][i])) };
}

const all = readdirSync(values.models).flatMap((file) =>
  file.endsWith('.onnx') ? [file.slice(0, -'.onnx'.length)] : [],
);
const names = positionals.length > 0 ? positionals : all.filter((n) => existsSync(join(values.models, `${n}.npz`)));
const logs = { first: [], cpu: [], run: [] };
for (const name of names) {
  const { first, cpu } = await loads(name);
  const { run, ratio } = Number(values.seconds) > 0 ? await runs(name) : { run: [NaN, NaN], ratio: NaN };
  const ratios = { first: first[0] / first[1], cpu: cpu[0] / cpu[1], run: ratio };
  for (const [key, x] of Object.entries(ratios)) logs[key].push(Math.log(x));
  const line = { model: name, tier: values.tier };
  for (const [key, pair] of Object.entries({ first, cpu, run }))
    Object.assign(line, {
      [`${key}_ms`]: round(pair[0]),
      [`${key}_onnxruntime_ms`]: round(pair[1]),
      [`${key}_ratio`]: round(ratios[key]),
    });
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
const mean = ([...x]) => round(Math.exp(x.reduce((a, b) => a + b, 0) / x.length));
process.stdout.write(
  `${JSON.stringify({ geometric_means: { first: mean(logs.first), cpu: mean(logs.cpu), run: mean(logs.run) }, models: names.length })}\n`,
);
