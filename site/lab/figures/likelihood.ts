import type { run } from '../compute/likelihood.js';
import source from 'source:../compute/likelihood.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { extent, legend } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

export const likelihood: Figure<FrameOf<typeof run>> = {
  name: 'likelihood',
  title: 'A line, and how likely it is',
  text: `<p>Each line is a point in the plane of slope and intercept: click or drag there to choose one. If every y is the line plus normal noise, the line that makes the points most
    likely is the one with the least sum of squared distances: the maximum of one is the minimum of the other, whatever σ is. A larger σ makes other lines more believable, and the top of the
    hill wider. One point far away pulls the best line to itself, because its distance counts squared.</p>`,
  formula:
    '\\log p(y\\mid x)=-\\frac1{2\\sigma^2}\\sum_i\\bigl(y_i-(a x_i+b)\\bigr)^2-n\\log\\bigl(\\sigma\\sqrt{2\\pi}\\bigr),\\qquad (a,b)^*=(X^\\top X)^{-1}X^\\top y',
  source,
  controls: {
    slope: { kind: 'range', label: 'Slope a', value: -0.5, min: -3, max: 3, step: 0.05 },
    intercept: { kind: 'range', label: 'Intercept b', value: 1.5, min: -3, max: 3, step: 0.05 },
    sigma: {
      kind: 'range',
      label: 'σ that the likelihood believes in',
      value: 1,
      min: 0.2,
      max: 5,
      step: 0.05,
      log: true,
    },
    points: { kind: 'range', label: 'Points', value: 20, min: 3, max: 100, step: 1 },
    noise: { kind: 'range', label: 'Noise of the points', value: 0.5, min: 0, max: 2, step: 0.05 },
    outlier: { kind: 'check', label: 'One point far away', value: false },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'points', label: 'Your line (orange) with its distances to the points, and the best one (dashed)' },
    { name: 'surface', label: 'Likelihood of every line: slope across, intercept up; click to choose' },
  ],
  point(view, x, y): Settings {
    if (view !== 'surface') return {};
    const within = (v: number): number => Math.round(20 * Math.max(-3, Math.min(3, v))) / 20;
    return { slope: within(x), intercept: within(y) };
  },
  draw({ points, surface }, { xs, ys, surface: heights, size, reach, line, best }) {
    points!.begin({ x0: -2.2, x1: 2.2, y0: -5, y1: 5 }, { axes: true });
    const at = ({ slope, intercept }: { slope: number; intercept: number }): [number, number][] =>
      [-2.2, 2.2].map((x) => [x, slope * x + intercept]);
    xs.forEach((x, i) => points!.line([[x, ys[i]!], [x, line.slope * x + line.intercept]], points!.colour('class-0'), { width: 1.5 })); // prettier-ignore
    points!.line(at(best), points!.colour('ink'), { width: 1.5, dash: [5, 4] });
    points!.line(at(line), points!.colour('class-1'), { width: 2.5 });
    xs.forEach((x, i) => points!.dot(x, ys[i]!, points!.colour('ink'), { radius: 4 }));

    surface!.begin({ x0: -reach.slope, x1: reach.slope, y0: -reach.intercept, y1: reach.intercept }, { axes: true });
    // Bands of the logarithm below the top, close together near it.
    const [, top] = extent(heights);
    surface!.heat(heights, size, size, {
      scale: (h) => 1 - Math.min(1, Math.round(8 * Math.log10(1 + (top - h))) / 18),
      strength: 0.85,
    });
    surface!.dot(best.slope, best.intercept, surface!.colour('ink'), { radius: 5 });
    surface!.dot(line.slope, line.intercept, surface!.colour('class-0'), { radius: 7 });
    legend(surface!, [['the best line', surface!.colour('ink')], ['yours', surface!.colour('class-0')]]); // prettier-ignore
  },
};
