// Recurrent layers, their cells and MultiheadAttention over ranks and sizes, with states and masks, values and gradients, against
// PyTorch (test/fixtures/sequences.json, made by tools/parity/sequences.py); what PyTorch refuses is an error here, too.
import { describe, expect, test } from 'vitest';
import { noGrad, setDevice, tensor } from 'nabla';
import * as nn from 'nabla/nn';
import { type Call, type Row, differences, numbers } from './support/checksums.js';
import { readFixture } from './support/pytorch.js';
import { TIERS } from './support/tiers.js';

const { cases } = readFixture<{ cases: Record<string, readonly Row[]> }>('sequences.json');

/** The layer with parameters that follow from the order of their names. */
function filled<M extends nn.Module>(module: M): M {
  const names = Object.entries(module.stateDict()).sort(([a], [b]) => (a < b ? -1 : 1));
  noGrad(() =>
    names.forEach(([, p], k) => {
      const values = numbers('f', p.size, k).map((v) => v / 4);
      p.assign_(tensor(Float64Array.from(values), { shape: p.shape, dtype: 'float32' }));
    }),
  );
  return module;
}

type Options = nn.RecurrentOptions;

/** One state is handed over as it is, two as a list. */
const recurrent =
  (make: (options: Options) => nn.Module & { forward: unknown }): Call =>
  ([x, ...states], [options]) => {
    const layer = filled(make(options));
    const given = states.length === 0 ? [] : states.length === 1 ? states : [states];
    return Reflect.apply(layer.forward as (...all: unknown[]) => unknown, layer, [x, ...given]);
  };

const calls: Readonly<Record<string, Call>> = {
  RNN: recurrent((options) => new nn.RNN(3, 2, options)),
  GRU: recurrent((options) => new nn.GRU(3, 2, options)),
  LSTM: recurrent((options) => new nn.LSTM(3, 2, options)),
  RNNCell: recurrent((options) => new nn.RNNCell(3, 2, options)),
  GRUCell: recurrent((options) => new nn.GRUCell(3, 2, options)),
  LSTMCell: recurrent((options) => new nn.LSTMCell(3, 2, options)),
  MultiheadAttention: ([query, key, value, mask], [kind, options]) => {
    const layer: nn.MultiheadAttention<4, nn.MultiheadAttentionOptions> = filled(
      new nn.MultiheadAttention(4, 2, options as nn.MultiheadAttentionOptions),
    );
    const masks = { plain: {}, mask: { attnMask: mask }, padding: { keyPaddingMask: mask } };
    return (layer.forward as (...all: unknown[]) => unknown).call(layer, query, key, value, masks[kind]);
  },
};

test('every layer of the fixture is called', () => {
  expect(Object.keys(calls).sort()).toEqual(Object.keys(cases).sort());
});

const isComplete = process.env['NABLA_PARITY'] === 'all';
/** One row in so many: compiling takes its time. All with NABLA_PARITY=all. */
const SHARE = { reference: 1, wasm: isComplete ? 1 : 13, native: isComplete ? 1 : 83 };

describe.each(TIERS)('on $device', ({ device, tolerance }) => {
  test.each(Object.keys(calls))(
    '%s',
    async (name) => {
      setDevice(device);
      const rows = cases[name].filter((_, i) => i % SHARE[device] === 0);
      expect(await differences(name, calls[name], rows, Math.max(tolerance, 1e-5))).toEqual([]);
    },
    300_000,
  );
});
