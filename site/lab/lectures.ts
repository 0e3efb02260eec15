// The lab's table of contents: a page a lecture, and its figures in their order.

import { activations } from './figures/activations.js';
import { adversarial } from './figures/adversarial.js';
import { architectures } from './figures/architectures.js';
import { attention } from './figures/attention.js';
import { augmentation } from './figures/augmentation.js';
import { batches } from './figures/batches.js';
import { batchnorm } from './figures/batchnorm.js';
import { border } from './figures/border.js';
import { capacity } from './figures/capacity.js';
import { cartpole } from './figures/cartpole.js';
import { characters } from './figures/characters.js';
import { components } from './figures/components.js';
import { decay } from './figures/decay.js';
import { drawing } from './figures/drawing.js';
import { dropout } from './figures/dropout.js';
import { field } from './figures/field.js';
import { formula } from './figures/formula.js';
import { gan } from './figures/gan.js';
import { gates } from './figures/gates.js';
import { initialisation } from './figures/initialisation.js';
import { kernel } from './figures/kernel.js';
import { kmeans } from './figures/kmeans.js';
import { latent } from './figures/latent.js';
import { likelihood } from './figures/likelihood.js';
import { losses } from './figures/losses.js';
import { messages } from './figures/messages.js';
import { momentum } from './figures/momentum.js';
import { neighbours } from './figures/neighbours.js';
import { playground } from './figures/playground.js';
import { pooling } from './figures/pooling.js';
import { positions } from './figures/positions.js';
import { race } from './figures/race.js';
import { rates } from './figures/rates.js';
import { sizes } from './figures/sizes.js';
import { table } from './figures/table.js';
import { transformer } from './figures/transformer.js';
import { tuning } from './figures/tuning.js';
import { unrolled } from './figures/unrolled.js';
import { upsampling } from './figures/upsampling.js';
import type { Figure } from './frame/figure.js';

export interface Lecture {
  /** Name of the page's file, without .html. */
  readonly name: string;
  /** None for what goes beyond the lectures. */
  readonly number?: number;
  readonly title: string;
  /** One sentence. */
  readonly text: string;
  readonly figures: readonly Figure[];
}

export const LECTURES: readonly Lecture[] = [
  {
    name: 'learning',
    number: 2,
    title: 'Learning from examples',
    text: 'Answers from the nearest examples, groups that nobody has named, and the first models that learn weights.',
    figures: [neighbours, kmeans, components, likelihood, border],
  },
  {
    name: 'networks',
    number: 3,
    title: 'Networks',
    text: 'Layers of weighted sums and bends: what they can draw, and what each neuron adds.',
    figures: [playground],
  },
  {
    name: 'gradients',
    number: 4,
    title: 'Gradients',
    text: 'The chain rule on a graph: every value on the way there, every gradient on the way back.',
    figures: [formula],
  },
  {
    name: 'optimisation',
    number: 5,
    title: 'Optimisation',
    text: 'How weights find their way down a loss surface, and why some ways are slow.',
    figures: [race, momentum, batches],
  },
  {
    name: 'recipe',
    number: 6,
    title: 'The recipe of training',
    text: 'Learning rates, models that are too small or too large, how to search for what nobody can compute, and a table of your own.',
    figures: [rates, capacity, sizes, tuning, table],
  },
  {
    name: 'layers',
    number: 7,
    title: 'Activations, losses, initial weights',
    text: 'What signals and gradients become on their way through many layers, and what is asked of the last one.',
    figures: [activations, initialisation, losses],
  },
  {
    name: 'regularisation',
    number: 8,
    title: 'Regularisation and normalisation',
    text: 'Learning what holds for other data as well: dropout, batch norm, weight decay, augmentation.',
    figures: [dropout, batchnorm, decay, augmentation],
  },
  {
    name: 'convolution',
    number: 9,
    title: 'Convolution',
    text: 'The same few weights at every place of a picture.',
    figures: [kernel, field, pooling],
  },
  {
    name: 'architectures',
    number: 10,
    title: 'Architectures',
    text: 'Which layers in which order: from LeNet to EfficientNet, and what a small one sees in your own drawing.',
    figures: [architectures, drawing, upsampling],
  },
  {
    name: 'recurrence',
    number: 11,
    title: 'Sequences',
    text: 'Networks that read one thing after the other, what they remember, and what they forget.',
    figures: [unrolled, gates, characters],
  },
  {
    name: 'attention',
    number: 12,
    title: 'Attention and Transformers',
    text: 'Every word looks at every other: weights, masks, heads, positions, and a Transformer that learns in your browser.',
    figures: [attention, positions, transformer],
  },
  {
    name: 'beyond',
    title: 'Beyond classification',
    text: 'Pictures from two numbers, forgers and experts, balance by trial, messages on graphs, and noise that deceives.',
    figures: [latent, gan, cartpole, messages, adversarial],
  },
];
