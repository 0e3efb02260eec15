// ConvLSTM: parity with the same network composed in PyTorch, and arguments that do not fit.
import { expect, test } from 'vitest';
import { ShapeError, type Tensor, setDevice, zeros } from '../index.js';
import { type Subject, describeParity } from '../../test/support/layer-parity.js';
import { ConvLSTM, ConvLSTMCell } from './index.js';

const withStates = (layer: ConvLSTM<number, number> | ConvLSTMCell<number, number>): Subject => ({
  layer,
  call: (x: Tensor, h?: Tensor, c?: Tensor) => layer.forward(x as never, h && [h, c as Tensor]),
});

const subjects: Record<string, () => Subject> = {
  ConvLSTMCell: () => withStates(new ConvLSTMCell(2, 3, 3)),
  'ConvLSTMCell without bias or state': () => withStates(new ConvLSTMCell(2, 1, 1, { bias: false })),
  ConvLSTM: () => withStates(new ConvLSTM(1, 2, 3)),
  'ConvLSTM two layers, batch first, initial states': () =>
    withStates(new ConvLSTM(2, 2, 3, { numLayers: 2, batchFirst: true })),
};

describeParity('conv-recurrent', subjects);

test('arguments that do not fit', () => {
  setDevice('reference');
  const x = (...shape: number[]): never => zeros(shape) as never;
  expect(() => new ConvLSTM(1, 0, 3)).toThrow('ConvLSTM: hiddenChannels is 0. Use a whole number of at least 1.');
  expect(() => new ConvLSTM(1, 2, 3, { numLayers: 0 })).toThrow('ConvLSTM: numLayers is 0');
  const layer = new ConvLSTM(1, 2, 3);
  expect(() => layer.forward(x(2, 1, 4, 4))).toThrow(
    new ShapeError('ConvLSTM: input [2, 1, 4, 4]: needs [T, N, C, H, W]', [[2, 1, 4, 4]]),
  );
  expect(() => layer.forward(x(2, 1, 3, 4, 4))).toThrow('channel dimension 3 is not inChannels 1');
  expect(() => layer.forward(x(0, 1, 1, 4, 4))).toThrow('no steps');
  expect(() => layer.forward(x(2, 1, 1, 4, 4), [x(1, 1, 2, 4, 5), x(1, 1, 2, 4, 5)])).toThrow(
    'ConvLSTM: state [1, 2, 4, 5] is not [1, 2, 4, 4]',
  );
  expect(() => new ConvLSTMCell(2, 2, 3).forward(x(1, 3, 4, 4))).toThrow('channel dimension 3 is not inChannels 2');
  expect(() => new ConvLSTMCell(2, 2, 3).forward(x(2, 4, 4))).toThrow(
    'ConvLSTMCell: input [2, 4, 4]: needs [N, C, H, W]',
  );
});
