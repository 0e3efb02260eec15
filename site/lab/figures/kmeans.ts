import type { run } from '../compute/kmeans.js';
import source from 'source:../compute/kmeans.ts';
import type { Figure } from '../frame/figure.js';
import type { FrameOf } from './frame-of.js';

let path: { x: number; y: number }[][] = [];
let curve: number[] = [];

export const kmeans: Figure<FrameOf<typeof run>> = {
  name: 'kmeans',
  title: 'k-means, step by step',
  text: `<p>Every point goes to its nearest centre; every centre moves to the mean of its points; and again, until nothing moves. Each of the two makes the sum of squared
    distances smaller, so it ends, but not always well: begin with all centres in one corner, or with random points, and try other seeds. k-means++ spreads the centres
    at the start. Press <i>Step</i> to see one iteration at a time.</p>`,
  formula:
    'c_i=\\arg\\min_k \\lVert x_i-\\mu_k\\rVert^2,\\qquad \\mu_k=\\frac{1}{|C_k|}\\sum_{i\\in C_k} x_i,\\qquad J=\\sum_i \\lVert x_i-\\mu_{c_i}\\rVert^2',
  source,
  pace: 600,
  controls: {
    clusters: { kind: 'range', label: 'k, the number of centres', value: 4, min: 1, max: 5, step: 1 },
    init: {
      kind: 'choice',
      label: 'Centres begin',
      value: 'corner',
      options: { corner: 'all in one corner', random: 'at random points', plus: 'by k-means++, one step done' },
    },
    groups: { kind: 'range', label: 'Clouds of points', value: 4, min: 1, max: 8, step: 1 },
    spread: { kind: 'range', label: 'Their spread', value: 0.8, min: 0.1, max: 2, step: 0.1 },
    points: { kind: 'range', label: 'Points', value: 300, min: 20, max: 1000, step: 20 },
    seed: { kind: 'range', label: 'Seed', value: 3, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'plane', label: 'Points in the colour of their centre, and the centres’ paths' },
    { name: 'inertia', label: 'J, the sum of squared distances, after each iteration' },
  ],
  draw({ plane, inertia }, { values, xy, labels, centers }) {
    const { iteration } = values;
    const colours = [0, 1, 2, 3, 4].map((i) => plane!.colour(`class-${i}`));
    if (iteration === 0) [path, curve] = [[], []];
    curve[iteration] = values.inertia;
    plane!.begin({ x0: -6.5, x1: 6.5, y0: -6.5, y1: 6.5 });
    labels.forEach((label, i) => plane!.dot(xy[2 * i]!, xy[2 * i + 1]!, colours[label]!, { radius: 3 }));
    for (let k = 0; k < centers.length / 2; k++) {
      const trail = (path[k] ??= []);
      trail[iteration] = { x: centers[2 * k]!, y: centers[2 * k + 1]! };
      plane!.line(
        trail.map((p): [number, number] => [p.x, p.y]),
        plane!.colour('ink'),
        { width: 1.5, dash: [3, 3] },
      );
      plane!.dot(trail[iteration].x, trail[iteration].y, plane!.colour('ink'), { radius: 8 });
      plane!.dot(trail[iteration].x, trail[iteration].y, colours[k]!, { radius: 5 });
    }
    inertia!.begin({ x0: 0, x1: Math.max(5, iteration), y0: 0, y1: curve[0]! * 1.05 }, { axes: true, left: 52 });
    inertia!.line(
      curve.map((j, i) => [i, j]),
      inertia!.colour('class-0'),
    );
    curve.forEach((j, i) => inertia!.dot(i, j, inertia!.colour('class-0')));
  },
};
