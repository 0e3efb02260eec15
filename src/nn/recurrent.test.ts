// Recurrent networks: parity with PyTorch, gradients of gradients, and what they say about arguments that do not fit.
import { describe, expect, test } from 'vitest';
import {
  ArgumentError,
  DTypeError,
  ShapeError,
  type Tensor,
  checkGradient,
  hessian,
  manualSeed,
  rand,
  setDevice,
  tensor,
  zeros,
} from '../index.js';
import { type Subject, describeParity } from '../../test/support/layer-parity.js';
import { expectNear } from '../../test/support/pytorch.js';
import { GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell, type StateDict } from './index.js';

type Lengths = Tensor<[number], 'int32'>;

function lstm(layer: LSTM<number, number, object>): Subject {
  return { layer, call: (x: Tensor, h: Tensor, c: Tensor) => layer.forward(x, h && [h, c]) };
}

function withLengths(layer: LSTM<number, number, object>): Subject {
  return { layer, call: (x: Tensor, lengths: Lengths, h: Tensor, c: Tensor) => layer.forward(x, [h, c], { lengths }) };
}

const subjects: Record<string, () => Subject> = {
  RNN: () => ({ layer: new RNN(3, 2) }),
  'RNN relu, initial state': () => ({ layer: new RNN(3, 2, { nonlinearity: 'relu' }) }),
  'RNN without bias, unbatched': () => ({ layer: new RNN(3, 2, { bias: false }) }),
  GRU: () => ({ layer: new GRU(3, 2) }),
  'GRU two layers, both directions, batch first': () => ({
    layer: new GRU(3, 2, { numLayers: 2, bidirectional: true, batchFirst: true }),
  }),
  'GRU without bias': () => ({ layer: new GRU(3, 2, { bias: false }) }),
  'GRU lengths': () => {
    const layer = new GRU(3, 2, { bidirectional: true });
    return { layer, call: (x: Tensor, lengths: Lengths, h: Tensor) => layer.forward(x as never, h, { lengths }) };
  },
  LSTM: () => lstm(new LSTM(3, 2)),
  'LSTM initial states': () => lstm(new LSTM(3, 2)),
  'LSTM two layers, both directions, batch first': () =>
    lstm(new LSTM(3, 2, { numLayers: 2, bidirectional: true, batchFirst: true })),
  'LSTM dropout in evaluation': () => lstm(new LSTM(3, 2, { numLayers: 3, dropout: 0.5 })),
  'LSTM without bias, unbatched, initial states': () => lstm(new LSTM(3, 2, { bias: false })),
  'LSTM lengths': () => withLengths(new LSTM(3, 2, { numLayers: 2, bidirectional: true })),
  'LSTM lengths, batch first': () => withLengths(new LSTM(3, 2, { batchFirst: true })),
  'LSTM one step': () => lstm(new LSTM(3, 2)),
  RNNCell: () => ({ layer: new RNNCell(3, 2) }),
  'RNNCell relu without bias or state': () => ({ layer: new RNNCell(3, 2, { bias: false, nonlinearity: 'relu' }) }),
  GRUCell: () => ({ layer: new GRUCell(3, 2) }),
  'GRUCell unbatched': () => ({ layer: new GRUCell(3, 2) }),
  LSTMCell: () => {
    const layer = new LSTMCell(3, 2);
    return { layer, call: (x: Tensor, h: Tensor, c: Tensor) => layer.forward(x as never, [h, c]) };
  },
  'LSTMCell without bias or state': () => ({ layer: new LSTMCell(3, 2, { bias: false }) }),
  'RNN relu, two layers, both directions, dropout in evaluation': () => ({
    layer: new RNN(3, 2, { nonlinearity: 'relu', numLayers: 2, bidirectional: true, dropout: 0.3 }),
  }),
  'RNN lengths': () => {
    const layer = new RNN(3, 2);
    return { layer, call: (x: Tensor, lengths: Lengths, h: Tensor) => layer.forward(x as never, h, { lengths }) };
  },
  'LSTM whose dropout drops everything': () => lstm(new LSTM(3, 2, { numLayers: 2, dropout: 1 })),
  'LSTMCell unbatched': () => {
    const layer = new LSTMCell(3, 2);
    return { layer, call: (x: Tensor, h: Tensor, c: Tensor) => layer.forward(x as never, [h, c] as never) };
  },
};

describeParity('recurrent', subjects);

