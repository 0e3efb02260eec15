import type { run } from '../compute/losses.js';
import source from 'source:../compute/losses.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { legend, lines } from '../frame/marks.js';
import { short } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

const NAMES = ['cat', 'dog', 'frog'] as const;

export const losses: Figure<FrameOf<typeof run>> = {
  name: 'losses',
  title: 'Softmax, its temperature, and two losses',
  text: `<p>Three scores, and one class that is right. Softmax turns scores into probabilities; a low temperature makes the largest take all, a high one makes them
    alike. The <i>hinge</i> loss is satisfied, and its gradient zero, as soon as the right score is one above the others. <i>Cross entropy</i> always wants more,
    and its gradient is what the probabilities are off by. A very wrong score costs both in proportion to its distance; only a very sure answer brings cross entropy near zero.</p>`,
  formula:
    'p_k=\\frac{e^{s_k/T}}{\\sum_j e^{s_j/T}},\\qquad L_{\\text{CE}}=-\\ln p_y,\\qquad L_{\\text{hinge}}=\\sum_{k\\ne y}\\max(0,\\,s_k-s_y+1),\\qquad \\frac{\\partial L_{\\text{CE}}}{\\partial s_k}=\\frac{p_k-[k=y]}{T}',
  source,
  controls: {
    cat: { kind: 'range', label: 'Score of cat', value: 2.5, min: -12, max: 12, step: 0.1 },
    dog: { kind: 'range', label: 'Score of dog', value: -1, min: -12, max: 12, step: 0.1 },
    frog: { kind: 'range', label: 'Score of frog', value: 2, min: -12, max: 12, step: 0.1 },
    right: {
      kind: 'choice',
      label: 'Right is',
      value: '0',
      options: { 0: 'cat', 1: 'dog', 2: 'frog' },
    },
    temperature: { kind: 'range', label: 'Temperature T', value: 1, min: 0.1, max: 20, step: 0.05, log: true },
  },
  views: [
    { name: 'bars', label: 'Probabilities; below, which way each loss pushes the scores' },
    { name: 'curves', label: 'Both losses by the score of the right class; click to set it' },
  ],
  point(view, x, _y, { right }): Settings {
    if (view !== 'curves') return {};
    return { [NAMES[Number(right)]!]: Math.round(10 * Math.min(12, Math.max(-12, x))) / 10 };
  },
  draw({ bars, curves }, { scores, right, probabilities, gradients, places, entropies, hinges, now }) {
    bars!.begin({ x0: -0.6, x1: 2.6, y0: -1.25, y1: 1.25 }, { inset: 4 });
    bars!.fill(-0.5, 0, 3, 0.006, bars!.colour('rule'));
    NAMES.forEach((name, k) => {
      bars!.fill(k - 0.3, 0, 0.6, probabilities[k]!, bars!.colour(k === right ? 'class-1' : 'class-0'));
      bars!.text(`${(100 * probabilities[k]!).toFixed(1)} %`, k, probabilities[k]! + 0.08, { align: 'center' });
      bars!.text(`${name} ${short(scores[k]!)}${k === right ? ' ✓' : ''}`, k, -0.09, { align: 'center' });
    });
    (['entropy', 'hinge'] as const).forEach((loss, row) => {
      const y = -0.5 - 0.5 * row;
      bars!.text(loss === 'entropy' ? '−gradient of cross entropy' : '−gradient of hinge', -0.55, y + 0.21, {
        colour: bars!.colour('muted'),
      });
      gradients[loss].forEach((gradient, k) => {
        const most = 2.2;
        const length = Math.max(-0.4, Math.min(0.4, (-0.4 * gradient) / most));
        bars!.fill(
          Math.min(k, k + length),
          y - 0.05,
          Math.abs(length),
          0.1,
          bars!.colour(gradient > 0 ? 'class-0' : 'class-1'),
        );
        bars!.fill(k - 0.004, y - 0.07, 0.008, 0.14, bars!.colour('muted'));
        bars!.text(short(Number((-gradient).toFixed(3))), k, y - 0.13, {
          align: 'center',
          colour: bars!.colour('muted'),
        });
      });
    });
    const score = scores[right]!;
    const top = Math.min(40, Math.max(6, ...hinges.slice(0, 1), now.entropy, now.hinge));
    curves!.begin({ x0: -12, x1: 12, y0: 0, y1: top * 1.05 }, { axes: true });
    curves!.line([[score, 0], [score, top * 1.05]], curves!.colour('muted'), { width: 1, dash: [4, 4] }); // prettier-ignore
    lines(curves!, places, [
      { values: hinges, colour: curves!.colour('class-0'), width: 2.5 },
      { values: entropies, colour: curves!.colour('class-1'), width: 2.5 },
    ]);
    curves!.dot(score, now.hinge, curves!.colour('class-0'), { radius: 6 });
    curves!.dot(score, now.entropy, curves!.colour('class-1'), { radius: 6 });
    legend(curves!, [
      [`cross entropy ${short(Number(now.entropy.toPrecision(3)))}`, curves!.colour('class-1')],
      [`hinge ${short(Number(now.hinge.toPrecision(3)))}`, curves!.colour('class-0')],
    ]); // prettier-ignore
  },
};
