// The multilayer perceptron: linear layers with ReLU between them.

import { Flatten, Linear, ReLU, Sequential } from '../nn/index.js';
import { ArgumentError } from '../tensor/library.js';
import type { Classifier } from './classifier.js';

/**
 * Linear layers of these sizes with ReLU between them; inputs [N, …] are flattened first.
 *
 *     mlp([784, 256, 10])
 */
export function mlp(sizes: readonly number[]): Classifier {
  if (sizes.length < 2) throw new ArgumentError(`mlp: sizes are [${sizes.join(', ')}]. Give at least two.`);
  const layers = sizes.slice(1).flatMap((to, i) => [...(i > 0 ? [new ReLU()] : []), new Linear(sizes[i], to)]);
  return new Sequential(new Flatten(), ...layers);
}
