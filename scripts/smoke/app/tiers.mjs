// Trains a small network on the tier that NABLA_CPU names, captured and by threads; prints the losses and the device.
import { compile, devices, manualSeed, tensor } from 'nabla';
import { BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import { AdamW } from 'nabla/optim';

const [samples, steps] = [64, 12];
manualSeed(0);
const model = new Sequential(
  new Conv2d(1, 8, 3, { padding: 1 }),
  new BatchNorm2d(8),
  new ReLU(),
  new MaxPool2d(2),
  new Flatten(),
  new Linear(8 * 4 * 4, 10),
);
const optimizer = new AdamW(model.parameters(), { lr: 1e-2 });
const pixels = Float32Array.from({ length: samples * 64 }, (_, i) => Math.sin((i % 64) * (1 + ((i >> 6) % 10))));
const x = tensor(pixels, { shape: [samples, 1, 8, 8] });
const y = tensor(Int32Array.from({ length: samples }, (_, i) => i % 10));
const step = compile(async (images, labels) => {
  optimizer.zeroGrad();
  const loss = crossEntropy(model.forward(images), labels);
  loss.backward();
  await optimizer.step();
  return loss;
});
const losses = [];
for (let i = 0; i < steps; i++) losses.push(await (await step(x, y)).item());
// Large enough to be shared by the threads, with functions that call one another.
const wide = tensor(
  Float32Array.from({ length: 1 << 18 }, (_, i) => Math.cos(i)),
  { shape: [512, 512] },
);
const sum = await wide.matmul(wide).softmax(1).mul(wide.exp()).sum().item();
console.log(JSON.stringify({ losses, sum, device: devices()[0].details }));
