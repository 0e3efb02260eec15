// Runs in a browser whose Content-Security-Policy forbids something: a small training by hand and one by a Trainer, and what
// became of them.

import { configure, devices, manualSeed, tensor } from 'nabla';
import { ArrayDataset, DataLoader } from 'nabla/data';
import { Linear, ReLU, Sequential, mseLoss } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import { Trainer } from 'nabla/train';

const inputs = Float32Array.from({ length: 2048 }, (_, i) => Math.sin(i));
const targets = Float32Array.from({ length: 64 }, (_, i) => Math.cos(i));

export async function main(): Promise<Record<string, unknown>> {
  configure({ threads: 3 });
  try {
    return { losses: await trainByHand(), trained: await trainByTrainer(), threads: threads() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { name: error.name, message: error.message };
  }
}

const threads = () => devices().find(({ name }) => name === 'cpu')?.details['threads'];

function createModel() {
  manualSeed(0);
  return new Sequential(new Linear(32, 64), new ReLU(), new Linear(64, 1));
}

async function trainByHand(): Promise<number[]> {
  const x = tensor(inputs, { shape: [64, 32] });
  const y = tensor(targets, { shape: [64, 1] });
  const model = createModel();
  const optimizer = new SGD(model.parameters(), { lr: 0.05 });
  const losses: number[] = [];
  for (let step = 0; step < 50; step++) {
    optimizer.zeroGrad();
    const loss = mseLoss(model.forward(x), y);
    loss.backward();
    await optimizer.step();
    // The first runs are given before a thread can have started, or failed to: none of them is lost.
    if (step === 20) await new Promise((resolve) => setTimeout(resolve, 100));
    if (step % 10 === 9) losses.push(await loss.item());
  }
  return losses;
}

async function trainByTrainer(): Promise<number> {
  const points = new ArrayDataset({
    x: { data: inputs, shape: [32] as const },
    y: { data: targets, shape: [1] as const },
  });
  const model = createModel();
  const trainer = new Trainer({
    model,
    optimizer: new SGD(model.parameters(), { lr: 0.05 }),
    train: new DataLoader(points, { batchSize: 16, shuffle: true, seed: 0 }),
    loss: mseLoss,
    epochs: 3,
  });
  return (await trainer.fit()).history.length;
}
