// Layers on graphs: parity with dense PyTorch code, independence of the order of edges and nodes, and arguments that do not fit.
import { describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  ArgumentError,
  DTypeError,
  ShapeError,
  type Tensor,
  checkGradient,
  manualSeed,
  rand,
  randn,
  setDevice,
  tensor,
  zeros,
} from '../index.js';
import { describeParity } from '../../test/support/layer-parity.js';
import { expectNear } from '../../test/support/pytorch.js';
import * as nn from './index.js';

type Index = Tensor<readonly number[], 'int32'>;
const index = (...values: number[]): Index => tensor(values, { dtype: 'int32' }) as Index;
const step = (options: nn.MessagePassingOptions) =>
  new nn.MessagePassing(new nn.Sequential(new nn.Linear(8, 4), new nn.Tanh()), new nn.Linear(7, 3), options);

const layers: Record<string, () => nn.Module> = {
  'message passing, sum': () => step({}),
  'message passing, mean': () => step({ aggregation: 'mean' }),
  'message passing, max': () => new nn.MessagePassing(new nn.Linear(6, 4), new nn.Linear(7, 3), { aggregation: 'max' }),
  'message passing, attention': () => step({ aggregation: 'attention', score: new nn.Linear(4, 1) }),
  GCNConv: () => new nn.GCNConv(3, 4),
  'GCNConv without self-loops or bias': () => new nn.GCNConv(3, 2, { addSelfLoops: false, bias: false }),
  GATConv: () => new nn.GATConv(3, 4),
  'GATConv heads': () => new nn.GATConv(3, 2, { heads: 3 }),
  'GATConv mean of heads': () => new nn.GATConv(3, 2, { heads: 2, concat: false, negativeSlope: 0.1 }),
};
describeParity('graph', layers);

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test.each(['sum', 'mean', 'max'] as const)('%s at each node, and where nothing arrives 0', async (kind) => {
    setDevice(device);
    const messages = tensor([
      [1, -5],
      [3, -7],
      [2, 4],
      [-1, -1],
    ]) as unknown as Tensor;
    const expected = {
      sum: [4, -12, 0, 0, 2, 4, -1, -1],
      mean: [2, -6, 0, 0, 2, 4, -1, -1],
      max: [3, -5, 0, 0, 2, 4, -1, -1],
    };
    const y = await nn.aggregate(messages, index(0, 0, 2, 3), 4, kind).data();
    expectNear([...y], expected[kind], kind, 1e-6);
    const none = nn.aggregate(zeros([0, 2]) as never, zeros([0], { dtype: 'int32' }) as never, 2, kind);
    expect([...(await none.data())]).toEqual([0, 0, 0, 0]);
  });

  test.each(['sum', 'mean', 'max', 'attention'] as const)('%s does not depend on the order of edges', async (kind) => {
    setDevice(device);
    manualSeed(5);
    const layer = step({ aggregation: kind, ...(kind === 'attention' ? { score: new nn.Linear(4, 1) } : {}) });
    const [source, target] = [
      [0, 1, 2, 3, 3, 0, 2, 1],
      [1, 1, 1, 1, 0, 3, 3, 3],
    ];
    const [nodes, features] = [randn([5, 3]) as Tensor, randn([8, 2]) as Tensor];
    const run = async (order: readonly number[]): Promise<number[]> => {
      const edges = tensor(
        [source, target].map((row) => order.map((i) => row[i])),
        { dtype: 'int32' },
      ) as AnyTensor;
      const inOrder = features.indexSelect(0, index(...order)) as Tensor;
      return [...(await layer.forward(nodes, edges, inOrder)[0].data())];
    };
    const [a, b] = [await run([0, 1, 2, 3, 4, 5, 6, 7]), await run([6, 1, 7, 4, 0, 3, 5, 2])];
    expectNear(a, b, kind, device === 'cpu' ? 1e-5 : 1e-12);
  });

  test.each(['GCNConv', 'GATConv heads'])('renaming the nodes renames the output of %s', async (name) => {
    setDevice(device);
    manualSeed(6);
    const layer = layers[name]() as nn.GCNConv<3, 4>;
    const nodes = randn([4, 3]);
    const newName = [2, 0, 3, 1];
    const edges = [
      [0, 1, 1, 3],
      [1, 2, 3, 0],
    ];
    const y = (await layer.forward(nodes, tensor(edges, { dtype: 'int32' }) as AnyTensor).array()) as number[][];
    const renamed = tensor(
      edges.map((row) => row.map((n) => newName[n])),
      { dtype: 'int32' },
    ) as AnyTensor;
    const moved = nodes.indexSelect(0, index(1, 3, 0, 2)); // the inverse of newName
    const z = (await layer.forward(moved as never, renamed).array()) as number[][];
    for (const [n, row] of y.entries()) expectNear(z[newName[n]], row, `node ${n}`, device === 'cpu' ? 1e-5 : 1e-12);
  });
});

