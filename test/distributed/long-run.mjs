// A run that takes a few seconds on several processes, in a folder: begun, or taken up where there is one. Each process writes down its number.
// Process 0 prints what came out. See faults.test.ts and tools/distributed/kills.mjs.
//   node long-run.mjs FOLDER [sleep RANK: that process stops at update 20 and never goes on]
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { disposeDevices, manualSeed } from 'nabla';
import { DataLoader, digits } from 'nabla/data';
import { ZeroRedundancyOptimizer, init } from 'nabla/distributed';
import { Accuracy } from 'nabla/metrics';
import { Dropout, Flatten, Linear, ReLU, Sequential } from 'nabla/nn';
import { AdamW } from 'nabla/optim';
import { Trainer } from 'nabla/train';

const [, , folder, how, who] = process.argv;
const world = await init();
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, `process-${world.rank}`), `${process.pid}`);

manualSeed(1);
const { train, validation } = digits().split({ train: 0.8, validation: 0.2 }, { stratify: 'y' });
const model = new Sequential(new Flatten(), new Linear(64, 48), new ReLU(), new Dropout(0.2), new Linear(48, 10));
const run = join(folder, 'run');
const trainer = new Trainer({
  model,
  optimizer: new ZeroRedundancyOptimizer(new AdamW(model.parameters(), { lr: 3e-3 }), world),
  train: new DataLoader(train, { batchSize: 60, shuffle: true, seed: 2 }),
  validation: new DataLoader(validation, { batchSize: 120, seed: 3 }),
  metrics: { accuracy: new Accuracy() },
  epochs: 12,
  seed: 4,
  distributed: world,
  folder: run,
  checkpoint: { every: 7 },
  callbacks: [
    {
      async onStep(_, { step }) {
        if (step === 20 && how === 'sleep' && world.rank === Number(who))
          await new Promise((end) => setTimeout(end, 1e9));
      },
    },
  ],
});
if (existsSync(join(run, 'config.json'))) await trainer.resume(run);
const begun = trainer.step;
const { history, reason } = await trainer.fit();
const digest = createHash('sha256');
for (const p of model.parameters()) digest.update(await p.data());
for (const { train: numbers, validation: others } of history) digest.update(JSON.stringify([numbers, others]));
const digests = await world.allGather(digest.digest().readInt32LE(0));
if (world.rank === 0) console.log(JSON.stringify({ begun, reason, step: trainer.step, digests }));
await disposeDevices();
