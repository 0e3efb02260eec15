// Diffusion: schedules, noise and DDIM's steps by their formulas (PyTorch's numbers), and that it learns digits.
import { expect, test } from 'vitest';
import { readFixture, unpack, type Packed } from '../../../test/support/pytorch.js';
import { digits } from '../../data/index.js';
import { type Tensor, compile, manualSeed, noGrad, rand, tensor, zeros } from '../../index.js';
import { Adam } from '../../optim/index.js';
import { Diffusion, DiffusionUNet, noiseSchedule } from '../index.js';

interface Fixture {
  readonly schedules: readonly { name: 'cosine' | 'linear'; steps: number; left: Packed }[];
  readonly ddim: { readonly noise: Packed; readonly shares: readonly number[]; readonly pictures: Packed };
}
const fixture = readFixture<Fixture>('generative.safetensors');

test('schedules are those of the papers', () => {
  for (const { name, steps, left } of fixture.schedules) {
    const own = noiseSchedule(steps, name);
    own.forEach((value, i) => expect(Math.abs(value - left.data[i])).toBeLessThan(1e-9));
  }
});

test('DDIM takes the noise away step by step', async () => {
  const { noise, pictures } = fixture.ddim;
  const model = new Diffusion({ shape: [1, 4, 4], width: 8, levels: [1], steps: 100 });
  // a network that finds a fixed share of what it sees to be noise
  model.network.forward = (x: Tensor) => x.mul(0.3);
  const made = await model.sample(2, { noise: unpack(noise) as Tensor, steps: 5 });
  const wanted = [...pictures.data];
  (await made.data()).forEach((value, i) => expect(Math.abs(value - wanted[i])).toBeLessThan(1e-5));
});

test('it learns digits: what it makes is nearer to them than noise, and the loss falls', async () => {
  manualSeed(0);
  const { x } = digits().batch(Array.from({ length: 256 }, (_, i) => i));
  const model = new Diffusion({ shape: [1, 8, 8], width: 16, levels: [1, 2], steps: 200 });
  const optimizer = new Adam(model.parameters(), { lr: 3e-3 });
  const step = compile(async (pictures: Tensor) => {
    optimizer.zeroGrad();
    const loss = model.loss(pictures);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  let loss = 0;
  for (let i = 0; i < 120; i++) {
    const value = await (await step(x.slice(0, (i % 4) * 64, (i % 4) * 64 + 64))).item();
    loss = i === 0 ? value : 0.95 * loss + 0.05 * value;
  }
  expect(loss).toBeLessThan(0.35);
  model.eval();
  const made = await model.sample(64, { steps: 10 });
  expect(made.shape).toEqual([64, 1, 8, 8]);
  // the columns at the edges of a digit are empty, and its middle is not
  const columns = await made.mean([0, 1, 2]).data();
  expect(Math.max(columns[0], columns[7])).toBeLessThan(0.2);
  expect(Math.min(columns[3], columns[4])).toBeGreaterThan(0.3);
}, 120_000);

test('DDPM draws, DDIM does not', async () => {
  manualSeed(0);
  const model = new Diffusion({ shape: [1, 4, 4], width: 8, levels: [1], steps: 20 });
  const noise = noGrad(() => rand([1, 1, 4, 4]));
  const twice = async (eta: number) => {
    const [a, b] = [await model.sample(1, { noise, eta, steps: 4 }), await model.sample(1, { noise, eta, steps: 4 })];
    return await a.sub(b).abs().amax().item();
  };
  expect(await twice(0)).toBe(0);
  expect(await twice(1)).toBeGreaterThan(0);
});

test('what is wrong is said', async () => {
  expect(() => new Diffusion({ shape: [1, 6, 8] })).toThrow(
    'Diffusion: height or width is 6, which is no multiple of 4.',
  );
  expect(() => new Diffusion({ shape: [1, 8, 8], width: 12 })).toThrow(
    'DiffusionUNet: width is 12. Use a multiple of 8.',
  );
  expect(() => new Diffusion({ shape: [1, 8, 8], steps: 0 })).toThrow('Diffusion: steps is 0');
  expect(() => noiseSchedule(10, 'linear')).toThrow('noiseSchedule: 10 steps are too few for a linear schedule.');
  const model = new Diffusion({ shape: [1, 4, 4], width: 8, levels: [1], steps: 20 });
  expect(() => model.loss(rand([2, 4, 4]))).toThrow('Diffusion.loss: pictures [2, 4, 4]: need [N, 1, 4, 4]');
  await expect(model.sample(2, { steps: 21 })).rejects.toThrow(
    'Diffusion.sample: 21 steps, and the model was trained with 20.',
  );
  await expect(model.sample(2, { eta: 2 })).rejects.toThrow('Diffusion.sample: eta is 2. Use a number from 0 to 1.');
  await expect(model.sample(2, { noise: zeros([1, 1, 4, 4]) })).rejects.toThrow(
    'Diffusion.sample: noise [1, 1, 4, 4]: need [2, 1, 4, 4]',
  );
  const net = new DiffusionUNet({ width: 8, levels: [1, 1] });
  expect(() => net.forward(rand([2, 1, 5, 4]), tensor([1, 2]))).toThrow('with H and W multiples of 2');
  expect(() => net.forward(rand([2, 1, 4, 4]), tensor([1]))).toThrow(
    'DiffusionUNet: times [1]: need [2], one for each picture',
  );
});
