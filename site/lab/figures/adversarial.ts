import type { run } from '../compute/adversarial.js';
import source from 'source:../compute/adversarial.ts';
import type { Figure } from '../frame/figure.js';
import type { Box, Plot } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

function picture(plot: Plot, pixels: Float32Array, into: Box, high = 'ink', scale = 1): void {
  const upright = pixels.map((_, i) => pixels[(7 - Math.floor(i / 8)) * 8 + (i % 8)]!);
  plot.heat(upright, 8, 8, { scale: (v) => v * scale, high, strength: 1, smooth: false, into });
  plot.frame(into.x0, into.y0, into.x1 - into.x0, into.y1 - into.y0, plot.colour('rule'), 1);
}

export const adversarial: Figure<FrameOf<typeof run>> = {
  name: 'adversarial',
  title: 'A little noise, and another digit',
  text: `<p>The gradient with respect to the <i>picture</i> says how each pixel should change to make the loss grow. One small step that way for all pixels at once (FGSM), or ten
    smaller ones (PGD), and a network that was sure is sure of something else, although we see the same digit. Noise of the same size without that direction does nothing. As a
    defence, such pictures can be learned as well.</p>`,
  formula:
    "x'=\\operatorname{clip}\\bigl(x+\\varepsilon\\,\\operatorname{sign}\\nabla_x L(f(x),y)\\bigr),\\qquad \\lVert x'-x\\rVert_\\infty\\le\\varepsilon",
  source,
  controls: {
    epsilon: {
      kind: 'range',
      label: 'ε, largest change of a pixel',
      value: 0.2,
      min: 0,
      max: 0.5,
      step: 0.01,
      live: true,
    },
    picture: { kind: 'range', label: 'Picture of the test set', value: 4, min: 0, max: 359, step: 1, live: true },
    method: {
      kind: 'choice',
      label: 'Attack',
      value: 'fgsm',
      options: { fgsm: 'FGSM, one step', pgd: 'PGD, ten steps' },
      live: true,
    },
    target: {
      kind: 'choice',
      label: 'To be taken for',
      value: 'none',
      options: { none: 'anything else', ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [i, `${i}`])) },
      live: true,
    },
    defence: { kind: 'check', label: 'Trained with attacked pictures as well', value: false },
    steps: { kind: 'range', label: 'Stops learning after steps', value: 300, min: 0, max: 2000, step: 10 },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    {
      name: 'pictures',
      label: 'The digit, the change (blue darker to paper, orange to ink), and the sum',
      wide: true,
      aspect: 0.34,
      least: 120,
    },
    { name: 'answers', label: 'Probabilities before (blue) and after (orange)' },
    { name: 'curve', label: 'Accuracy on test digits under FGSM, by ε' },
  ],
  draw({ pictures, answers, curve }, { picture: before, changed, before: p, after, label, curve: points, epsilon }) {
    const { width, height } = pictures!;
    pictures!.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
    const gap = Math.min(44, width * 0.08);
    const side = Math.min(height - 16, (width - 2 * gap - 16) / 3);
    const left = (width - 3 * side - 2 * gap) / 2;
    const [y0, y1] = [(-height - side) / 2, (-height + side) / 2];
    const into = (k: number): Box => ({ x0: left + k * (side + gap), x1: left + k * (side + gap) + side, y0, y1 });
    picture(pictures!, before, into(0));
    picture(pictures!, changed.map((v, i) => v - before[i]!), into(1), 'class-1', 2); // prettier-ignore
    picture(pictures!, changed, into(2));
    pictures!.text('+', left + side + gap / 2, -height / 2, { align: 'center' });
    pictures!.text('=', left + 2 * side + 1.5 * gap, -height / 2, { align: 'center' });

    answers!.begin({ x0: -0.12, x1: 1.12, y0: -10.3, y1: 0.3 }, { inset: 6 });
    for (let k = 0; k < 10; k++) {
      answers!.text(`${k}${k === label ? ' ✓' : ''}`, -0.02, -k - 0.5, { align: 'right' });
      answers!.fill(0, -k - 0.48, Math.max(0.003, p[k]!), 0.36, answers!.colour('class-0'));
      answers!.fill(0, -k - 0.88, Math.max(0.003, after[k]!), 0.36, answers!.colour('class-1'));
    }
    curve!.begin({ x0: 0, x1: 0.4, y0: 0, y1: 1.02 }, { axes: true });
    curve!.line(points, curve!.colour('class-1'), { width: 2.5 });
    for (const [x, y] of points) curve!.dot(x, y, curve!.colour('class-1'));
    curve!.line([[epsilon, 0], [epsilon, 1.02]], curve!.colour('muted'), { width: 1.5, dash: [5, 4] }); // prettier-ignore
  },
};
