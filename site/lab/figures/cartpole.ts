import type { run } from '../compute/cartpole.js';
import source from 'source:../compute/cartpole.ts';
import type { Figure } from '../frame/figure.js';
import { legend, lines } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

export const cartpole: Figure<FrameOf<typeof run>> = {
  name: 'cartpole',
  title: 'Learning to balance',
  text: `<p>Each step that the pole stands is worth one; nobody says how to push. Sixteen carts that you do not see try out actions, and after every eight steps the network is told
    which were better than expected. The cart that you see takes the best action known so far. At first the pole falls at once; after some thousand updates it stands for the whole
    500 steps. Without anything paid for entropy it may settle too early; with too high a rate it forgets again.</p>`,
  formula:
    '\\nabla J=\\mathbb E\\Bigl[\\sum_t A_t\\,\\nabla\\log\\pi_\\theta(a_t\\mid s_t)\\Bigr],\\qquad A_t=\\sum_{k}\\gamma^k r_{t+k}+\\gamma^n V(s_{t+n})-V(s_t)',
  source,
  controls: {
    rate: { kind: 'range', label: 'Learning rate', value: 0.002, min: 0.0001, max: 0.02, step: 0.05, log: true },
    gamma: { kind: 'range', label: 'γ, what the future is worth', value: 0.98, min: 0.5, max: 0.999, step: 0.001 },
    entropy: { kind: 'range', label: 'Paid for entropy', value: 0.001, min: 0, max: 0.05, step: 0.001 },
    speed: { kind: 'range', label: 'Updates a picture', value: 3, min: 1, max: 20, step: 1, live: true },
    updates: { kind: 'range', label: 'Stops after updates', value: 4000, min: 10, max: 20000, step: 10, live: true },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'world', label: 'The best action known so far, tried', wide: true, aspect: 0.42 },
    {
      name: 'curves',
      label: 'Steps until the pole fell: here (dots), and the mean of all carts (line)',
      wide: true,
      aspect: 0.26,
      least: 150,
    },
  ],
  draw({ world, curves }, { observation, action, history, values }) {
    const [x = 0, , angle = 0] = observation;
    world!.begin({ x0: -2.5, x1: 2.5, y0: -0.45, y1: 1.65 });
    world!.fill(-2.4, -0.16, 4.8, 0.012, world!.colour('rule'));
    for (const end of [-2.4, 2.4]) world!.fill(end - 0.01, -0.26, 0.02, 0.2, world!.colour('bad'));
    world!.fill(x - 0.25, -0.14, 0.5, 0.24, world!.colour('class-0'));
    for (const side of [-0.15, 0.15]) world!.dot(x + side, -0.14, world!.colour('ink'), { radius: 6 });
    const tip = [x + 1.1 * Math.sin(angle), 0.1 + 1.1 * Math.cos(angle)] as const;
    world!.line([[x, 0.1], tip], world!.colour('class-1'), { width: 9 });
    world!.dot(x, 0.1, world!.colour('ink'), { radius: 5 });
    const way = action === 1 ? 1 : -1;
    world!.line([[x + way * 0.3, -0.02], [x + way * 0.55, -0.02]], world!.colour('class-2'), { width: 3 }); // prettier-ignore
    world!.text(way > 0 ? '▸' : '◂', x + way * 0.58, -0.02, { align: 'center', colour: world!.colour('class-2') });

    const last = { updates: Number(values.step), mean: Number(values['mean of the last episodes']) };
    curves!.begin({ x0: 0, x1: Math.max(200, last.updates), y0: 0, y1: 520 }, { axes: true });
    lines(curves!, [...history.map((h) => h.updates), last.updates], [
      { values: [...history.map((h) => h.mean), last.mean], colour: curves!.colour('class-1'), width: 2.5 },
    ]); // prettier-ignore
    for (const { updates, shown } of history) curves!.dot(updates, shown, curves!.colour('class-0'), { radius: 3 });
    legend(curves!, [['this cart', curves!.colour('class-0')], ['mean of all', curves!.colour('class-1')]], { right: false }); // prettier-ignore
  },
};
