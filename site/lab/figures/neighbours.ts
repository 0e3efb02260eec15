import type { run } from '../compute/neighbours.js';
import source from 'source:../compute/neighbours.ts';
import type { Figure } from '../frame/figure.js';
import type { FrameOf } from './frame-of.js';

export const neighbours: Figure<FrameOf<typeof run>> = {
  name: 'neighbours',
  title: 'k nearest neighbours',
  text: `<p>Each place takes the class that most of its k nearest points have. With k = 1 every point has a field of its own and the training accuracy is perfect,
    noise included; with a larger k the borders grow smooth, and in the end the largest class has everything. The best k is where the <i>test</i> accuracy is
    highest. The Manhattan distance makes the borders run along the axes and diagonals.</p>`,
  formula:
    'd_1(a,b)=\\sum_j |a_j-b_j|,\\qquad d_2(a,b)=\\sqrt{\\sum_j (a_j-b_j)^2},\\qquad \\hat y=\\operatorname{mode}\\{y_i : i \\in N_k(x)\\}',
  source,
  controls: {
    k: { kind: 'range', label: 'k', value: 5, min: 1, max: 99, step: 1 },
    distance: {
      kind: 'choice',
      label: 'Distance',
      value: 'euclidean',
      options: { euclidean: 'Euclidean, L2', manhattan: 'Manhattan, L1', cosine: 'Cosine' },
    },
    weights: {
      kind: 'choice',
      label: 'Neighbours count',
      value: 'uniform',
      options: { uniform: 'alike', distance: 'by 1 / distance' },
    },
    data: {
      kind: 'choice',
      label: 'Data',
      value: 'blobs',
      options: { blobs: 'Three clouds', moons: 'Moons', spirals: 'Spirals' },
    },
    points: { kind: 'range', label: 'Points', value: 120, min: 10, max: 600, step: 10 },
    noise: { kind: 'range', label: 'Noise', value: 0.3, min: 0, max: 1, step: 0.05 },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'plane', label: 'The class of every place, and the points it was learnt from', wide: true, aspect: 0.72 },
  ],
  draw({ plane }, { train, region, size, reach }) {
    const colours = [0, 1, 2].map((i) => plane!.colour(`class-${i}`));
    const tall = reach * 0.72;
    plane!.begin({ x0: -reach, x1: reach, y0: -tall, y1: tall });
    plane!.classes(region, size, size, { x0: -reach, x1: reach, y0: -reach, y1: reach });
    train.x.forEach(([x, y], i) => plane!.dot(x!, y!, colours[train.y[i]!]!, { radius: 4.5 }));
  },
};
