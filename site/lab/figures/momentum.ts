import type { run } from '../compute/momentum.js';
import source from 'source:../compute/momentum.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { extent, legend, lines } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

let energies: { potential: number; kinetic: number }[] = [];

export const momentum: Figure<FrameOf<typeof run>> = {
  name: 'momentum',
  title: 'Momentum is a ball that rolls',
  text: `<p>The loss is a landscape, the weights a ball in it. Plain gradient descent (blue) is a ball in honey: it has no velocity, and stops where the slope ends. With momentum (orange) the ball
    keeps a share μ of its velocity; what it loses at each step is friction. It rolls through shallow pits and over small hills, overshoots the lowest place and swings until friction has eaten its
    energy. Set μ to 0.99, and it swings for long; to 0, and it is the blue one. Click the landscape to put both elsewhere.</p>`,
  formula:
    'm\\,\\frac{d^2x}{dt^2}=-\\nabla U(x)-\\gamma\\,\\frac{dx}{dt},\\qquad v\\leftarrow\\mu v+\\nabla U(x),\\quad x\\leftarrow x-\\eta v,\\qquad v_{\\max}=\\frac{\\lVert\\nabla U\\rVert}{1-\\mu}',
  source,
  pace: 40,
  controls: {
    landscape: {
      kind: 'choice',
      label: 'Landscape',
      value: 'wells',
      options: { wells: 'Two valleys', bowl: 'One bowl', waves: 'Small waves in a bowl', plateau: 'A plateau' },
    },
    momentum: { kind: 'range', label: 'μ, momentum', value: 0.9, min: 0, max: 0.99, step: 0.01 },
    rate: { kind: 'range', label: 'η, learning rate', value: 0.03, min: 0.001, max: 1, step: 0.05, log: true },
    start: { kind: 'range', label: 'Start', value: -3.2, min: -4, max: 4, step: 0.05 },
    steps: { kind: 'range', label: 'Steps', value: 150, min: 10, max: 600, step: 10 },
  },
  views: [
    {
      name: 'hills',
      label: 'With momentum (orange) and without (blue); click to choose the start',
      wide: true,
      aspect: 0.42,
      least: 200,
    },
    { name: 'paths', label: 'Where each is after each step', aspect: 0.7 },
    { name: 'energy', label: 'Energy of the ball with momentum: friction takes it away', aspect: 0.7 },
  ],
  point(view, x): Settings {
    return view === 'hills' ? { start: Math.round(20 * Math.max(-4, Math.min(4, x))) / 20 } : {};
  },
  draw({ hills, paths, energy }, { values: { step }, landscape, now, trails }) {
    const { places, heights, reach } = landscape;
    const [low, high] = extent(heights);
    const top = Math.min(high, low + 4);
    const space = 0.14 * (top - low);
    hills!.begin({ x0: -reach, x1: reach, y0: low - space, y1: top + space }, { inset: 6 });
    lines(hills!, places, [{ values: heights, colour: hills!.colour('muted'), width: 2.5 }]);
    [...now.entries()].toReversed().forEach(([i, { at, potential, velocity }]) => {
      const colour = hills!.colour(i === 0 ? 'class-1' : 'class-0');
      const up = potential + 0.055 * (top - low);
      if (Math.abs(velocity) > 1e-3)
        hills!.line([[at, up], [Math.max(-reach, Math.min(reach, at + 6 * velocity)), up]], colour, { width: 3 }); // prettier-ignore
      hills!.dot(at, up, colour, { radius: 9 });
    });

    paths!.begin({ x0: 0, x1: Math.max(20, step), y0: -reach, y1: reach }, { axes: true });
    const steps = trails[0]!.map((_, i) => i);
    lines(paths!, steps, [
      { values: trails[1]!, colour: paths!.colour('class-0'), width: 2 },
      { values: trails[0]!, colour: paths!.colour('class-1'), width: 2.5 },
    ]);

    if (step === 0) energies = [];
    energies[step] = { potential: now[0]!.potential - low, kinetic: now[0]!.kinetic };
    const known = energies.map((e) => e ?? { potential: NaN, kinetic: NaN });
    const most = extent(known.map((e) => e.potential + e.kinetic))[1];
    energy!.begin({ x0: 0, x1: Math.max(20, step), y0: 0, y1: 1.25 * most }, { axes: true });
    lines(energy!, known.map((_, i) => i), [
      { values: known.map((e) => e.potential + e.kinetic), colour: energy!.colour('ink'), width: 2.5 },
      { values: known.map((e) => e.potential), colour: energy!.colour('class-2'), width: 2 },
      { values: known.map((e) => e.kinetic), colour: energy!.colour('class-3'), width: 2 },
    ]); // prettier-ignore
    legend(energy!, [['together', energy!.colour('ink')], ['of height', energy!.colour('class-2')], ['of motion', energy!.colour('class-3')]]); // prettier-ignore
  },
};
