// Runs in the browser: the public API trains a small network in the page and reports what it saw.

import { devices, manualSeed, memoryStats, setDevice, tensor } from 'nabla';
import { digits, DataLoader } from 'nabla/data';
import { Linear, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import { AdamW } from 'nabla/optim';

export async function main(): Promise<Record<string, unknown>> {
  manualSeed(0);
  const { train, test } = digits().split({ train: 0.8, test: 0.2 }, { stratify: 'y' });
  const model = new Sequential(new Linear(64, 64), new ReLU(), new Linear(64, 10));
  const optimizer = new AdamW(model.parameters(), { lr: 5e-3 });
  const loader = new DataLoader(train, { batchSize: 64, shuffle: true });
  const losses: number[] = [];
  for (let epoch = 0; epoch < 8; epoch++) {
    let last = NaN;
    for await (const { x, y } of loader) {
      optimizer.zeroGrad();
      const loss = crossEntropy(model.forward(x.reshape([-1, 64]) as never), y);
      loss.backward();
      await optimizer.step();
      last = await loss.item();
    }
    losses.push(last);
  }
  const { x, y } = test.batch(Int32Array.from({ length: test.length }, (_, i) => i));
  const said = await model
    .forward(x.reshape([-1, 64]) as never)
    .argmax(1)
    .data();
  const truth = await y.data();
  const accuracy = said.filter((label, i) => label === truth[i]).length / truth.length;

  // The reference device is there as well, and agrees.
  const values = await tensor([1, 2, 3]).exp().sum().item();
  setDevice('reference');
  const reference = await tensor([1, 2, 3]).exp().sum().item();
  setDevice('cpu');
  const cpu = devices().find((d) => d.name === 'cpu');
  return { losses, accuracy, values, reference, details: cpu?.details, buffers: memoryStats().buffers };
}
