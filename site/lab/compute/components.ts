import { tensor } from 'nabla';
import { PCA } from 'nabla/classic';
import { digits } from 'nabla/data';

export interface Settings {
  /** How many directions are kept. */
  components: number;
  /** Which digit is taken apart and put together again. */
  index: number;
  /** Of the plane: which directions go across and up, counted from 1. */
  across: number;
  up: number;
}

const DIGITS = 500;
const PIXELS = 64;
const SHOWN = 12;

/** The directions along which pictures of digits differ most, and a digit from as many of them as asked for. */
export async function* run({ components, index, across, up }: Settings) {
  const { x, y } = digits().batch(Array.from({ length: DIGITS }, (_, i) => i));
  const rows = x.reshape([DIGITS, PIXELS]);
  const pca = await new PCA().fit(rows);
  const directions = Float32Array.from(await pca.components.data());
  const mean = Float32Array.from(await pca.mean.data());
  const ratios = Array.from(await pca.explainedVarianceRatio.data());
  const codes = Float32Array.from(await (await pca.transform(rows)).data());
  const code = codes.subarray(index * PIXELS, (index + 1) * PIXELS);

  // x̂ = µ + Σ zₖ vₖ over the first directions.
  const kept = tensor(code.slice(0, components), { shape: [1, components] });
  const basis = tensor(directions.slice(0, components * PIXELS), { shape: [components, PIXELS] });
  const rebuilt = Float32Array.from(await kept.matmul(basis).add(tensor(mean)).data());
  const pixels = Float32Array.from(await rows.select(0, index).data());
  const error = pixels.reduce((sum, pixel, i) => sum + (pixel - rebuilt[i]) ** 2, 0) / PIXELS;
  let sum = 0;
  const shares = ratios.map((ratio) => (sum += ratio));
  const plane = Float32Array.from({ length: 2 * DIGITS }, (_, i) => {
    const [row, direction] = [i >> 1, i % 2 === 0 ? across : up];
    return codes[row * PIXELS + direction - 1];
  });
  yield {
    values: {
      'variance kept': Number(shares[components - 1].toPrecision(4)),
      'mean squared error of this digit': Number(error.toPrecision(3)),
      'directions for 90 %': shares.findIndex((share) => share >= 0.9) + 1,
    },
    plane,
    labels: Array.from(await y.data()),
    directions: directions.subarray(0, SHOWN * PIXELS),
    mean,
    pixels,
    rebuilt,
    kept: shares,
    components,
    index,
  };
}