test('gradients of the softmax over edges are those of finite differences; large scores stay finite', async () => {
  setDevice('reference');
  manualSeed(1);
  const target = index(0, 2, 0, 2, 2);
  const weights = rand([5, 2]);
  const f = (scores: Tensor): Tensor => nn.edgeSoftmax(scores, target, 3).mul(weights).sum() as Tensor;
  await checkGradient(f, [randn([5, 2]) as Tensor], { assert: true });
  const far = tensor([[1e4], [-1e4], [1e4], [0], [-1e4]]) as unknown as Tensor;
  expect([...(await nn.edgeSoftmax(far, target, 3).data())]).toEqual([0.5, 0, 0.5, 1, 0]);
});

test('arguments that do not fit', () => {
  setDevice('reference');
  const x = (...shape: number[]): never => zeros(shape) as never;
  const edges = zeros([2, 4], { dtype: 'int32' }) as AnyTensor;
  expect(() => nn.aggregate(x(4, 2), index(0, 1), 2)).toThrow(
    new ShapeError('aggregate: messages [4, 2], target [2]: needs [E, F] and [E]', [[4, 2], [2]]),
  );
  expect(() => nn.aggregate(x(2, 2), x(2), 2)).toThrow(DTypeError);
  expect(() => nn.aggregate(x(2, 2), index(0, 1), 2, 'median' as never)).toThrow("aggregate: 'median' is not known");
  expect(() => nn.aggregate(x(2, 2), index(0, 1), 0)).toThrow('aggregate: count is 0');
  expect(() => step({ aggregation: 'median' as never })).toThrow("MessagePassing: aggregation 'median' is not known");
  expect(() => step({ aggregation: 'attention' })).toThrow(
    new ArgumentError("MessagePassing: aggregation 'attention' needs a score module."),
  );
  expect(() => step({ score: new nn.Linear(4, 1) })).toThrow("aggregation 'sum' has no use for a score module");
  expect(() => step({}).forward(x(5, 3), x(2, 4))).toThrow('MessagePassing: edges are float32');
  expect(() => step({}).forward(x(5, 3), edges.transpose(0, 1) as AnyTensor)).toThrow('edges [4, 2]: needs [2, E]');
  expect(() => step({}).forward(x(5), edges)).toThrow('nodes [5]: needs [N, F]');
  expect(() => step({}).forward(x(5, 3), edges, x(3, 2))).toThrow('edge features [3, 2] for 4 edges');
  expect(() => new nn.GCNConv(3, 0)).toThrow('GCNConv: outFeatures is 0');
  expect(() => new nn.GCNConv(3, 2).forward(x(5, 4), edges)).toThrow('GCNConv: input [5, 4]: last dimension 4');
  expect(() => new nn.GATConv(3, 2, { heads: 0 })).toThrow('GATConv: heads is 0');
  expect(() => new nn.GATConv(3, 2, { dropout: -1 })).toThrow('GATConv: dropout is -1. Use a number from 0 to 1.');
});
