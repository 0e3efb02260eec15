import type { run } from '../compute/batches.js';
import source from 'source:../compute/batches.ts';
import type { Figure } from '../frame/figure.js';
import { extent, legend, lines } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

const COLOURS = ['class-0', 'class-1', 'ink'] as const;
const nameOf = (size: number, i: number): string => (i === 2 ? 'all samples' : `batches of ${size}`);

export const batches: Figure<FrameOf<typeof run>> = {
  name: 'batches',
  title: 'Batch size and noise',
  text: `<p>A line is fitted to 256 points, three times: with a step for every sample, with batches of your size, and with all points a step. All have seen the same number of samples at any
    moment. Steps on one sample are many and wild: fast at first, and never at rest. Steps on everything are exact and few. The noise of a batch's gradient falls with the square root of its size: four times the
    samples for half the noise, which is why nobody waits for all of them. A smaller learning rate calms the small batches.</p>`,
  formula:
    'g_B=\\frac1{|B|}\\sum_{i\\in B}\\nabla L_i,\\qquad \\mathbb E[g_B]=\\nabla L,\\qquad \\operatorname{std}(g_B)=\\frac{\\sigma}{\\sqrt{|B|}}',
  source,
  pace: 60,
  controls: {
    batch: { kind: 'range', label: 'Your batch size', value: 16, min: 2, max: 128, step: 2 },
    rate: { kind: 'range', label: 'Learning rate', value: 0.05, min: 0.001, max: 0.5, step: 0.05, log: true },
    noise: { kind: 'range', label: 'Noise of the points', value: 1, min: 0, max: 3, step: 0.1 },
    samples: { kind: 'range', label: 'Samples that each may see', value: 5120, min: 256, max: 20480, step: 256 },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'map', label: 'Loss over slope (across) and intercept (up): the bluer, the lower' },
    { name: 'losses', label: 'Loss on all points, by samples seen, on a logarithmic scale' },
  ],
  draw({ map, losses }, { surface, size, reach, runs, at }) {
    map!.begin({ x0: -reach, x1: reach, y0: -reach, y1: reach }, { axes: true });
    const [least, most] = extent(surface);
    const whole = Math.log1p(most - least);
    map!.heat(surface, size, size, {
      scale: (h) => 1 - Math.round((Math.log1p(h - least) / whole) * 14) / 14,
      high: 'class-0',
      strength: 0.5,
    });
    runs.forEach(({ path }, i) => map!.line(path, map!.colour(COLOURS[i]!), { width: i === 0 ? 1 : 2.2 }));
    runs.forEach(({ path }, i) => map!.dot(path.at(-1)![0], path.at(-1)![1], map!.colour(COLOURS[i]!), { radius: 6 }));

    const log = (loss: number): number => Math.log10(Math.max(loss, 1e-6));
    const [low, high] = extent(runs.flatMap((one) => one.losses.map(log)));
    losses!.begin({ x0: 0, x1: Math.max(1024, at.at(-1)!), y0: low - 0.05, y1: high + 0.25 }, { axes: true, log: 'y' });
    lines(
      losses!,
      at,
      runs.map((one, i) => ({ values: one.losses.map(log), colour: losses!.colour(COLOURS[i]!), width: i === 0 ? 1.5 : 2.5 })),
    ); // prettier-ignore
    legend(losses!, runs.map(({ size: batch }, i) => [nameOf(batch, i), losses!.colour(COLOURS[i]!)])); // prettier-ignore
  },
};
