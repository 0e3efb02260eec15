// What turns.mjs and busy.mjs measure, in a process of its own: node turn-worker.mjs FOLDER WORKLOAD, where FOLDER is the
// checkout whose build runs. A message { milliseconds } asks for steps for so long; the answer is what one took.

import { microCases } from './micro-cases.mjs';
import { running } from './running.mjs';
import { trainingStep } from './training-step.mjs';

const [folder, workload] = process.argv.slice(2);
const nabla = await import(`${folder}/dist/index.js`);
const { compile, noGrad, tensor } = nabla;
const { GRU, Linear, Module, crossEntropy } = await import(`${folder}/dist/nn/index.js`);
const { Adam, clipGradNorm_ } = await import(`${folder}/dist/optim/index.js`);
const { INFERENCE, WORKLOADS } = await import(`${folder}/bench/workloads.mjs`);

/** 24 features, 48 steps, 64 hidden, batch 32: many short stages, each with a barrier behind it. */
class Forecast extends Module {
  constructor() {
    super();
    this.gru = new GRU(24, 64, { batchFirst: true });
    this.head = new Linear(64, 10);
  }

  forward(x) {
    const [, h] = this.gru.forward(x);
    return this.head.forward(h.reshape([-1, 64]));
  }
}

function gru() {
  const model = new Forecast();
  const x = tensor(
    Float32Array.from({ length: 32 * 48 * 24 }, (_, i) => Math.sin(i * 0.7)),
    { shape: [32, 48, 24] },
  );
  const y = tensor(Int32Array.from({ length: 32 }, (_, i) => i % 10));
  return { model, optimizer: new Adam(model.parameters(), { lr: 1e-3 }), x, y, loss: crossEntropy };
}

/** A training step with its loss read, an inference with its output read, or a case of M1. */
function runner() {
  if (workload.startsWith('M1.'))
    return running(
      nabla,
      microCases(nabla)
        .find(({ name }) => name === workload.slice(3))
        .make(),
    );
  if (workload in INFERENCE) {
    const { model, x } = INFERENCE[workload]();
    const run = compile(async (input) => noGrad(() => model.forward(input)));
    return async () => (await run(x)).data();
  }
  const training = workload === 'GRU' ? gru() : WORKLOADS[workload]();
  const { x, y } = training;
  const step = trainingStep({ compile, clipGradNorm_ }, training);
  return async () => (await step(x, y)).item();
}

const run = runner();

/** Milliseconds of a step: the mean, which is what a share of the machine decides, and the median. */
async function steps(milliseconds) {
  const times = [];
  const start = performance.now();
  let now = start;
  do {
    await run();
    const end = performance.now();
    times.push(end - now);
    now = end;
  } while (now - start < milliseconds);
  times.sort((a, b) => a - b);
  return { mean: (now - start) / times.length, median: times[times.length >> 1], least: times[0], count: times.length };
}

process.on('message', async ({ milliseconds }) => process.send(await steps(milliseconds)));
await steps(0); // compiles
process.send('ready');
