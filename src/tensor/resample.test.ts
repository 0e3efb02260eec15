// interpolate against PyTorch (tools/parity/resample.py): values, gradients and gradients of gradients, and where NaN and ∞ go.
import { describe, expect, test } from 'vitest';
import {
  ArgumentError,
  DTypeError,
  ShapeError,
  type Tensor,
  arange,
  grad,
  interpolate,
  jvp,
  ones,
  realize,
  setDevice,
  tensor,
  zeros,
} from 'nabla';
import type { InterpolateOptions } from './resample.js';
import { type Packed, readFixture, unpack } from '../../test/support/pytorch.js';
import { TIERS } from '../../test/support/tiers.js';

interface Case {
  readonly options: InterpolateOptions;
  readonly x: Packed;
  readonly y: Packed;
  readonly g?: Packed;
  readonly dx: Packed;
  readonly ddx?: Packed;
}

const { cases, nearest } = readFixture<{
  cases: readonly Case[];
  nearest: readonly (readonly [size: number, options: InterpolateOptions, indices: readonly number[]])[];
}>('resample.safetensors');

/** What a case expects, by name, and what nabla gives. */
function both({ options, x, y, g, dx, ddx }: Case): (readonly [string, Tensor, Packed])[] {
  const input = unpack(x, true);
  const output: Tensor = interpolate(input, options);
  if (g !== undefined) {
    output.backward(unpack(g));
    return [
      ['values', output, y],
      ['gradient', input.grad as Tensor, dx],
    ];
  }
  const first = grad((t: Tensor) => {
    const image: Tensor = interpolate(t, options);
    return image.pow(3).div(6).sum();
  });
  const second = grad((t: Tensor) => {
    const slope = first(t);
    return slope.mul(arange(slope.size).to('float32').cos().reshape(slope.shape)).sum();
  });
  return [
    ['values', output, y],
    ['gradient', first(input), dx],
    ['gradient of the gradient', second(input), ddx as Packed],
  ];
}

/** One case in so many: compiling takes its time. */
const SHARE =
  process.env['NABLA_PARITY'] === 'all' ? { reference: 1, wasm: 1, native: 1 } : { reference: 1, wasm: 7, native: 37 };

describe.each(TIERS)('on $device', ({ device, tolerance }) => {
  test('as PyTorch, with NaN and infinities in pixels and in gradients', async () => {
    setDevice(device);
    const some = cases.filter((_, i) => i % SHARE[device] === 0);
    const all = some.flatMap((row) => both(row).map((part) => ({ row, part })));
    await realize(...all.map(({ part: [, actual] }) => actual));
    const wrong: string[] = [];
    for (const { row, part } of all) {
      const [name, actual, expected] = part;
      expect(actual.shape).toEqual(expected.shape);
      const numbers = await actual.data();
      const scale = Math.max(1, ...expected.data.filter(Number.isFinite).map(Math.abs));
      expected.data.forEach((e, i) => {
        const isRight = Number.isFinite(e)
          ? Math.abs(numbers[i] - e) <= Math.max(tolerance, 2e-7) * scale
          : Object.is(numbers[i], e);
        if (!isRight)
          wrong.push(`${JSON.stringify(row.options)} of ${row.x.shape}: ${name} ${i}: ${numbers[i]} instead of ${e}`);
      });
    }
    expect(wrong.slice(0, 12).join('\n')).toBe('');
  }, 300_000);
});

test("which element 'nearest' takes is decided in float32, as in PyTorch", async () => {
  setDevice('reference');
  const wrong: string[] = [];
  const found = nearest.map(([size, options]) =>
    interpolate(arange(size).reshape([1, 1, size]).to('float32'), options),
  );
  await realize(...found);
  for (const [k, [size, options, expected]] of nearest.entries()) {
    const actual = [...(await found[k].data())];
    if (actual.join() !== expected.join()) {
      const i = expected.findIndex((e, j) => e !== actual[j]);
      wrong.push(`${size} ${JSON.stringify(options)}: element ${i} is ${actual[i]} instead of ${expected[i]}`);
    }
  }
  expect(wrong.join('\n')).toBe('');
});

test('an image without images, one pixel for all, and forward derivatives', async () => {
  setDevice('wasm');
  expect((interpolate(ones([0, 3, 4, 4]), { size: 2, mode: 'bilinear' }) as Tensor).shape).toEqual([0, 3, 2, 2]);
  const one = interpolate(tensor([[[[2]]]]), { size: [2, 3], mode: 'bicubic' });
  expect(await one.array()).toEqual([[[Array(3).fill(2), Array(3).fill(2)]]]);
  const x = tensor([[[1, 2, 4]]]);
  const { tangent } = jvp((t) => interpolate(t, { size: 6, mode: 'linear' }), [x], [x]);
  expect([...(await tangent.data())]).toEqual([1, 1.25, 1.75, 2.5, 3.5, 4]);
});

test('what has no neighbours, or no mean', () => {
  expect(() => interpolate(zeros([1, 1, 0, 3]), { size: 2 })).toThrow(
    new ShapeError('interpolate: input [1, 1, 0, 3] has no pixels', [[1, 1, 0, 3]]),
  );
  expect(() => interpolate(zeros([1, 1, 2]), { scaleFactor: 0.4 })).toThrow(
    new ArgumentError('interpolate: scaleFactor 0.4 leaves nothing of 2. Use a larger one.'),
  );
  const ints = zeros([1, 1, 2], { dtype: 'int32' });
  expect(() => Reflect.apply(interpolate, undefined, [ints, { size: 4, mode: 'linear' }])).toThrow(
    new DTypeError("interpolate: mode 'linear' takes means, and x is int32. Convert with to('float32').", ['int32']),
  );
});
