// The input of a shape function, as its members see it, and what modules with channels accept.

import type { Shape } from '../../tensor/shape-types/shape.js';
import type { Dims } from '../../tensor/shape-types/window.js';

/** The input of a shape function as seen from its own members. */
export type In<Fn extends { readonly input: unknown }> = Fn['input'] extends infer S extends Shape ? S : Shape;

/** What is known of the input of a module with channels: a batch, its channels, D sizes. */
export type Batch<D extends Dims, Channels extends number> = {
  1: [number, Channels, number];
  2: [number, Channels, number, number];
  3: [number, Channels, number, number, number];
}[D];
