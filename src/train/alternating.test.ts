// Updates in turns: as a loop by hand does them, over checkpoints, with the doctor, and what is refused.
import { expect, test } from 'vitest';
import { type Tensor, manualSeed, rand, setDevice } from '../index.js';
import { ArrayDataset, DataLoader, HostRandom } from '../data/index.js';
import { Linear, Module, mseLoss } from '../nn/index.js';
import { Adam, SGD } from '../optim/index.js';
import { Alternating, type RunEvent, Trainer } from './index.js';

class Pair extends Module {
  readonly first = new Linear<number, number>(2, 3);
  readonly second = new Linear<number, number>(3, 1);

  forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x));
  }
}

const random = new HostRandom(7);
const data = new ArrayDataset({ x: { data: Float32Array.from({ length: 64 }, () => random.normal()), shape: [2] } });
const batches = () => new DataLoader(data, { batchSize: 8, shuffle: true, seed: 4 });

/** One wants the output to be 1, the other wants it to be −1. */
const losses = {
  first: (pair: Pair, { x }: { readonly x: Tensor }) => pair.forward(x).sub(1).square().mean(),
  second: (pair: Pair, { x }: { readonly x: Tensor }) => pair.forward(x).add(1).square().mean(),
};

function start() {
  setDevice('cpu');
  manualSeed(2);
  const model = new Pair();
  const parts = {
    first: new Adam(model.first.parameters(), { lr: 0.05 }),
    second: new SGD(model.second.parameters(), { lr: 0.1, momentum: 0.9 }),
  };
  return { model, parts, optimizer: new Alternating(parts) };
}

const numbers = async (model: Pair): Promise<number[]> =>
  (await Promise.all(model.parameters().map((p) => p.data()))).flatMap((d) => [...d]);

test('each turn moves the parameters of its own optimiser, after the turns before it', async () => {
  const { model, optimizer } = start();
  const result = await new Trainer({ model, optimizer, turns: losses, train: batches(), epochs: 3 }).fit();

  const { model: other, parts } = start();
  const sums = { first: 0, second: 0 };
  for (let epoch = 0; epoch < 3; epoch++) {
    sums.first = sums.second = 0;
    for await (const batch of batches().batches(epoch)) {
      for (const name of ['first', 'second'] as const) {
        for (const part of Object.values(parts)) part.zeroGrad();
        const loss = losses[name](other, batch);
        sums[name] += (await loss.item()) / 4;
        loss.backward();
        await parts[name].step();
      }
    }
  }
  const [own, wanted] = [await numbers(model), await numbers(other)];
  own.forEach((value, i) => expect(value).toBeCloseTo(wanted[i], 6));
  const { train } = result.history[2];
  expect(Object.keys(train)).toEqual(['loss', 'first', 'second']);
  expect(train.first).toBeCloseTo(sums.first, 5);
  expect(train.second).toBeCloseTo(sums.second, 5);
  expect(train.loss).toBe(train.second);
});

test('a run goes on from its state to the same numbers; validation and the monitor know the turns', async () => {
  const options = () => {
    const { model, optimizer } = start();
    return {
      model,
      optimizer,
      turns: losses,
      train: batches(),
      validation: batches(),
      earlyStopping: { monitor: 'first' },
    };
  };
  const whole = new Trainer({ ...options(), epochs: 3 });
  const { history } = await whole.fit();
  expect(Object.keys(history[0].validation ?? {})).toEqual(['loss', 'first', 'second']);

  const half = new Trainer({ ...options(), epochs: 1 });
  await half.fit();
  const { tensors, progress } = await half.state();
  const copies = Object.entries(tensors).map(async ([name, t]) => [name, await t.data(), t] as const);
  const kept = (await Promise.all(copies)).map(([name, values, t]) => [name, values.slice(), t] as const);
  expect(kept.map(([name]) => name)).toContain('optimizer.momentum_buffer.2');
  const again = new Trainer({ ...options(), epochs: 3 });
  await again.restore({ tensors, progress: JSON.parse(JSON.stringify(progress)) as typeof progress });
  await again.fit();
  expect(await numbers(again.model)).toEqual(await numbers(whole.model));
});

test('the doctor looks at the last turn and has no complaint about parameters', async () => {
  const { model, optimizer } = start();
  const events: RunEvent[] = [];
  const listeners = [{ onEvent: (event: RunEvent) => void events.push(event) }];
  await new Trainer({ model, optimizer, turns: losses, train: batches(), epochs: 2, doctor: true, listeners }).fit();
  expect(events.filter(({ event }) => event === 'notice')).toEqual([]);
  const [looked] = events.filter((event) => event.event === 'layers');
  const moved = looked.parameters.filter(({ updateRatio }) => (updateRatio ?? 0) > 0).map(({ name }) => name);
  expect(moved).toEqual(['second.weight', 'second.bias']);
});

test('what does not fit is refused', () => {
  const { model, parts, optimizer } = start();
  const common = { model, optimizer, train: batches(), epochs: 1 };
  expect(() => new Trainer(common)).toThrow(
    'Trainer: optimisers that alternate, and no turns. Give turns: { first, second }.',
  );
  expect(() => new Trainer({ ...common, turns: { first: losses.first } })).toThrow(
    'Trainer: turns { first }, and optimisers { first, second }. Give optimizer: new Alternating({ … }) with one for each turn.',
  );
  expect(() => new Trainer({ ...common, optimizer: parts.first, turns: losses })).toThrow('and optimisers {  }');
  expect(() => new Trainer({ ...common, turns: losses, accumulate: 2 })).toThrow(
    'Trainer: both turns and accumulate, which go not together. Leave out accumulate.',
  );
  expect(() => new Trainer({ ...common, turns: losses, loss: mseLoss })).toThrow('Leave out loss.');
  expect(() => new Trainer({ ...common, turns: { ...losses, first: 3 as never } })).toThrow("turn 'first'");
  expect(() => new Alternating({ a: parts.first, b: parts.first })).toThrow("Alternating: 'a' and 'b' both have");
  expect(() => new Alternating({ a: rand([2]) as never })).toThrow("Alternating: 'a'");
  expect(() => new Alternating({})).toThrow('Alternating: there are no optimisers.');
  expect(() => optimizer.loadStateDict(parts.first.stateDict())).toThrow(
    'loadStateDict: the state has 1 groups, these optimisers have 2.',
  );
});
