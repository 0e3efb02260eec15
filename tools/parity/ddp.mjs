// nabla's side of ddp.py: what it prints is compared there.
import { disposeDevices, tensor } from 'nabla';
import { DataParallel, init } from 'nabla/distributed';
import { BatchNorm1d, Linear, Sequential, Tanh, crossEntropy } from 'nabla/nn';
import { AdamW, SGD, clipGradNorm_ } from 'nabla/optim';

const [, , cases, steps, batch] = process.argv;
const [STEPS, BATCH] = [Number(steps), Number(batch)];
const world = await init();
const { rank, worldSize } = world;
const results = {};
for (const name of cases.split(',')) {
  const layers = [new Linear(20, 16), new Linear(16, 3)];
  layers.forEach((layer, i) => {
    const fan = layer.weight.shape[1];
    const numbers = Float32Array.from({ length: layer.weight.size }, (_, k) => Math.sin(0.37 * k + i) / Math.sqrt(fan));
    layer.weight.assign_(tensor(numbers, { shape: layer.weight.shape }));
    layer.bias.assign_(tensor(new Float32Array(layer.bias.size)));
  });
  const norm = name === 'norm' ? [new BatchNorm1d(16)] : [];
  const model = new DataParallel(new Sequential(layers[0], ...norm, new Tanh(), layers[1]), world);
  const optimizer =
    name === 'adamw'
      ? new AdamW(model.parameters(), { lr: 0.01 })
      : new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const share = BATCH / worldSize;
  const losses = [];
  for (let step = 0; step < STEPS; step++) {
    const x = Float32Array.from({ length: BATCH * 20 }, (_, k) => Math.sin(1.7 * k + 13.1 * step));
    const y = Int32Array.from({ length: BATCH }, (_, k) => (k + step) % 3);
    const [from, to] = [rank * share, (rank + 1) * share];
    optimizer.zeroGrad();
    const loss = crossEntropy(
      model.forward(tensor(x.slice(20 * from, 20 * to), { shape: [share, 20] })),
      tensor(y.slice(from, to)),
    );
    loss.backward();
    await model.reduceGradients();
    if (name === 'clip') clipGradNorm_(model.parameters(), 0.1);
    const value = loss.detach().keep();
    await optimizer.step();
    losses.push(await world.allReduce(await value.item(), 'mean'));
  }
  results[name] = losses;
}
if (rank === 0) console.log(JSON.stringify(results));
await disposeDevices();
