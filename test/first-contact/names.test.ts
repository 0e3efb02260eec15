// Errors name the parameter that they are about, by its path in the network.

import { setDevice, tensor } from 'nabla';
import { Linear, ReLU, Sequential, mseLoss } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import { expect, it } from 'vitest';

it('a value of overwritten weights says which parameter was overwritten', async () => {
  setDevice('cpu');
  const body = new Sequential(new Linear(2, 3), new ReLU(), new Linear(3, 1));
  body.layers[2].parameters(); // asked first: a name within a part gives way to the one within the whole
  const x = tensor([[1, 2]]);
  const optimizer = new SGD(body.parameters(), { lr: 0.1 });
  const before = body.forward(x);
  mseLoss(body.forward(x), tensor([[0]])).backward();
  await optimizer.step();
  await expect(before.data()).rejects.toThrow(
    /^read: this value was built on parameter [02]\.(weight|bias) \[[\d, ]+\], which has been overwritten since\. Read it before/,
  );
});

it('a name of the user stays', () => {
  const layer = new Linear(2, 2);
  layer.weight.named('mine');
  layer.parameters();
  expect(layer.weight.storage?.name).toBe('mine');
});
