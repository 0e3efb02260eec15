import type { run } from '../compute/race.js';
import source from 'source:../compute/race.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { hue } from '../frame/marks.js';
import { short } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

const REACH: Readonly<Record<string, readonly [number, number]>> = {
  valley: [10, 5],
  rosenbrock: [2, 3],
  himmelblau: [5, 5],
  saddle: [3, 4],
  ripples: [5, 5],
  own: [5, 5],
};

/** Those that are lost come last. */
const rank = (loss: number): number => (Number.isFinite(loss) ? loss : 1e300);

let trails: { x: number; y: number; loss: number }[][] = [];

export const race: Figure<FrameOf<typeof run>> = {
  name: 'race',
  title: 'Optimisers race downhill',
  text: `<p>All start at the same place (click or drag to move it) with the same learning rate. Plain gradient descent bounces across a narrow valley and crawls
    along it; momentum remembers where it was going; Adam and its relatives give each direction a rate of its own; Newton's method and L-BFGS measure the curvature
    and choose their own length of step. On the saddle, watch who stays. Noise stands for small batches: the second-order methods see none here.</p>`,
  formula:
    'v \\leftarrow \\mu v + \\nabla L(\\theta),\\quad \\theta \\leftarrow \\theta - \\eta v \\qquad\\text{Adam: } \\theta \\leftarrow \\theta - \\eta\\,\\frac{\\hat m}{\\sqrt{\\hat v}+\\varepsilon}',
  source,
  controls: {
    surface: {
      kind: 'choice',
      label: 'Surface',
      value: 'valley',
      options: {
        valley: 'Narrow valley',
        rosenbrock: 'Rosenbrock’s bend',
        himmelblau: 'Himmelblau, four minima',
        saddle: 'Saddle',
        ripples: 'Ripples, many minima',
        own: 'Your own, below',
      },
    },
    own: { kind: 'text', label: 'Own surface, of x and y', value: '0.1 * x^2 + 0.5 * (y - sin(x))^2' },
    rate: { kind: 'range', label: 'Learning rate', value: 0.3, min: 0.0001, max: 1, step: 0.05, log: true },
    momentum: { kind: 'range', label: 'Momentum', value: 0.9, min: 0, max: 0.99, step: 0.01 },
    noise: { kind: 'range', label: 'Noise of the gradient', value: 0, min: 0, max: 5, step: 0.1 },
    x: { kind: 'range', label: 'Start, x', value: -9, min: -10, max: 10, step: 0.01 },
    y: { kind: 'range', label: 'Start, y', value: 3, min: -5, max: 5, step: 0.01 },
    steps: { kind: 'range', label: 'Steps', value: 200, min: 10, max: 1000, step: 10 },
  },
  views: [
    { name: 'map', label: 'The loss from above: the bluer, the lower. Paths of all optimisers' },
    { name: 'losses', label: 'Loss after each step, on a logarithmic scale' },
    { name: 'legend', label: 'Who is where', wide: true, aspect: 0.14 },
  ],
  point(view, x, y, { surface }): Settings {
    const reach = REACH[String(surface)];
    if (view !== 'map' || !reach) return {};
    const within = (value: number, most: number): number => Number(Math.max(-most, Math.min(most, value)).toFixed(2));
    return { x: within(x, reach[0]), y: within(y, reach[1]) };
  },
  draw({ map, losses, legend }, { values: { step }, racers, heights, size, reach: [x0, x1, y0, y1] }) {
    if (step === 0) trails = racers.map(() => []);
    racers.forEach(({ x, y, loss }, i) => (trails[i]![step] = { x, y, loss }));
    map!.begin({ x0, x1, y0, y1 });
    const least = heights.reduce((a, b) => Math.min(a, b));
    const most = Math.log1p(heights.reduce((a, b) => Math.max(a, b)) - least);
    // Bands as on a map, so that slopes are seen.
    map!.heat(heights, size, size, {
      scale: (h) => 1 - Math.round((Math.log1p(h - least) / most) * 14) / 14,
      high: 'class-0',
      strength: 0.65,
    });
    racers.forEach(({ x, y }, i) => {
      map!.line(
        trails[i]!.map((p): [number, number] => [p.x, p.y]),
        hue(i),
        { width: 1.8 },
      );
      map!.dot(x, y, hue(i), { radius: 4.5 });
    });
    const log = (loss: number): number => Math.log10(Math.max(1e-8, loss - Math.min(0, least)));
    const all = trails.flatMap((trail) => trail.map(({ loss }) => log(loss))).filter(Number.isFinite);
    const top = all.reduce((a, b) => Math.max(a, b), -8);
    losses!.begin(
      {
        x0: 0,
        x1: Math.max(20, step),
        y0: Math.min(
          top - 1,
          all.reduce((a, b) => Math.min(a, b), 0),
        ),
        y1: Math.min(6, top) + 0.2,
      },
      { axes: true },
    );
    trails.forEach((trail, i) =>
      losses!.line(
        trail.map((p, s): [number, number] => [s, log(p.loss)]),
        hue(i),
        { width: 1.6 },
      ),
    );

    const { width, height } = legend!;
    const columns = Math.max(2, Math.floor(width / 150));
    const rows = Math.ceil(racers.length / columns);
    legend!.begin({ x0: 0, x1: columns, y0: -height, y1: 0 });
    const order = racers.map((_, i) => i).toSorted((a, b) => rank(racers[a]!.loss) - rank(racers[b]!.loss));
    order.forEach((i, place) => {
      const [column, y] = [place % columns, -((Math.floor(place / columns) + 0.5) * Math.min(22, height / rows))];
      legend!.dot(column + 0.06, y, hue(i), { radius: 5 });
      legend!.text(
        `${racers[i]!.name} ${Number.isFinite(racers[i]!.loss) ? short(racers[i]!.loss) : 'diverged'}`,
        column + 0.13,
        y,
      );
    });
  },
};
