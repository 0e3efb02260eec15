// Trains a small network on the digits that come with the package, in thirty lines.
//   npm run build && node --experimental-strip-types examples/digits.ts     (Node 22), or through any TypeScript runner

import { manualSeed, noGrad } from 'nabla';
import { DataLoader, digits } from 'nabla/data';
import { BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import { AdamW } from 'nabla/optim';

manualSeed(0);
const { train, test } = digits().split({ train: 0.8, test: 0.2 });

const model = new Sequential(
  new Conv2d(1, 16, 3, { padding: 1 }), //         [N, 1, 8, 8] → [N, 16, 8, 8]
  new BatchNorm2d(16),
  new ReLU(),
  new MaxPool2d(2), //                             → [N, 16, 4, 4]
  new Flatten(), //                                → [N, 256]
  new Linear(16 * 4 * 4, 10), //                   Linear(100, 10) here would not compile
);
const optimizer = new AdamW(model.parameters(), { lr: 3e-3 });

for (let epoch = 1; epoch <= 10; epoch++) {
  let [sum, batches] = [0, 0];
  for await (const { x, y } of new DataLoader(train, { batchSize: 64, shuffle: true })) {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x), y);
    loss.backward();
    await optimizer.step();
    sum += await loss.item();
    batches++;
  }
  console.log(`epoch ${epoch}: loss ${(sum / batches).toFixed(4)}`);
}

model.eval();
const { x, y } = test.batch(Array.from({ length: test.length }, (_, i) => i));
const right = await noGrad(() => model.forward(x).argmax(1).eq(y).to('float32').mean()).item();
console.log(`test accuracy ${(100 * right).toFixed(1)} %`);
