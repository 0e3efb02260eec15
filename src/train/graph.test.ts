// The graph of a model in the folder of its run: as writeGraph writes it, and as it is recorded while a model is trained.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Tensor, manualSeed, ones, randn, rand, tensor, zeros } from '../index.js';
import { Dropout, Linear, Module, ReLU, Sequential, mseLoss } from '../nn/index.js';
import { SGD } from '../optim/index.js';
import { GRAPH, parseGraph } from './graph.js';
import { type RunEvent, Trainer, writeGraph } from './index.js';
import type { Callback } from './options.js';
import { GraphRecorder } from './record-graph.js';

const folder = mkdtempSync(join(tmpdir(), 'nabla-graph-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const read = (name: string) => parseGraph(readFileSync(join(folder, name, GRAPH), 'utf8'));

/** Draws a number in its pass, in evaluation mode as well. */
class Noisy extends Module {
  readonly body = new Sequential(new Linear(2, 3), new ReLU(), new Dropout(0.5), new Linear(3, 1));
  forward(x: Tensor<[number, 2]>): Tensor {
    return this.body.forward(x).add(randn([1]).mul(0.01));
  }
}

const batches = {
  length: 2,
  async *batches() {
    for (let i = 0; i < 2; i++) yield { x: rand([4, 2]), y: rand([4, 1]) };
  },
};

async function losses(callbacks: Callback[]): Promise<number[]> {
  manualSeed(1);
  const model = new Noisy();
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const trainer = new Trainer({ model, optimizer, train: batches, epochs: 3, loss: mseLoss, callbacks });
  const { history } = await trainer.fit();
  return history.map(({ train }) => train['loss']);
}

test('a run whose graph is recorded has the numbers of one without', async () => {
  const path = join(folder, 'run');
  expect(await losses([new GraphRecorder(path)])).toEqual(await losses([]));
  const graph = read('run');
  const input = graph.find(({ op }) => op === 'Placeholder');
  expect(input).toMatchObject({ name: 'input', shape: [4, 2] });
  const users = graph.filter(({ inputs }) => inputs.includes('input')).map(({ name }) => name);
  expect(users).toEqual([expect.stringMatching(/^body\/0\//)]);
  expect(graph.map(({ name }) => name)).toContain('body/3/weight');
});

test('parts that the training calls itself are drawn beside each other', async () => {
  const parts = { first: new Linear(2, 2), second: new Linear(2, 1) };
  class Pair extends Module {
    readonly first = parts.first;
    readonly second = parts.second;
  }
  const model = new Pair();
  const trainer = new Trainer({
    model,
    optimizer: new SGD(model.parameters(), { lr: 0.1 }),
    train: batches,
    epochs: 1,
    forward: ({ first, second }: Pair, { x, y }: { x: Tensor<[number, 2]>; y: Tensor }) =>
      mseLoss(second.forward(first.forward(x)), y),
    callbacks: [new GraphRecorder(join(folder, 'pair'))],
  });
  await trainer.fit();
  const inputs = read('pair').filter(({ op }) => op === 'Placeholder');
  expect(inputs.map(({ name }) => name)).toEqual(['first/input', 'second/input']);
});

describe('a training goes on without a graph, and says so once', () => {
  class Line extends Module {
    readonly line = new Linear(2, 1);
    forward(x: Tensor<[number, 2]>): Tensor {
      return this.line.forward(x);
    }
  }
  class OnlyTraining extends Line {
    override forward(x: Tensor<[number, 2]>): Tensor {
      if (!this.training) throw new Error('no targets,\nno loss');
      return super.forward(x);
    }
  }
  const taken = join(folder, 'taken');
  writeFileSync(taken, '');

  test.each([
    ['a pass that throws in evaluation mode', OnlyTraining, join(folder, 'throws'), 'no targets,'],
    ['a folder that is a file', Line, taken, 'EEXIST: file already exists'],
  ])('%s', async (_name, Model, path, reason) => {
    const trained = async (callbacks: Callback[]) => {
      manualSeed(1);
      const model = new Model();
      const events: RunEvent[] = [];
      const trainer = new Trainer({
        model,
        optimizer: new SGD(model.parameters(), { lr: 0.1 }),
        train: batches,
        epochs: 2,
        loss: mseLoss,
        callbacks,
        listeners: [{ onEvent: (event: RunEvent) => void events.push(event) }],
      });
      const { history } = await trainer.fit();
      return { losses: history.map(({ train }) => train['loss']), notices: events.filter((e) => e.event === 'notice') };
    };
    const { losses, notices } = await trained([new GraphRecorder(path)]);
    expect(losses).toEqual((await trained([])).losses);
    expect(notices).toMatchObject([{ code: 'no-graph', step: 1 }]);
    expect(notices[0].text).toMatch(/^.+$/);
    expect(notices[0].text).toContain(`this run has no graph of its model: ${reason}`);
    expect(existsSync(join(path, GRAPH))).toBe(false);
  });
});

test('writeGraph takes any arguments of forward, and says what it cannot', async () => {
  await writeGraph(join(folder, 'own'), new Linear(2, 1), zeros([1, 2]));
  expect(read('own').at(-1)?.shape).toEqual([1, 1]);
  await expect(async () => writeGraph('x', new Linear(2, 1))).rejects.toThrow(/^writeGraph: there is no input/);
  class Reading extends Module {
    readonly line = new Linear(2, 1);
    async forward(x: Tensor<[number, 2]>): Promise<Tensor> {
      const y = this.line.forward(x);
      if ((await y.sum().item()) > 0) throw new Error('of which nobody hears');
      return y;
    }
  }
  await expect(async () => writeGraph('x', new Reading(), ones([1, 2]))).rejects.toThrow(/forward gives a promise/);
  await expect(async () => writeGraph('x', {} as never, tensor([1]))).rejects.toThrow(/^writeGraph: the model/);
  expect(existsSync('x')).toBe(false);
  expect(() => parseGraph('{')).toThrow('graph.json is no JSON.');
  expect(() => parseGraph('[{"name":1}]')).toThrow('graph.json is no graph of a model.');
});
