// What a classifier says of images, batch by batch.

import { type AnyTensor, compile, noGrad, tensor } from '../../index.js';
import type { Module } from '../../nn/index.js';

/** What the network says of some images. */
export interface Classified {
  readonly classes: number;
  /** The most probable class of each image. */
  readonly predictions: readonly number[];
  /** `classes` numbers for each image. */
  readonly probabilities: Float32Array;
}

const BATCH = 256;

/** Classifies images that lie one after the other, each of the given shape. The model stays in evaluation mode. */
export async function classify(
  model: Module & { forward(x: AnyTensor): AnyTensor },
  pixels: Float32Array,
  shape: readonly number[],
): Promise<Classified> {
  model.eval();
  const size = shape.reduce((a, b) => a * b, 1);
  const count = pixels.length / size;
  const step = compile((x: AnyTensor) => noGrad(() => model.forward(x).softmax(1)));
  const parts: Float32Array[] = [];
  for (let start = 0; start < count; start += BATCH) {
    const part = pixels.slice(start * size, (start + BATCH) * size);
    const x = tensor(part, { shape: [part.length / size, ...shape] });
    parts.push((await (await step(x)).data()) as Float32Array);
  }
  const classes = (parts[0]?.length ?? 0) / Math.min(count, BATCH);
  const probabilities = new Float32Array(count * classes);
  parts.forEach((part, i) => probabilities.set(part, i * BATCH * classes));
  const predictions = Array.from({ length: count }, (_, i) =>
    largest(probabilities.subarray(i * classes, (i + 1) * classes)),
  );
  return { classes, predictions, probabilities };
}

function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
