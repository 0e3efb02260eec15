import { type Tensor, avgPool2d, maxPool2d, tensor } from 'nabla';
import { digits, shapes } from 'nabla/data';

export interface Settings {
  image: string;
  index: number;
  window: number;
  stride: number;
  /** Columns by which the picture is moved to the right. */
  shift: number;
  row: number;
  column: number;
}

/** Pools a picture by the largest and by the mean, and sends a gradient of one back from one place. */
export async function* run(settings: Settings) {
  const set = settings.image === 'digit' ? digits() : shapes({ samples: 60, noise: 0, seed: 3 });
  const { x } = set.batch([settings.index]);
  const size = x.shape.at(-1)!;
  const pixels = await x.data();
  const moved = (shift: number): Float32Array =>
    Float32Array.from(pixels, (_, i) => (i % size < shift ? 0 : pixels[i - shift]));
  const window = Math.min(settings.window, size);
  const { stride } = settings;
  const imageOf = (data: Float32Array): Tensor<[1, 1, number, number]> => tensor(data, { shape: [1, 1, size, size] });
  const image: Tensor<[1, 1, number, number]> = imageOf(moved(settings.shift)).detach();
  const input: Tensor<[1, 1, number, number]> = tensor(moved(settings.shift), {
    shape: [1, 1, size, size],
    requiresGrad: true,
  });
  const pools = { max: maxPool2d(input, window, { stride }), mean: avgPool2d(input, window, { stride }) };
  const still = maxPool2d(imageOf(moved(0)), window, { stride });
  const side = pools.max.shape[2];
  const [row, column] = [Math.min(settings.row, side - 1), Math.min(settings.column, side - 1)];
  const at = (map: Tensor): Tensor => map.reshape([side, side]).select(0, row).select(0, column);

  const gradients: Float32Array[] = [];
  for (const map of [pools.max, pools.mean]) {
    input.grad = undefined;
    at(map).backward();
    gradients.push(Float32Array.from(await input.grad!.data()));
  }
  yield {
    values: {
      'output size': `${side} × ${side}`,
      largest: await at(pools.max.detach()).item(),
      mean: await at(pools.mean.detach()).item(),
      'changed by the shift, pixels': Number((await imageOf(moved(0)).sub(image).abs().mean().item()).toPrecision(3)),
      maxima: Number((await still.sub(pools.max.detach()).abs().mean().item()).toPrecision(3)),
    },
    pixels: moved(settings.shift),
    size,
    maxima: Float32Array.from(await pools.max.detach().data()),
    means: Float32Array.from(await pools.mean.detach().data()),
    gradients,
    side,
    row,
    column,
    window,
    stride,
  };
}
