// The one-second test of `npm run check`: a small network learns exclusive-or on the default device, and the weights it
// learned are the ones it uses. Everything else has tests of its own.
import { expect, test } from 'vitest';
import { manualSeed, tensor } from 'nabla';
import { Linear, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import { AdamW } from 'nabla/optim';

test('a two-layer network learns exclusive-or', async () => {
  manualSeed(0);
  const x = tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]);
  const y = tensor([0, 1, 1, 0], { dtype: 'int32' });
  const model = new Sequential(new Linear(2, 16), new ReLU(), new Linear(16, 2));
  const optimizer = new AdamW(model.parameters(), { lr: 0.05 });

  const first = await crossEntropy(model.forward(x), y).item();
  for (let step = 0; step < 100; step++) {
    optimizer.zeroGrad();
    crossEntropy(model.forward(x), y).backward();
    await optimizer.step();
  }
  expect(first).toBeGreaterThan(0.4); // about ln 2 before training
  expect(await crossEntropy(model.forward(x), y).item()).toBeLessThan(0.05);
});
