// What onnx.mjs measures, in a process of its own: node onnx-worker.mjs ENGINE FOLDER MODEL INPUTS. ENGINE is nabla or onnxruntime, FOLDER a
// checkout of the one, built, or where onnxruntime-node is installed, INPUTS an .npz with `in0/<name>`. The first message says what it took
// from the file to the first result; after it, a message { milliseconds } asks for runs for so long, and the answer is what one took.

import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { readNpz } from './npz.mjs';

const [engine, folder, path, inputs] = process.argv.slice(2);
const feeds = Object.entries(readNpz(inputs)).flatMap(([key, array]) =>
  key.startsWith('in0/') ? [[key.slice(4), array]] : [],
);

/** Each gives a function from nothing to a loaded model, and one from that to the numbers of its outputs. */
const ENGINES = {
  async nabla() {
    const { loadOnnx } = await import(resolve(folder, 'dist/onnx/index.js'));
    const given = Object.fromEntries(feeds.map(([name, { data, shape }]) => [name, { data, shape }]));
    const run = async (model) => {
      const outputs = await model.run(given);
      for (const name of Object.keys(outputs)) await outputs[name].data();
      for (const name of Object.keys(outputs)) outputs[name][Symbol.dispose]();
    };
    return { load: () => loadOnnx(path), run };
  },
  async onnxruntime() {
    const ort = createRequire(resolve(folder, 'package.json'))('onnxruntime-node');
    const TYPES = {
      f2: 'float16',
      f4: 'float32',
      f8: 'float64',
      i1: 'int8',
      i4: 'int32',
      i8: 'int64',
      u1: 'uint8',
      b1: 'bool',
    };
    const given = Object.fromEntries(
      feeds.map(([name, { dtype, data, shape }]) => [name, new ort.Tensor(TYPES[dtype], data, shape)]),
    );
    const threads = Number(process.env.NABLA_THREADS ?? 2);
    const load = () =>
      ort.InferenceSession.create(path, { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 });
    return { load, run: (session) => session.run(given) };
  },
};

const { load, run } = await ENGINES[engine]();
const [start, before] = [performance.now(), process.cpuUsage()];
const model = await load();
await run(model);
const first = performance.now() - start;
const { user, system } = process.cpuUsage(before);

async function runs(milliseconds) {
  const times = [];
  const begin = performance.now();
  let now = begin;
  do {
    await run(model);
    const end = performance.now();
    times.push(end - now);
    now = end;
  } while (now - begin < milliseconds);
  times.sort((a, b) => a - b);
  return times[times.length >> 1];
}

process.on('message', async ({ milliseconds }) => process.send(await runs(milliseconds)));
process.send({ first, cpu: (user + system) / 1000 });
