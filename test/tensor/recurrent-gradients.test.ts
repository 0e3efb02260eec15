// The weight gradients of a recurrent layer written by hand: large enough that the compiler joins them (horizontal-gradients.ts).

import { afterAll, expect, test } from 'vitest';
import { type Tensor, cat, randn, setDevice, stack, tensor, zeros } from '../../src/index.js';

const [STEPS, BATCH, INPUTS, HIDDEN] = [16, 16, 24, 256];
const GATES = 4 * HIDDEN;

afterAll(() => setDevice('cpu'));

/** An LSTM, batch first. */
function unrolled(x: Tensor, toGates: Tensor, recurrent: Tensor): Tensor {
  const gates = x.matmul(toGates.transpose(0, 1)) as Tensor;
  let [h, c]: Tensor[] = [zeros([BATCH, HIDDEN]), zeros([BATCH, HIDDEN])];
  const outputs: Tensor[] = [];
  for (let t = 0; t < STEPS; t++) {
    const all = (gates.index(null, t) as Tensor).add(h.matmul(recurrent.transpose(0, 1)));
    const [i, f, g, o] = all.chunk(4, 1) as Tensor[];
    c = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh())) as Tensor;
    h = o.sigmoid().mul(c.tanh()) as Tensor;
    outputs.push(h);
  }
  return stack(outputs, 1) as Tensor;
}

test('gradients of an unrolled LSTM are those of the reference device', async () => {
  const shapes = [
    [BATCH, STEPS, INPUTS],
    [GATES, INPUTS],
    [GATES, HIDDEN],
    [BATCH, STEPS, HIDDEN],
  ];
  const data = await Promise.all(shapes.map((shape) => randn(shape).mul(0.2).data()));
  const run = async (device: string) => {
    setDevice(device);
    const [x, w, u, g] = shapes.map((shape, i) => tensor(data[i], { shape }).requiresGrad_()) as Tensor[];
    (unrolled(x, w, u).mul(g).sum() as Tensor<[]>).backward();
    // One tensor, so that one program computes all of them.
    return (cat([x, w, u].map((t) => (t.grad as Tensor).reshape([-1])) as Tensor[], 0) as Tensor).data();
  };
  const expected = await run('reference');
  const actual = await run('cpu');
  const largest = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const worst = expected.reduce((most, v, i) => Math.max(most, Math.abs(actual[i] - v)), 0);
  expect(worst / largest).toBeLessThan(1e-5);
});
