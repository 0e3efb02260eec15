import { type Tensor, convTranspose2d, interpolate, tensor } from 'nabla';
import { digits, shapes } from 'nabla/data';

export interface Settings {
  image: string;
  index: number;
  stride: number;
  kernel: number;
  /** What is in the kernel. */
  weights: string;
  padding: number;
  /** How the picture is made larger without learning. */
  mode: string;
}

/** A bilinear kernel is a tent; all ones shows how often each place is written to. */
function weightsOf({ kernel, weights }: Settings): number[] {
  const middle = (kernel - 1) / 2;
  const tent = Array.from({ length: kernel }, (_, i) => 1 - Math.abs(i - middle) / (middle + 1));
  return tent.flatMap((a) => tent.map((b) => (weights === 'tent' ? a * b : 1)));
}

/** One picture made larger by a transposed convolution and by interpolation. */
export async function* run(settings: Settings) {
  const { stride, kernel, padding } = settings;
  const isImpulse = settings.image === 'impulse';
  const set = settings.image === 'digit' ? digits() : shapes({ samples: 60, noise: 0, seed: 3 });
  const picture = isImpulse
    ? Float32Array.from({ length: 64 }, (_, i) => Number(i === 27))
    : await set.batch([settings.index]).x.data();
  const side = Math.sqrt(picture.length);
  const x: Tensor<[1, 1, number, number]> = tensor(picture, { shape: [1, 1, side, side] });
  const w: Tensor<[1, 1, number, number]> = tensor(Float32Array.from(weightsOf(settings)), {
    shape: [1, 1, kernel, kernel],
  });
  if (2 * padding > kernel - 1 + stride * (side - 1))
    throw new Error(`Padding ${padding} leaves nothing of the output. Use less.`);
  const deconvolved: Tensor = convTranspose2d(x, w, { stride, padding });
  const written: Tensor = convTranspose2d(x.mul(0).add(1), w, { stride, padding });
  const size = deconvolved.shape[2];
  const mode = settings.mode === 'bilinear' || settings.mode === 'bicubic' ? settings.mode : 'nearest';
  const larger: Tensor = interpolate(x, { scaleFactor: stride, mode });
  const counts = await written.data();
  // Away from the border, where fewer kernels reach.
  const inside = Array.from(counts).filter((_, i) => {
    const [row, column] = [Math.floor(i / size), i % size];
    return Math.min(row, column, size - 1 - row, size - 1 - column) >= kernel - 1 - padding;
  });
  const unevenness = inside.length === 0 ? 1 : Math.max(...inside) / Math.min(...inside);
  yield {
    values: {
      input: `${side} × ${side}`,
      'deconvolution gives': `${size} × ${size}`,
      'most over least weight': unevenness,
    },
    input: { size: side, data: picture },
    deconvolved: { size, data: await deconvolved.data() },
    written: { size, data: counts },
    upsampled: { size: larger.shape[2], data: await larger.data() },
  };
}
