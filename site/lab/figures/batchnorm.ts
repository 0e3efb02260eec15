import type { run } from '../compute/batchnorm.js';
import source from 'source:../compute/batchnorm.ts';
import type { Figure } from '../frame/figure.js';
import { extent, legend, lines } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

export const batchnorm: Figure<FrameOf<typeof run>> = {
  name: 'batchnorm',
  title: 'Batch norm: large and small batches',
  text: `<p>Batch normalisation takes away the mean of a neuron's sums over the batch and divides by their deviation. In training these are the batch's own (grey
    dots: they jump about, and more so the smaller the batch); at test time they are running averages (orange). On the right each dot is a digit: what a neuron says of it
    in training mode against evaluation mode. With 128 in a batch both agree; with 4 the same digit gets another number in every company, and forgetting
    <code>eval()</code> costs accuracy. Below: with batch norm a high learning rate works that the plain network cannot bear.</p>`,
  formula:
    '\\hat x=\\frac{x-\\mu_B}{\\sqrt{\\sigma_B^2+\\varepsilon}},\\qquad y=\\gamma\\hat x+\\beta,\\qquad \\mu\\leftarrow(1-m)\\,\\mu+m\\,\\mu_B',
  source,
  controls: {
    batch: { kind: 'range', label: 'Batch size', value: 8, min: 2, max: 128, step: 2 },
    rate: { kind: 'range', label: 'Learning rate (SGD)', value: 0.1, min: 0.001, max: 3, step: 0.05, log: true },
    momentum: { kind: 'range', label: 'm, weight of a new batch', value: 0.1, min: 0.01, max: 1, step: 0.01 },
    steps: { kind: 'range', label: 'Stops after steps', value: 400, min: 10, max: 2000, step: 10 },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    {
      name: 'statistics',
      label: 'Mean of a neuron’s sums: of each batch (dots) and running (line); shaded: one deviation',
    },
    { name: 'modes', label: 'Normalised sums of held-out digits: training mode (up) against evaluation mode (across)' },
    { name: 'curves', label: 'Loss on held-out digits', wide: true, aspect: 0.26 },
  ],
  draw({ statistics, modes, curves }, { at, losses, history, trained, evaluated }) {
    const [low, high] = extent(history.flatMap((h) => [h.mean - h.deviation, h.mean + h.deviation, h.runningMean]));
    statistics!.begin({ x0: 0, x1: Math.max(50, at.at(-1)!), y0: low - 0.1, y1: high + 0.1 }, { axes: true });
    for (const { step, mean, deviation } of history) {
      statistics!.line([[step, mean - deviation], [step, mean + deviation]], statistics!.colour('rule'), { width: 2 }); // prettier-ignore
    }
    for (const { step, mean } of history) statistics!.dot(step, mean, statistics!.colour('muted'), { radius: 2.5 });
    lines(statistics!, at, [
      { values: history.map((h) => h.runningMean), colour: statistics!.colour('class-1'), width: 3 },
      { values: history.map((h) => h.runningMean - h.runningDeviation), colour: statistics!.colour('class-1'), width: 1.5, dash: [5, 4] },
      { values: history.map((h) => h.runningMean + h.runningDeviation), colour: statistics!.colour('class-1'), width: 1.5, dash: [5, 4] },
    ]); // prettier-ignore

    modes!.begin({ x0: -3.5, x1: 3.5, y0: -3.5, y1: 3.5 }, { axes: true });
    modes!.line([[-3.5, -3.5], [3.5, 3.5]], modes!.colour('muted'), { width: 1, dash: [4, 4] }); // prettier-ignore
    trained.forEach((value, i) => modes!.dot(evaluated[i]!, value, modes!.colour('class-0'), { radius: 2.5 }));

    const [, most] = extent(losses.flat());
    curves!.begin({ x0: 0, x1: Math.max(50, at.at(-1)!), y0: 0, y1: 1.3 * Math.min(3, most) }, { axes: true });
    lines(curves!, at, [
      { values: losses[1]!, colour: curves!.colour('class-0') },
      { values: losses[0]!, colour: curves!.colour('class-1'), width: 2.5 },
    ]);
    legend(curves!, [['with batch norm', curves!.colour('class-1')], ['without', curves!.colour('class-0')]]); // prettier-ignore
  },
};
