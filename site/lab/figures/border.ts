import type { run } from '../compute/border.js';
import source from 'source:../compute/border.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { legend, lines } from '../frame/marks.js';
import { short } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

export const border: Figure<FrameOf<typeof run>> = {
  name: 'border',
  title: 'Logistic regression: its border and its loss',
  text: `<p>A weighted sum of x and y is the score of a place, and the sigmoid of the score the probability of the orange class. Where it is one half, the score is zero: the border is a
    straight line, and the weights stand at right angles to it. What a point costs is minus the logarithm of the probability of its own class: nearly nothing far on the right side, and on the wrong side more
    with every step away from the border. If the clouds do not overlap, longer weights are always better, and the border grows sharper for ever.</p>`,
  formula:
    '\\hat y=\\sigma(w^\\top x+b),\\qquad L=-\\tfrac1n\\sum_i\\bigl[y_i\\log\\hat y_i+(1-y_i)\\log(1-\\hat y_i)\\bigr],\\qquad \\nabla_w L=\\tfrac1n\\sum_i(\\hat y_i-y_i)\\,x_i',
  source,
  controls: {
    distance: { kind: 'range', label: 'Distance of the clouds', value: 2.4, min: 0, max: 5, step: 0.1 },
    points: { kind: 'range', label: 'Points', value: 120, min: 10, max: 600, step: 10 },
    rate: { kind: 'range', label: 'Learning rate', value: 0.3, min: 0.001, max: 10, step: 0.05, log: true, live: true },
    steps: { kind: 'range', label: 'Stops after steps', value: 600, min: 10, max: 5000, step: 10, live: true },
    score: { kind: 'range', label: 'A score', value: 1.5, min: -6, max: 6, step: 0.1 },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'plane', label: 'Probability of the orange class at every place, its border, and the weights as an arrow' },
    { name: 'costs', label: 'What a point costs, by its score; click to choose one' },
  ],
  point(view, x): Settings {
    return view === 'costs' ? { score: Math.round(10 * Math.max(-6, Math.min(6, x))) / 10 } : {};
  },
  draw({ plane, costs }, { xy, labels, region, size, reach, line, scores, curves, score, now }) {
    plane!.begin({ x0: -reach, x1: reach, y0: -reach, y1: reach });
    plane!.heat(region, size, size, { scale: (p) => 2 * p - 1, strength: 0.6 });
    labels.forEach((label, i) =>
      plane!.dot(xy[2 * i]!, xy[2 * i + 1]!, plane!.colour(`class-${label}`), { radius: 3.5 }),
    );
    const [w0, w1, b] = line as [number, number, number];
    const length = Math.hypot(w0, w1);
    if (length > 0) {
      // The foot of the border, and from there along it and across it.
      const foot = [(-b * w0) / length ** 2, (-b * w1) / length ** 2] as const;
      const [ux, uy] = [w0 / length, w1 / length];
      const ink = plane!.colour('ink');
      plane!.line([[foot[0] - 9 * uy, foot[1] + 9 * ux], [foot[0] + 9 * uy, foot[1] - 9 * ux]], ink, { width: 2 }); // prettier-ignore
      const tip = [foot[0] + Math.min(2, length / 2) * ux, foot[1] + Math.min(2, length / 2) * uy] as const;
      plane!.line([foot, tip], ink, { width: 2.5 });
      for (const side of [-1, 1])
        plane!.line([tip, [tip[0] - 0.2 * ux + 0.12 * side * uy, tip[1] - 0.2 * uy - 0.12 * side * ux]], ink, { width: 2.5 }); // prettier-ignore
    }

    costs!.begin({ x0: -6, x1: 6, y0: 0, y1: 6.2 }, { axes: true });
    costs!.line([[score, 0], [score, 6.2]], costs!.colour('muted'), { width: 1, dash: [4, 4] }); // prettier-ignore
    lines(costs!, scores, [
      { values: curves[0]!, colour: costs!.colour('class-0'), width: 2.5 },
      { values: curves[1]!, colour: costs!.colour('class-1'), width: 2.5 },
    ]);
    costs!.dot(score, now.zero, costs!.colour('class-0'), { radius: 6 });
    costs!.dot(score, now.one, costs!.colour('class-1'), { radius: 6 });
    legend(costs!, [
      [`of class 0: ${short(Number(now.zero.toPrecision(3)))}`, costs!.colour('class-0')],
      [`of class 1: ${short(Number(now.one.toPrecision(3)))}`, costs!.colour('class-1')],
    ], { bottom: false }); // prettier-ignore
  },
};
