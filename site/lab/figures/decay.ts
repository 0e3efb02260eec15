import type { run } from '../compute/decay.js';
import source from 'source:../compute/decay.ts';
import type { Figure } from '../frame/figure.js';
import { histogram, legend, lines } from '../frame/marks.js';
import { short } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

const REACH = 1.5;
const BINS = 61;
const COLOURS = ['class-0', 'class-1', 'class-2', 'class-3'];

export const decay: Figure<FrameOf<typeof run>> = {
  name: 'decay',
  title: 'What a penalty does to the weights',
  text: `<p>The same network, four times, from the same start. Without a penalty the weights grow as long as that lowers the training loss. L2 pulls each weight
    in proportion to its size: all stay small, none is zero. L1 pulls all alike: most of them end <i>at</i> zero, and a few do the work. Decoupled decay (AdamW)
    shrinks the weights beside the gradient, which with Adam is not the same as L2 in the loss. Compare the test losses.</p>`,
  formula:
    '\\begin{gathered}L_2:\\; w\\leftarrow w-\\eta(\\nabla L+\\lambda w),\\qquad L_1:\\; w\\leftarrow w-\\eta(\\nabla L+\\lambda\\operatorname{sign} w),\\\\ \\text{decay: } w\\leftarrow(1-\\eta\\lambda)\\,w-\\eta\\,\\Delta\\end{gathered}',
  source,
  controls: {
    strength: { kind: 'range', label: 'λ, strength', value: 0.002, min: 0.00001, max: 0.1, step: 0.1, log: true },
    width: { kind: 'range', label: 'Neurons a layer', value: 32, min: 4, max: 128, step: 4 },
    points: { kind: 'range', label: 'Training points', value: 80, min: 10, max: 400, step: 10 },
    noise: { kind: 'range', label: 'Noise', value: 0.3, min: 0, max: 0.6, step: 0.05 },
    rate: { kind: 'range', label: 'Learning rate', value: 0.01, min: 0.001, max: 0.1, step: 0.05, log: true },
    steps: { kind: 'range', label: 'Stops after steps', value: 2000, min: 20, max: 5000, step: 20 },
    seed: { kind: 'range', label: 'Seed', value: 2, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'weights', label: 'Histograms of all weights, from −1.5 to 1.5' },
    { name: 'curves', label: 'Test loss of each (training loss dashed)' },
  ],
  draw({ weights: shown, curves }, { at, networks, weights }) {
    const { width, height } = shown!;
    shown!.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
    const line = (height - 8) / networks.length;
    networks.forEach(({ kind, small, norm }, k) => {
      const counts = new Array<number>(BINS).fill(0);
      for (const w of weights[k]!) {
        const bin = Math.round(((w + REACH) / (2 * REACH)) * (BINS - 1));
        counts[Math.max(0, Math.min(BINS - 1, bin))]!++;
      }
      const [y0, colour] = [-(k + 1) * line, shown!.colour(COLOURS[k]!)];
      histogram(shown!, counts.map(Math.sqrt), colour, { x0: 10, x1: width - 10, y0, y1: y0 + line - 24 });
      shown!.fill(10, y0, width - 20, 1, shown!.colour('rule'));
      shown!.text(kind, 12, y0 + line - 12);
      const muted = shown!.colour('muted');
      shown!.text(`‖w‖ = ${short(Number(norm.toPrecision(3)))}, ${Math.round(100 * small)} % near 0`, width - 12, y0 + line - 12, { align: 'right', colour: muted }); // prettier-ignore
    });
    const top = Math.min(2, 1.05 * Math.max(...networks.flatMap(({ losses }) => losses.test)));
    curves!.begin({ x0: 0, x1: Math.max(100, at.at(-1)!), y0: 0, y1: top * 1.25 }, { axes: true });
    networks.forEach(({ losses }, k) => {
      const colour = curves!.colour(COLOURS[k]!);
      lines(curves!, at, [
        { values: losses.train, colour, width: 1.2, dash: [4, 4] },
        { values: losses.test, colour, width: 2.2 },
      ]);
    });
    legend(curves!, networks.map(({ kind }, k) => [kind, curves!.colour(COLOURS[k]!)])); // prettier-ignore
  },
};
