// The functions that arrange elements over ranks 0 to 4 and sizes 0 to 3, values and gradients, against PyTorch
// (test/fixtures/functions-arranging.json, made by tools/parity/functions_arranging.py).
import { expect, test } from 'vitest';
import * as nabla from 'nabla';
import { type Call, plain } from './support/checksums.js';
import { functionParity } from './support/function-parity.js';

const listed =
  (fn: unknown): Call =>
  (inputs, args) =>
    Reflect.apply(fn as Call, undefined, [inputs, ...args]) as unknown;
/** null stands for an argument that is left out. */
const orNone =
  (fn: unknown): Call =>
  (inputs, args) =>
    plain(fn)(inputs, args.map((value) => value ?? undefined) as never[]);

functionParity('functions-arranging', {
  repeat: plain(nabla.repeat),
  tile: plain(nabla.tile),
  repeatInterleave: orNone(nabla.repeatInterleave),
  meshgrid: (inputs, [indexing]) => nabla.meshgrid(inputs, { indexing }),
  unbind: plain(nabla.unbind),
  select: plain(nabla.select),
  narrow: plain(nabla.narrow),
  swapaxes: plain(nabla.swapaxes),
  unflatten: plain(nabla.unflatten),
  movedim: plain(nabla.movedim),
  diagonal: plain(nabla.diagonal),
  diagEmbed: plain(nabla.diagEmbed),
  diag: plain(nabla.diag),
  trace: plain(nabla.trace),
  clone: plain(nabla.clone),
  rot90: plain(nabla.rot90),
  atleast1d: plain(nabla.atleast1d),
  atleast2d: plain(nabla.atleast2d),
  atleast3d: plain(nabla.atleast3d),
  hstack: listed(nabla.hstack),
  vstack: listed(nabla.vstack),
  dstack: listed(nabla.dstack),
});

test('a clone has the numbers from before an update, and gradients flow through it', async () => {
  nabla.setDevice('cpu');
  const w = nabla.tensor([1, 2], { requiresGrad: true });
  const before = w.clone();
  before
    .mul(nabla.tensor([3, 4]))
    .sum()
    .backward();
  w.assign_(nabla.tensor([5, 6]));
  await nabla.realize();
  expect(await before.array()).toEqual([1, 2]);
  expect(await w.array()).toEqual([5, 6]);
  expect(await w.grad?.array()).toEqual([3, 4]);
  const step = nabla.compile((x: nabla.Tensor<[2]>) => x.clone().mul(2));
  for (let call = 0; call < 3; call++)
    expect(await (await step(nabla.tensor([call, 1]))).array()).toEqual([2 * call, 2]);
});