describe('the gradient written by hand', () => {
  const pairs = {
    RNN: () => [new RNN(2, 2), new RNNCell(2, 2)],
    GRU: () => [new GRU(2, 2), new GRUCell(2, 2)],
    LSTM: () => [new LSTM(2, 2), new LSTMCell(2, 2)],
  };
  const hiddenOf = (out: unknown): Tensor => (Array.isArray(out) ? out[0] : out) as Tensor;

  test.each(Object.entries(pairs))('of %s, and its own, are those of the single steps', async (_name, make) => {
    setDevice('reference');
    manualSeed(3);
    const [layer, cell] = make() as unknown as { forward(...x: unknown[]): unknown; stateDict(): StateDict }[];
    const weights = Object.entries(layer.stateDict()).map(([key, t]) => [key.replace('_l0', ''), t]);
    (cell as unknown as RNNCell<2, 2>).loadStateDict(Object.fromEntries(weights) as StateDict);
    const whole = (x: Tensor): Tensor => hiddenOf(layer.forward(x)).pow(3).sum() as Tensor;
    const stepwise = (x: Tensor): Tensor => {
      let [state, total]: [unknown, Tensor] = [undefined, zeros([]) as unknown as Tensor];
      for (let t = 0; t < 3; t++) {
        state = cell.forward(x.index(t), state);
        total = total.add(hiddenOf(state).pow(3).sum() as Tensor);
      }
      return total;
    };
    const x = rand([3, 1, 2]) as Tensor;
    await checkGradient(whole, [x], { assert: true });
    const [a, b] = [await hessian(whole, x).data(), await hessian(stepwise, x).data()];
    expectNear([...a], [...b], 'second derivatives', 1e-12);
    expect(Math.max(...a)).toBeGreaterThan(1e-3);
  });
});

describe('dropout between layers', () => {
  test('acts in training only, and is new in each call', async () => {
    setDevice('cpu');
    manualSeed(0);
    const layer = new LSTM(3, 8, { numLayers: 2, dropout: 0.5 });
    const x = rand([2, 1, 3]);
    const run = async (): Promise<number[]> => [...(await layer.forward(x)[0].data())];
    expect(await run()).not.toEqual(await run());
    layer.eval();
    expect(await run()).toEqual(await run());
  });
});

test('arguments that do not fit', () => {
  setDevice('reference');
  expect(() => new LSTM(0, 2)).toThrow(new ArgumentError('LSTM: inputSize is 0. Use a whole number of at least 1.'));
  expect(() => new GRU(2, 1.5)).toThrow(new ArgumentError('GRU: hiddenSize is 1.5. Use a whole number of at least 1.'));
  expect(() => new RNN(2, 2, { dropout: -0.1, numLayers: 2 })).toThrow(
    'RNN: dropout is -0.1. Use a number from 0 to 1.',
  );
  expect(() => new RNN(2, 2, { dropout: 0.1 })).toThrow('acts between layers, and there is one');
  expect(() => new RNN(2, 2, { nonlinearity: 'gelu' as never })).toThrow("nonlinearity is 'gelu'");
  const layer = new LSTM(3, 2);
  expect(() => layer.forward(zeros([4, 2, 5]) as never)).toThrow(
    new ShapeError('LSTM: input [4, 2, 5]: last dimension 5 is not inputSize 3', [[4, 2, 5]]),
  );
  expect(() => layer.forward(zeros([3]) as never)).toThrow('LSTM: input [3]: needs 2 or 3 dimensions');
  expect(() => layer.forward(zeros([0, 4, 3]))).toThrow('LSTM: input [0, 4, 3]: no steps');
  const state = zeros([1, 3, 2]) as unknown as Tensor;
  expect(() => layer.forward(zeros([4, 2, 3]), [state, state])).toThrow(
    'LSTM: initial state [1, 3, 2] is not [1, 2, 2]',
  );
  const lengths = tensor([1, 2, 3], { dtype: 'int32' });
  expect(() => layer.forward(zeros([4, 2, 3]), undefined, { lengths })).toThrow('LSTM: lengths [3] for a batch of 2');
  expect(() => layer.forward(zeros([4, 2, 3]), undefined, { lengths: tensor([1, 2]) as never })).toThrow(DTypeError);
  expect(() => new LSTMCell(3, 2).forward(zeros([2, 4]) as never)).toThrow('last dimension 4 is not inputSize 3');
  expect(() => new GRUCell(3, 2).forward(zeros([2, 3]), zeros([2, 3]) as never)).toThrow(
    'GRUCell: state [2, 3] is not [2, 2]',
  );
});
