import type { run } from '../compute/unrolled.js';
import source from 'source:../compute/unrolled.ts';
import type { Figure } from '../frame/figure.js';
import { extent, legend, lines } from '../frame/marks.js';
import type { Plot } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

/** A chain of cells, as bright as the gradient that has come back to each; from −6 (nothing) to 2 (exploding), as its logarithm. */
function chain(plot: Plot, gradients: readonly number[], at: number, y: number, colour: string, name: string): void {
  const width = plot.box.x1;
  const slot = (width - 24) / gradients.length;
  const side = Math.min(slot * 0.72, 34);
  plot.text(name, 12, y + 34, { colour: plot.colour('muted') });
  gradients.forEach((gradient, t) => {
    const x = 12 + t * slot;
    if (t > 0) plot.line([[x - slot + side, y], [x, y]], plot.colour(t > at ? colour : 'rule'), { width: t > at ? 2 : 1 }); // prettier-ignore
    plot.fill(x, y - side / 2, side, side, plot.colour('canvas'));
    const share = t < at ? 0 : Math.min(1, Math.max(0.03, (Math.log10(gradient + 1e-12) + 6) / 7));
    plot.context.globalAlpha = share;
    plot.fill(x, y - side / 2, side, side, plot.colour(gradient > 10 ? 'bad' : colour));
    plot.context.globalAlpha = 1;
    plot.frame(x, y - side / 2, side, side, plot.colour(t === at ? 'ink' : 'rule'), t === at ? 2 : 1);
  });
}

export const unrolled: Figure<FrameOf<typeof run>> = {
  name: 'unrolled',
  title: 'A recurrent network, unrolled',
  text: `<p>Unrolled in time, a recurrent network is a deep one whose layers all have the same weights. The gradient from the end passes that matrix once at every step: if it
    makes vectors smaller, the gradient <i>vanishes</i> and the beginning of a sequence teaches nothing; if it makes them larger, it <i>explodes</i>. Drag the size of W across
    1. In an LSTM the memory c is multiplied by a forget gate instead: with a bias above zero the gate stays open, and the gradient arrives.</p>`,
  formula:
    "\\frac{\\partial L}{\\partial h_t}=\\Bigl(\\prod_{k=t+1}^{T} W\\operatorname{diag} f'(s_k)\\Bigr)\\frac{\\partial L}{\\partial h_T},\\qquad \\frac{\\partial c_T}{\\partial c_t}\\approx\\prod_{k=t+1}^{T} f_k",
  source,
  pace: 60,
  controls: {
    size: { kind: 'range', label: 'Size of W (singular values)', value: 0.8, min: 0.3, max: 1.6, step: 0.02 },
    activation: {
      kind: 'choice',
      label: 'Activation of the RNN',
      value: 'tanh',
      options: { tanh: 'tanh', relu: 'ReLU', linear: 'None' },
    },
    forget: { kind: 'range', label: 'Bias of the forget gate', value: 2, min: -3, max: 5, step: 0.1 },
    length: { kind: 'range', label: 'Moments', value: 24, min: 4, max: 40, step: 1 },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'chains', label: 'The gradient on its way back; red: more than ten', wide: true, aspect: 0.26, least: 150 },
    { name: 'sizes', label: 'Size of the gradient at each moment (logarithmic)', wide: true, aspect: 0.36, least: 180 },
  ],
  draw({ chains, sizes }, { plain, gated, at }) {
    const { width, height } = chains!;
    chains!.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
    chain(chains!, plain, at, -height * 0.32, 'class-0', 'RNN: h');
    chain(chains!, gated, at, -height * 0.8, 'class-1', 'LSTM: c');
    const log = [plain, gated].map((g) => g.map((v) => Math.log10(Math.max(v, 1e-12))));
    const [low, high] = extent(log.flat());
    sizes!.begin({ x0: 0, x1: plain.length - 1, y0: Math.min(-2, low) - 0.3, y1: Math.max(1, high) + 0.5 }, { axes: true, log: 'y', left: 56 }); // prettier-ignore
    sizes!.line([[0, 0], [plain.length, 0]], sizes!.colour('muted'), { width: 1, dash: [4, 4] }); // prettier-ignore
    const times = plain.map((_, t) => t).slice(at);
    lines(sizes!, times, [
      { values: log[0]!.slice(at), colour: sizes!.colour('class-0'), width: 2.5 },
      { values: log[1]!.slice(at), colour: sizes!.colour('class-1'), width: 2.5 },
    ]);
    legend(sizes!, [['RNN', sizes!.colour('class-0')], ['LSTM', sizes!.colour('class-1')]], { bottom: true }); // prettier-ignore
  },
};
