import type { run } from '../compute/rates.js';
import source from 'source:../compute/rates.ts';
import type { Figure } from '../frame/figure.js';
import { extent, hue, legend, lines } from '../frame/marks.js';
import { short } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

export const rates: Figure<FrameOf<typeof run>> = {
  name: 'rates',
  title: 'What a learning rate looks like',
  text: `<p>The same network learns digits five times, from the same weights and with the same batches; only the learning rate differs. Too low, and the curve
    crawls; too high, and it falls at first, then stays on a plateau or leaves the picture. The <i>finder</i> on the right raises the rate from step to step: where the
    loss falls fastest is a good place to begin. A schedule starts high and ends low, and often beats every constant rate.</p>`,
  formula:
    '\\theta_{t+1}=\\theta_t-\\eta_t\\,\\nabla L(\\theta_t),\\qquad \\eta_t=\\frac{\\eta_0}{1+d\\,t}\\quad\\text{or}\\quad \\eta_t=\\tfrac{\\eta_0}{2}\\Bigl(1+\\cos\\frac{\\pi t}{T}\\Bigr)',
  source,
  controls: {
    rate: { kind: 'range', label: 'Your learning rate', value: 0.5, min: 0.0001, max: 5, step: 0.05, log: true },
    optimizer: {
      kind: 'choice',
      label: 'Optimiser',
      value: 'momentum',
      options: { sgd: 'SGD', momentum: 'SGD, momentum 0.9', adam: 'Adam' },
    },
    schedule: {
      kind: 'choice',
      label: 'Schedule of all rates',
      value: 'constant',
      options: {
        constant: 'Constant',
        step: 'A tenth after each third',
        inverse: 'η₀ / (1 + d·t)',
        cosine: 'Half a cosine',
      },
    },
    batch: { kind: 'range', label: 'Batch size', value: 32, min: 2, max: 256, step: 2 },
    steps: { kind: 'range', label: 'Stops after steps', value: 400, min: 20, max: 3000, step: 20 },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'curves', label: 'Loss on held-out digits after each step; yours is the thick line' },
    { name: 'finder', label: 'The finder: loss while the rate grows. Dashed: what it suggests' },
  ],
  draw({ curves, finder }, frame) {
    const { at, networks } = frame;
    const [, most] = extent(networks.flatMap(({ losses }) => losses.filter((l) => l < 4)));
    curves!.begin({ x0: 0, x1: Math.max(50, at.at(-1)!), y0: 0, y1: Math.min(3.4, most * 1.08) }, { axes: true });
    const colours = networks.map((_, i) => (i === 0 ? curves!.colour('ink') : hue(i)));
    // Your own is drawn last, over the others.
    lines(
      curves!,
      at,
      networks.map(({ losses }, i) => ({ values: losses, colour: colours[i]!, width: i === 0 ? 3 : 1.8 })).toReversed(),
    );
    legend(
      curves!,
      networks.map(({ rate }, i) => [`η = ${short(rate)}`, colours[i]!]),
    );
    const found = frame.finder;
    const [low, high] = extent(found?.smooth ?? []);
    finder!.begin(
      { x0: -5, x1: 1, y0: found ? Math.max(0, low - 0.1) : 0, y1: found ? Math.min(high, 4) + 0.2 : 3 },
      { axes: true, log: 'x' },
    );
    if (!found) return;
    const log = found.rates.map(Math.log10);
    lines(finder!, log, [
      { values: found.losses, colour: finder!.colour('rule'), width: 1.2 },
      { values: found.smooth, colour: finder!.colour('class-0'), width: 2.5 },
    ]);
    const { y0, y1 } = finder!.box;
    for (const [rate, colour] of [
      [found.suggestion, 'class-2'],
      [frame.networks[0]!.rate, 'ink'],
    ] as const) {
      if (rate === undefined) continue;
      const x = Math.log10(rate);
      finder!.line([[x, y0], [x, y1]], finder!.colour(colour), { width: 1.5, dash: [5, 4] }); // prettier-ignore
    }
    legend(finder!, [
      [`suggested: ${found.suggestion === undefined ? 'none' : short(Number(found.suggestion.toPrecision(2)))}`, finder!.colour('class-2')],
      ['yours', finder!.colour('ink')],
    ], { right: false, bottom: true }); // prettier-ignore
  },
};
