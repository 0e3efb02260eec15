import type { run } from '../compute/initialisation.js';
import source from 'source:../compute/initialisation.ts';
import type { Figure } from '../frame/figure.js';
import { histogram, lines } from '../frame/marks.js';
import { type Plot, short } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

/** Ten histograms, one below the other, with a number at the right. */
function rows(
  plot: Plot,
  counts: readonly (readonly number[])[],
  numbers: readonly number[],
  colour: string,
  ends: readonly [string, string],
): void {
  const { width, height } = plot;
  plot.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
  const line = (height - 22) / counts.length;
  const [left, right] = [26, width - 66];
  counts.forEach((row, i) => {
    const y0 = -(i + 1) * line;
    plot.fill(left, y0, right - left, 1, plot.colour('rule'));
    histogram(plot, row, colour, { x0: left, x1: right, y0, y1: y0 + line - 3 });
    plot.text(`${i + 1}`, left - 8, y0 + line / 2, { align: 'right', colour: plot.colour('muted') });
    plot.text(short(Number(numbers[i]!.toPrecision(2))), right + 8, y0 + line / 2);
  });
  const muted = plot.colour('muted');
  plot.text(ends[0], left, 11 - height, { colour: muted });
  plot.text(ends[1], right, 11 - height, { colour: muted, align: 'right' });
}

export const initialisation: Figure<FrameOf<typeof run>> = {
  name: 'initialisation',
  title: 'Where ten layers begin',
  text: `<p>Ten layers of a hundred neurons see digits; each row is a layer. With small weights the signal shrinks at every layer until the last ones say nothing, and the
    gradient dies on its way back as well. With large weights tanh saturates at ±1, where its derivative is zero. Xavier's variance keeps both alive for tanh; ReLU
    throws half of it away and needs Kaiming's factor two. From zeros all neurons of a layer stay alike for ever. Then training begins, if it can: watch the loss.</p>`,
  formula:
    '\\operatorname{Var}(s)=n_{\\text{in}}\\operatorname{Var}(w)\\operatorname{Var}(x)\\;\\Rightarrow\\;\\operatorname{Var}(w)=\\frac{2}{n_{\\text{in}}+n_{\\text{out}}}\\ \\text{(Xavier)},\\quad \\frac{2}{n_{\\text{in}}}\\ \\text{(Kaiming)}',
  source,
  controls: {
    start: {
      kind: 'choice',
      label: 'Weights begin',
      value: 'normal',
      options: {
        zero: 'at zero',
        normal: 'normal, σ below',
        xavier: 'Xavier',
        kaiming: 'Kaiming',
        orthogonal: 'orthogonal',
      },
    },
    deviation: { kind: 'range', label: 'σ', value: 0.05, min: 0.001, max: 1, step: 0.05, log: true },
    activation: {
      kind: 'choice',
      label: 'Activation',
      value: 'tanh',
      options: { tanh: 'tanh', relu: 'ReLU', sigmoid: 'Sigmoid' },
    },
    rate: { kind: 'range', label: 'Learning rate', value: 0.1, min: 0.001, max: 2, step: 0.05, log: true },
    steps: { kind: 'range', label: 'Stops after steps', value: 600, min: 0, max: 3000, step: 20 },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'forward', label: 'What each layer hands on; at the right its variance' },
    {
      name: 'backward',
      label: 'The size of the gradients that reach it (logarithmic); at the right their root mean square',
    },
    { name: 'loss', label: 'Loss on each batch', wide: true, aspect: 0.18 },
  ],
  draw({ forward, backward, loss }, { layers, losses, range }) {
    rows(
      forward!,
      layers.map((l) => l.activations),
      layers.map((l) => l.variance),
      forward!.colour('class-0'),
      [short(range[0]!), short(range[1]!)],
    );
    rows(
      backward!,
      layers.map((l) => l.gradients),
      layers.map((l) => l.gradient),
      backward!.colour('class-1'),
      ['10⁻¹²', '1'],
    );
    loss!.begin({ x0: 0, x1: Math.max(50, losses.length), y0: 0, y1: 2.8 }, { axes: true });
    lines(loss!, losses.map((_, i) => i), [{ values: losses, colour: loss!.colour('ink'), width: 1.5 }]); // prettier-ignore
  },
};
