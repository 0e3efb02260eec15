// What padding, patches and grids say about arguments that do not fit. Values: test/composed.test.ts, src/nn/windows.test.ts.
import { expect, test } from 'vitest';
import { affineGrid, fold, gridSample, pad, setDevice, tensor, unfold, zeros } from '../index.js';
import { Conv2d, ReflectionPad2d, ZeroPad1d } from '../nn/index.js';

test('what is refused', () => {
  const x = zeros([2, 3]);
  const image = zeros([1, 1, 2, 2]);
  const wrong: [() => unknown, string][] = [
    [
      () => pad(x, [[3, 0]], { mode: 'reflect' }),
      "pad: mode 'reflect' takes at most 2 elements of dimension 1 with size 3, not 3",
    ],
    [
      () => pad(x, [[0, 4]], { mode: 'circular' }),
      "pad: mode 'circular' takes at most 3 elements of dimension 1 with size 3, not 4",
    ],
    [() => pad(x, [[-2, -2]]), 'pad: [-2, -2] cuts more than dimension 1 of [2, 3] has'],
    [() => pad(x, [[1, 0.5]]), 'pad: [1, 0.5] is not a pair of whole numbers.'],
    [() => pad(x, [[1, 1], [1, 1], [1, 1]]), 'pad: 3 pairs for a tensor of rank 2. Give at most 2.'], // prettier-ignore
    [
      () => pad(x, [[1, 1]], { mode: 'mirror' as never }),
      "pad: mode is 'mirror'. Use 'constant', 'reflect', 'replicate' or 'circular'.",
    ],
    [
      () => pad(x, [[1, 1]], { mode: 'reflect', value: 1 }),
      "pad: a value goes with mode 'constant', not with 'reflect'.",
    ],
    [() => unfold(image, 3), 'unfold: kernel of size 3 does not fit an input of size 2 with padding 0 and 0'],
    [() => fold(zeros([1, 4, 3]), [3, 3], 2), 'fold: input [1, 4, 3] has 3 columns, the kernel has 4 places'],
    [() => fold(zeros([1, 3, 4]), [3, 3], 2), 'fold: input [1, 3, 4]: 3 rows are not a multiple of 4'],
    [
      () => affineGrid(x, [1, 1, 2, 2]),
      'affineGrid: map [2, 3] for size [1, 1, 2, 2]: needs [N, 2, 3] and [N, C, H, W]',
    ],
    [() => gridSample(image, zeros([1, 2, 2, 3])), 'gridSample: input [1, 1, 2, 2] and grid [1, 2, 2, 3]: needs'],
    [() => gridSample(image, zeros([1, 2, 2, 2]), { mode: 'cubic' as never }), "gridSample: mode is 'cubic'."],
    [
      () => new ZeroPad1d([1, 2, 3]),
      'ZeroPad1d: padding is [1, 2, 3]. Use a whole number, or 2: the last dimension first.',
    ],
    [
      () => new ReflectionPad2d(1).forward(zeros([3]) as never),
      'ReflectionPad2d: input [3]: needs [N, C, H, W] or [C, H, W]',
    ],
    [() => new ReflectionPad2d(2).forward(image), "ReflectionPad2d: mode 'reflect' takes at most 1 elements"],
    [() => new Conv2d(1, 1, 3, { padding: 1, paddingMode: 'mirror' as never }), "Conv2d: paddingMode is 'mirror'."],
  ];
  for (const [run, message] of wrong) expect(run).toThrow(message);
});

test.each(['reference', 'cpu'])('a grid of NaN and of far points reads zeros, or the border, on %s', async (device) => {
  setDevice(device);
  const image = tensor([1, 2, 3, 4], { shape: [1, 1, 2, 2] });
  const grid = tensor([NaN, 0, 1e30, -1e30, 9, 9], { shape: [1, 1, 3, 2] });
  expect([...(await gridSample(image, grid).data())]).toEqual([0, 0, 0]);
  const [, , far] = await gridSample(image, grid, { paddingMode: 'border' }).data();
  expect(far).toBe(4);
});
