// 100,000 training steps and 100,000 inferences of a small network: node --expose-gc tools/soak/steps.mjs [steps] [calls].
// Builds on dist/ (npm run build). Prints memory every tenth of the way, and ends with 1 if any of it grows: the first tenth is
// for compiling, and from there on the largest of the last five tenths must not exceed that of the four before by more than noise.
import { compile, manualSeed, memoryStats, randn } from '../../dist/index.js';
import { BatchNorm1d, Dropout, Linear, ReLU, Sequential, mseLoss } from '../../dist/nn/index.js';
import { Adam } from '../../dist/optim/index.js';

const steps = Number(process.argv[2] ?? 100_000);
const calls = Number(process.argv[3] ?? steps);
const MB = 1024 * 1024;
/** What may come on top between the two halves, in MB (buffers: a number): V8 and the allocator of the system do not hold still. */
const NOISE = { heap: 2, rss: 16, device: 0.25, buffers: 4 };

if (globalThis.gc === undefined) {
  console.error('Run with node --expose-gc: without collecting garbage first, memory says little.');
  process.exit(2);
}

async function measure() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20)); // buffers go back in a task of their own
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed / MB, rss: rss / MB, device: memoryStats().usedBytes / MB, buffers: memoryStats().buffers };
}

/** Runs `once` as often as asked, and gives the names of what has grown. */
async function watch(name, times, once) {
  const seen = [];
  for (let done = 0; done < times;) {
    const began = performance.now();
    for (const end = done + Math.ceil(times / 10); done < end && done < times; done++) await once();
    const rate = Math.ceil(times / 10) / ((performance.now() - began) / 1000);
    seen.push(await measure());
    const { heap, rss, device, buffers } = seen.at(-1);
    const texts = [`heap ${heap.toFixed(1)} MB`, `rss ${rss.toFixed(1)} MB`, `device ${device.toFixed(2)} MB`];
    console.log(`${name} ${done}: ${texts.join(', ')}, ${buffers} buffers, ${rate.toFixed(0)}/s`);
  }
  const most = (what, from, to) => Math.max(...seen.slice(from, to).map((m) => m[what]));
  return Object.keys(NOISE).filter((what) => most(what, 5) > most(what, 1, 5) + NOISE[what]);
}

manualSeed(1);
const model = new Sequential(new Linear(16, 32), new BatchNorm1d(32), new ReLU(), new Dropout(0.2), new Linear(32, 4));
const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
const batches = Array.from({ length: 8 }, () => [randn([8, 16]), randn([8, 4])]);

const step = compile(async (x, y) => {
  optimizer.zeroGrad();
  const loss = mseLoss(model.forward(x), y);
  loss.backward();
  await optimizer.step();
  return loss;
});
const infer = compile((x) => model.forward(x));

let at = 0;
const grown = await watch('step', steps, async () => {
  const loss = await step(...batches[at++ % batches.length]);
  if (at % 1000 === 0 && !Number.isFinite(await loss.item())) throw new Error(`the loss of step ${at} is not finite`);
});
model.eval();
const grownToo = await watch('inference', calls, async () => {
  const y = await infer(batches[at++ % batches.length][0]);
  if (at % 1000 === 0) await y.data();
});
for (const [name, list] of [
  ['steps', grown],
  ['inferences', grownToo],
])
  if (list.length > 0) console.error(`${name}: ${list.join(', ')} grew.`);
process.exit(grown.length + grownToo.length > 0 ? 1 : 0);
