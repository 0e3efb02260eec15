// A model's predictions on a data set, in batches, without gradients.

import { type AnyTensor, type Tensor, noGrad } from '../index.js';
import type { ArrayDataset } from '../data/index.js';
import { crossEntropy } from '../nn/index.js';
import type { DigitsModel } from './digits-model.js';

const BATCH = 256;

export interface Evaluation {
  readonly loss: number;
  readonly accuracy: number;
  readonly predictions: Int32Array;
  /** Probability of each prediction. */
  readonly confidence: Float32Array;
  readonly labels: Int32Array;
}

/** Class and its probability for images [n, 1, 8, 8]. */
export async function classify(
  model: DigitsModel,
  x: AnyTensor,
): Promise<{ classes: Int32Array; probabilities: Float32Array }> {
  model.eval();
  const best = noGrad(() => (model.forward(x as Tensor<[number, 1, 8, 8]>) as unknown as Tensor).softmax(1).max(1));
  return { classes: await best.indices.data(), probabilities: (await best.values.data()) as Float32Array };
}

export async function evaluate(model: DigitsModel, set: ArrayDataset<'x' | 'y'>): Promise<Evaluation> {
  const predictions = new Int32Array(set.length);
  const confidence = new Float32Array(set.length);
  const labels = set.field('y') as Int32Array;
  let loss = 0;
  model.eval();
  for (let at = 0; at < set.length; at += BATCH) {
    const positions = Int32Array.from({ length: Math.min(BATCH, set.length - at) }, (_, i) => at + i);
    const { x, y } = set.batch(positions);
    const logits = noGrad(() => model.forward(x as unknown as Tensor<[number, 1, 8, 8]>));
    loss += await noGrad(() => crossEntropy(logits, y, { reduction: 'sum' })).item();
    const { classes, probabilities } = await classify(model, x);
    predictions.set(classes, at);
    confidence.set(probabilities, at);
  }
  const right = predictions.reduce((n, p, i) => n + (p === labels[i] ? 1 : 0), 0);
  return { loss: loss / set.length, accuracy: right / set.length, predictions, confidence, labels };
}
