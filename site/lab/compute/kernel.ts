import { conv2d, tensor } from 'nabla';
import { digits, shapes } from 'nabla/data';

export interface Settings {
  image: string;
  index: number;
  kernel: string;
  own: string;
  stride: number;
  padding: number;
  dilation: number;
  row: number;
  column: number;
  slide: boolean;
}

const KERNELS: Record<string, readonly number[]> = {
  edges: [-1, -1, -1, -1, 8, -1, -1, -1, -1],
  vertical: [-1, 0, 1, -2, 0, 2, -1, 0, 1],
  horizontal: [-1, -2, -1, 0, 0, 0, 1, 2, 1],
  blur: [1 / 16, 2 / 16, 1 / 16, 2 / 16, 4 / 16, 2 / 16, 1 / 16, 2 / 16, 1 / 16],
  sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
};

function weightsOf({ kernel, own }: Settings): readonly number[] {
  const known = KERNELS[kernel];
  if (known) return known;
  const numbers = own
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);
  const side = Math.sqrt(numbers.length);
  if (![1, 2, 3, 4, 5].includes(side) || !numbers.every(Number.isFinite))
    throw new Error('Own kernel: 1, 4, 9, 16 or 25 numbers, row after row, such as 0 1 0  1 -4 1  0 1 0.');
  return numbers;
}

/** Convolves a picture, and gives one sum after the other. */
export async function* run(settings: Settings) {
  const { stride, padding, dilation } = settings;
  const set = settings.image === 'digit' ? digits() : shapes({ samples: 60, noise: 0, seed: 3 });
  const { x } = set.batch([settings.index]);
  const size = x.shape.at(-1)!;
  const image = await x.data();
  const weights = weightsOf(settings);
  const side = Math.sqrt(weights.length);
  const picture = tensor(Float32Array.from(image), { shape: [1, 1, size, size] });
  const kernel = tensor(Float32Array.from(weights), { shape: [1, 1, side, side] });
  const output = conv2d(picture, kernel, { stride, padding, dilation });
  const [rows, columns] = [output.shape[2], output.shape[3]];
  const sums = await output.data();

  const first = Math.min(settings.row, rows - 1) * columns + Math.min(settings.column, columns - 1);
  for (let at = first; at < rows * columns; at++) {
    const [row, column] = [Math.floor(at / columns), at % columns];
    yield {
      values: { 'output size': `${rows} × ${columns}`, row, column, sum: sums[at] },
      image,
      size,
      weights,
      side,
      sums,
      rows,
      columns,
      row,
      column,
      stride,
      padding,
      dilation,
      slide: settings.slide,
    };
    if (!settings.slide) return;
  }
}
