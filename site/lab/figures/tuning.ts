import type { run } from '../compute/tuning.js';
import source from 'source:../compute/tuning.ts';
import type { Figure } from '../frame/figure.js';
import { extent, legend, lines } from '../frame/marks.js';
import type { Plot } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

type Trials = FrameOf<typeof run>['searches'][number];

/** From the best (orange) to the worst (blue) loss. */
function colourOf(plot: Plot, loss: number, [least, most]: readonly [number, number]): string {
  const share = Number.isFinite(loss) ? Math.min(1, Math.max(0, (Math.log(loss) - Math.log(least)) / (Math.log(most) - Math.log(least) || 1))) : 1; // prettier-ignore
  const [from, to] = [plot.rgb('class-1'), plot.rgb('class-0')];
  return `rgb(${from.map((c, i) => Math.round(c + share * (to[i]! - c))).join(' ')})`;
}

/** Trials where they were made, and below their shadows on the axis that matters. */
function plane(plot: Plot, trials: Trials, range: readonly [number, number], what: string): void {
  plot.begin({ x0: -0.04, x1: 1.04, y0: -0.32, y1: 1.12 }, { inset: 8 });
  plot.frame(0, 0, 1, 1, plot.colour('rule'), 1);
  plot.text('learning rate →', 1, -0.27, { align: 'right', colour: plot.colour('muted') });
  plot.text('dropout ↑', 0, 1.06, { colour: plot.colour('muted') });
  plot.text(what, 1, 1.06, { align: 'right' });
  plot.line([[0, -0.12], [1, -0.12]], plot.colour('rule'), { width: 1 }); // prettier-ignore
  for (const { u, v, loss } of trials) {
    const colour = colourOf(plot, loss, range);
    plot.line([[u, v], [u, -0.12]], plot.colour('rule'), { width: 1 }); // prettier-ignore
    plot.dot(u, -0.12, colour, { radius: 4 });
  }
  for (const { u, v, loss } of trials) plot.dot(u, v, colourOf(plot, loss, range), { radius: 7 });
  if (trials.length === 0) return;
  const best = trials.reduce((a, b) => (b.loss < a.loss ? b : a));
  plot.dot(best.u, best.v, plot.colour('ink'), { radius: 11, hollow: true });
  plot.dot(best.u, best.v, colourOf(plot, best.loss, range), { radius: 7 });
}

export const tuning: Figure<FrameOf<typeof run>> = {
  name: 'tuning',
  title: 'Grid against random search',
  text: `<p>Every dot is a network that was trained on digits with that learning rate and that dropout; the more orange, the lower its validation loss. The learning
    rate matters a lot, dropout little. A grid tries the same few rates again and again: look at the shadows on the axis below. Random points try a new
    rate every time, so that the same number of trainings sees far more of the axis that counts.</p>`,
  formula:
    '\\eta=\\exp\\bigl(u\\,\\ln\\eta_{\\max}+(1-u)\\ln\\eta_{\\min}\\bigr),\\quad u\\sim\\mathcal U(0,1),\\qquad (\\eta^*,p^*)=\\arg\\min L_{\\text{val}}(\\eta,p)',
  source,
  controls: {
    points: { kind: 'range', label: 'Values of each in the grid', value: 4, min: 2, max: 7, step: 1 },
    steps: { kind: 'range', label: 'Steps of each training', value: 60, min: 5, max: 300, step: 5 },
    seed: { kind: 'range', label: 'Seed', value: 2, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'grid', label: 'Grid: trials, and the rates that they tried' },
    { name: 'random', label: 'At random: as many trials' },
    {
      name: 'best',
      label: 'Lowest validation loss after each trial (logarithmic)',
      wide: true,
      aspect: 0.26,
      least: 150,
    },
  ],
  draw({ grid, random, best }, { searches, points }) {
    const range = extent(searches.flat().map(({ loss }) => loss));
    plane(grid!, searches[0]!, range, 'grid');
    plane(random!, searches[1]!, range, 'random');
    const curves = searches.map((trials) => {
      let lowest = Infinity;
      return trials.map(({ loss }) => Math.log10((lowest = Math.min(lowest, loss, 1e3))));
    });
    const [low, high] = extent(curves.flat());
    best!.begin({ x0: 1, x1: points * points, y0: low - 0.1, y1: high + 0.1 }, { axes: true });
    lines(
      best!,
      curves[0]!.map((_, i) => i + 1),
      curves.map((values, i) => ({ values, colour: best!.colour(i === 0 ? 'class-0' : 'class-1'), width: 2.5 })),
    );
    legend(best!, [['grid', best!.colour('class-0')], ['random', best!.colour('class-1')]]); // prettier-ignore
  },
};
