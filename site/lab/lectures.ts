// The lab's table of contents: a page a lecture, and its figures in their order.

import { playground } from './figures/playground.js';
import { race } from './figures/race.js';
import type { Figure } from './frame/figure.js';

export interface Lecture {
  /** Name of the page's file, without .html. */
  readonly name: string;
  readonly number: number;
  readonly title: string;
  /** One sentence. */
  readonly text: string;
  readonly figures: readonly Figure[];
}

export const LECTURES: readonly Lecture[] = [
  {
    name: 'networks',
    number: 3,
    title: 'Networks',
    text: 'Layers of weighted sums and bends: what they can draw, and what each neuron adds.',
    figures: [playground],
  },
  {
    name: 'optimisation',
    number: 5,
    title: 'Optimisation',
    text: 'How weights find their way down a loss surface, and why some ways are slow.',
    figures: [race],
  },
];
