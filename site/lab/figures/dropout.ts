import type { run } from '../compute/dropout.js';
import source from 'source:../compute/dropout.ts';
import type { Figure } from '../frame/figure.js';
import { legend, lines } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

export const dropout: Figure<FrameOf<typeof run>> = {
  name: 'dropout',
  title: 'Dropout: many networks in one',
  text: `<p>In training, each neuron is left out with probability p, so that no neuron can rely on another. Each choice is a <i>thinned</i> network; all of them share
    their weights. The small pictures are a few of those: they disagree, above all where there are no points. Their mean is smoother and better than any of them, and
    the whole network, used at test time, is close to that mean at the price of one. The curves show the test loss with and without dropout.</p>`,
  formula:
    '\\tilde h=\\frac{m\\odot h}{1-p},\\quad m_j\\sim\\text{Bernoulli}(1-p),\\qquad f_{\\text{test}}(x)\\approx\\mathbb E_m\\bigl[f(x;m)\\bigr]',
  source,
  controls: {
    drop: { kind: 'range', label: 'p, left out', value: 0.5, min: 0, max: 0.9, step: 0.05 },
    width: { kind: 'range', label: 'Neurons a layer', value: 64, min: 4, max: 128, step: 4 },
    members: { kind: 'range', label: 'Thinned networks in the mean', value: 32, min: 1, max: 64, step: 1 },
    points: { kind: 'range', label: 'Training points', value: 60, min: 10, max: 400, step: 10 },
    noise: { kind: 'range', label: 'Noise', value: 0.35, min: 0, max: 0.6, step: 0.05 },
    steps: { kind: 'range', label: 'Stops after steps', value: 1500, min: 20, max: 5000, step: 20 },
    seed: { kind: 'range', label: 'Seed', value: 3, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'plane', label: 'What the whole network says' },
    { name: 'curves', label: 'Test loss with dropout (orange) and without (blue)' },
    {
      name: 'parts',
      label: 'Some of its thinned networks, drawn anew in each picture',
      wide: true,
      aspect: 0.135,
      least: 110,
    },
  ],
  draw({ plane, curves, parts }, frame) {
    const { region, size, train, at, losses, count } = frame;
    plane!.begin({ x0: -2, x1: 2, y0: -2, y1: 2 });
    plane!.heat(region, size, size, { scale: (p) => 2 * p - 1, strength: 0.6 });
    const colours = [plane!.colour('class-0'), plane!.colour('class-1')];
    train.classes.forEach((label, i) => plane!.dot(train.xy[2 * i]!, train.xy[2 * i + 1]!, colours[label]!));

    const top = Math.min(2.5, 1.1 * Math.max(...losses.flat()));
    curves!.begin({ x0: 0, x1: Math.max(100, at.at(-1)!), y0: 0, y1: top * 1.15 }, { axes: true });
    lines(curves!, at, [
      { values: losses[1]!, colour: curves!.colour('class-0') },
      { values: losses[0]!, colour: curves!.colour('class-1'), width: 2.5 },
    ]);
    legend(curves!, [['with dropout', curves!.colour('class-1')], ['without', curves!.colour('class-0')]]); // prettier-ignore

    const { width, height } = parts!;
    parts!.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
    const columns = width < 420 ? 4 : 8;
    const side = Math.min(width / columns, height / Math.ceil(count / columns));
    const left = (width - side * Math.min(columns, count)) / 2;
    for (let k = 0; k < count; k++) {
      const [x0, y1] = [left + (k % columns) * side + 2, -Math.floor(k / columns) * side - 2];
      parts!.heat(frame.parts.subarray(k * size * size, (k + 1) * size * size), size, size, {
        scale: (p) => 2 * p - 1,
        into: { x0, x1: x0 + side - 4, y0: y1 - side + 4, y1 },
      });
    }
  },
};
