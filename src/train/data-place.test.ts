// An index out of range that is met in a Trainer: the error names the call, the module, and where in the data it is.
import { expect, test } from 'vitest';
import { type Tensor, setDevice, tensor } from '../index.js';
import { ArrayDataset, DataLoader } from '../data/index.js';
import { Embedding, Flatten, Linear, Sequential, crossEntropy } from '../nn/index.js';
import { SGD } from '../optim/index.js';
import { type Batches, Trainer, type TrainerOptions } from './index.js';

const COUNT = 24;

function loaderOf({ x: wrongX, y: wrongY, twice }: { x?: number; y?: number; twice?: number }) {
  const x = Int32Array.from({ length: COUNT * 3 }, (_, i) => (i === wrongX ? 19 : i === twice ? 7 : i % 5));
  const y = Int32Array.from({ length: COUNT }, (_, i) => (i === wrongY ? 7 : i % 3));
  const data = new ArrayDataset({ x: { data: x, shape: [3] }, y: { data: y, shape: [] } });
  return new DataLoader(data, { batchSize: 4 });
}

type Loader = ReturnType<typeof loaderOf>;

async function errorOf(train: Loader, more: Partial<TrainerOptions> = {}): Promise<unknown> {
  setDevice('cpu');
  const model = new Sequential(new Embedding(9, 4), new Flatten(), new Linear(12, 3));
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  return await new Trainer({ model, optimizer, train, epochs: 1, ...more }).fit().then(
    () => undefined,
    (error: unknown) => error,
  );
}

const label = 'crossEntropy: label 7 is no class. Use 0 to 2, or ignoreIndex (-100) for what counts nowhere.';
const token = 'in 0 (Embedding): index 19 is out of range for dimension 0 with size 9. Use 0 to 8.';

test('the call, the module, and the place in the data', async () => {
  // The 18th label is the second of the fifth batch, which is a replay of the captured step.
  expect(await errorOf(loaderOf({ y: 17 }))).toMatchObject({
    name: 'IndexError',
    message: `${label} In the data it is y[1] of batch 5 of epoch 1.`,
    index: 7,
  });
  const { stack } = (await errorOf(loaderOf({ y: 17 }))) as Error;
  expect(stack).toMatch(/\n +at errorOf .*data-place\.test\.ts:\d+/); // the line that has called fit()
  expect(await errorOf(loaderOf({ x: 4 }))).toMatchObject({
    message: `${token} In the data it is x[1, 1] of batch 1 of epoch 1.`,
    module: '0',
  });
  // Where another field has the number, too, which is fine there, both are named.
  expect(await errorOf(loaderOf({ y: 17, twice: 52 }), { classes: 3 })).toMatchObject({
    message: `${label} In the data it is x[1, 1] or y[1] of batch 5 of epoch 1.`,
  });
  // Of several batches that make an update, that which has it.
  expect(await errorOf(loaderOf({ y: 6 }), { accumulate: 3 })).toMatchObject({
    message: `${label} In the data it is y[2] of batch 2 of epoch 1.`,
  });
  expect(await errorOf(loaderOf({}), { validation: loaderOf({ x: 71 }) })).toMatchObject({
    message: `${token} In the data it is x[3, 2] of batch 6 of the data that are evaluated on.`,
  });
  expect(await errorOf(loaderOf({ y: 17 }), { compile: false })).toMatchObject({
    message: expect.stringMatching(/In the data it is y\[1\] of batch 5/),
  });
});

test('a number that the data do not have came with a batch', async () => {
  const shifted: Batches<{ a: { ids: Tensor<[number], 'int32'> }[] }> = {
    length: 1,
    async *batches() {
      yield { a: [{ ids: tensor(Int32Array.of(1, 1)) }] };
    },
  };
  const model = new Embedding(5, 3);
  const run = (shift: number) =>
    new Trainer({
      model,
      optimizer: new SGD(model.parameters(), { lr: 0.1 }),
      train: shifted,
      forward: (m, { a }) => crossEntropy(m.forward(a[0].ids), a[0].ids.add(shift)),
      epochs: 1,
    }).fit();
  await expect(run(8)).rejects.toThrow(/label 9 is no class\. .* It came with batch 1 of epoch 1\.$/);
});
