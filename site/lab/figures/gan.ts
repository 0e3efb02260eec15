import type { run } from '../compute/gan.js';
import source from 'source:../compute/gan.ts';
import type { Figure } from '../frame/figure.js';
import { legend, lines } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

export const gan: Figure<FrameOf<typeof run>> = {
  name: 'gan',
  title: 'Forger and expert',
  text: `<p>A generator turns noise into points (orange); a discriminator tells them from the data (dark), and its judgement is the ground: orange means “looks real”, blue “made up”.
    Each learns from the other: the generator's points run uphill in the discriminator's field, and the field changes under them. When it goes well they cover the data and the
    ground turns pale, for nobody can tell any more. When the generator is too quick it crowds onto a few clouds: <i>mode collapse</i>.</p>`,
  formula:
    '\\min_G\\max_D\\;\\mathbb E_{x}\\bigl[\\log D(x)\\bigr]+\\mathbb E_{z}\\bigl[\\log(1-D(G(z)))\\bigr],\\qquad L_G=-\\mathbb E_z\\bigl[\\log D(G(z))\\bigr]',
  source,
  controls: {
    data: {
      kind: 'choice',
      label: 'Data',
      value: 'ring',
      options: { ring: 'Eight clouds in a ring', two: 'Two clouds', grid: 'Nine clouds', line: 'A wave' },
    },
    generator: {
      kind: 'range',
      label: 'Rate of the generator',
      value: 0.001,
      min: 0.0001,
      max: 0.02,
      step: 0.05,
      log: true,
      live: true,
    },
    discriminator: {
      kind: 'range',
      label: 'Rate of the discriminator',
      value: 0.002,
      min: 0.0001,
      max: 0.02,
      step: 0.05,
      log: true,
      live: true,
    },
    turns: {
      kind: 'range',
      label: 'Turns of the discriminator for one of the generator',
      value: 2,
      min: 1,
      max: 5,
      step: 1,
      live: true,
    },
    steps: { kind: 'range', label: 'Stops after steps', value: 4000, min: 10, max: 10000, step: 10, live: true },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    {
      name: 'plane',
      label: 'Data (in ink), made up (orange), and what the discriminator thinks of every place',
      wide: true,
      aspect: 0.8,
    },
    { name: 'losses', label: 'Losses of discriminator (blue) and generator (orange)', wide: true, aspect: 0.2 },
  ],
  draw({ plane, losses }, frame) {
    const { real, made, field, size, reach } = frame;
    const tall = reach * 0.8;
    plane!.begin({ x0: -reach, x1: reach, y0: -tall, y1: tall });
    plane!.heat(field, size, size, { scale: (p) => 2 * p - 1, strength: 0.45, into: { x0: -reach, x1: reach, y0: -reach, y1: reach } }); // prettier-ignore
    for (let i = 0; i < real.length / 2; i++)
      plane!.dot(real[2 * i]!, real[2 * i + 1]!, plane!.colour('ink'), { radius: 2.5 });
    for (let i = 0; i < made.length / 2; i++)
      plane!.dot(made[2 * i]!, made[2 * i + 1]!, plane!.colour('class-1'), { radius: 3.2 });
    const at = frame.losses.map((_, i) => i * frame.every);
    losses!.begin({ x0: 0, x1: Math.max(100, at.at(-1)!), y0: 0, y1: 3 }, { axes: true });
    lines(losses!, at, [
      { values: frame.losses.map((l) => l.tell), colour: losses!.colour('class-0'), width: 1.5 },
      { values: frame.losses.map((l) => l.fool), colour: losses!.colour('class-1'), width: 1.5 },
    ]);
    legend(losses!, [['discriminator', losses!.colour('class-0')], ['generator', losses!.colour('class-1')]]); // prettier-ignore
  },
};
