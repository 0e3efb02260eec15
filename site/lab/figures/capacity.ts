import type { run } from '../compute/capacity.js';
import source from 'source:../compute/capacity.ts';
import type { Figure } from '../frame/figure.js';
import { legend, lines } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

export const capacity: Figure<FrameOf<typeof run>> = {
  name: 'capacity',
  title: 'Too simple, too flexible',
  text: `<p>Polynomials of growing degree through the same noisy points. A straight line misses the bend: it <i>underfits</i>, and all errors are high. A high degree
    runs through every training point and swings wildly between them: it <i>overfits</i>, the training error falls to nothing while the error on other points
    explodes. Validation points choose the degree; test points, looked at once, say how good the choice is. More points, or a penalty λ, tame a high degree.</p>`,
  formula:
    '\\hat y(x)=\\sum_{n=0}^{d} w_n P_n(x),\\qquad w=\\arg\\min_w \\tfrac1N\\sum_i\\bigl(y_i-\\hat y(x_i)\\bigr)^2+\\lambda\\lVert w\\rVert^2',
  source,
  pace: 220,
  controls: {
    degree: { kind: 'range', label: 'Degree', value: 12, min: 0, max: 15, step: 1 },
    points: { kind: 'range', label: 'Training points', value: 18, min: 4, max: 200, step: 2 },
    noise: { kind: 'range', label: 'Noise', value: 0.25, min: 0, max: 1, step: 0.05 },
    ridge: { kind: 'range', label: 'λ, penalty', value: 0.000001, min: 0.000001, max: 1, step: 0.1, log: true },
    seed: { kind: 'range', label: 'Seed', value: 2, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'fit', label: 'Training points (filled), validation points (hollow), the fit, and the truth (dashed)' },
    { name: 'errors', label: 'Root mean squared error by degree; the ring is the best by validation' },
  ],
  draw({ fit, errors }, frame) {
    const { places, train, validation, values, best } = frame;
    fit!.begin({ x0: -1.05, x1: 1.05, y0: -2.4, y1: 2.4 }, { axes: true });
    lines(fit!, places, [
      { values: frame.truth, colour: fit!.colour('muted'), width: 1.5, dash: [5, 4] },
      { values: frame.fit, colour: fit!.colour('class-1'), width: 2.5 },
    ]);
    validation.x.forEach((x, i) => fit!.dot(x, validation.y[i]!, fit!.colour('class-0'), { hollow: true }));
    train.x.forEach((x, i) => fit!.dot(x, train.y[i]!, fit!.colour('ink'), { radius: 4 }));

    const top = Math.min(1.6, 3 * Math.max(frame.errors[0]![0]!, frame.errors[0]![1]!));
    errors!.begin({ x0: -0.4, x1: 15.4, y0: 0, y1: top }, { axes: true });
    const degrees = frame.errors.map((_, i) => i);
    const names = ['training', 'validation', 'test'];
    const colours = ['ink', 'class-0', 'class-2'].map((name) => errors!.colour(name));
    lines(
      errors!,
      degrees,
      names.map((_, k) => ({
        values: frame.errors.map((e) => e[k]!),
        colour: colours[k]!,
        dash: k === 2 ? [5, 4] : [],
      })),
    );
    const { degree } = values;
    errors!.line([[degree, 0], [degree, top]], errors!.colour('class-1'), { width: 2 }); // prettier-ignore
    colours.forEach((colour, k) => errors!.dot(degree, frame.errors[degree]![k]!, colour, { radius: 4.5 }));
    errors!.dot(best, frame.errors[best]![1]!, colours[1]!, { radius: 7, hollow: true });
    legend(errors!, names.map((name, k) => [name, colours[k]!])); // prettier-ignore
  },
};
