import type { run } from '../compute/transformer.js';
import source from 'source:../compute/transformer.ts';
import type { Figure } from '../frame/figure.js';
import { legend, lines, matrix } from '../frame/marks.js';
import type { Plot } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

/** One map of weights for each head, side by side. */
function maps(
  plot: Plot,
  weights: Float32Array,
  heads: number,
  rows: readonly string[],
  columns: readonly string[],
): void {
  const { width, height } = plot;
  plot.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
  const [across, down] = heads === 1 ? [1, 1] : heads === 2 ? [2, 1] : [2, 2];
  const margin = 22;
  const size = rows.length * columns.length;
  for (let h = 0; h < heads; h++) {
    const cell = Math.min((width / across - margin - 8) / columns.length, (height / down - margin - 6) / rows.length);
    const x0 = ((h % across) * width) / across + margin;
    const y1 = -(Math.floor(h / across) * height) / down - margin;
    matrix(plot, weights.subarray(h * size, (h + 1) * size), [rows.length, columns.length], {
      x0, x1: x0 + cell * columns.length, y0: y1 - cell * rows.length, y1,
    }, { above: columns, beside: rows }); // prettier-ignore
  }
}

export const transformer: Figure<FrameOf<typeof run>> = {
  name: 'transformer',
  title: 'A Transformer that learns to reverse or sort',
  text: `<p>An encoder reads digits, a decoder says them in another order, one after the other; both learn in your browser, a layer each. Look at the attention <i>between</i> the
    sequences: when it has learned to reverse, its weights lie on the other diagonal, because the last digit is needed first. To sort, it looks for the next larger digit
    wherever it is. The decoder's attention to itself is masked: it sees only what it has already said.</p>`,
  formula:
    'p(y\\mid x)=\\prod_t p(y_t\\mid y_{<t},x),\\qquad \\text{head}_h=\\operatorname{softmax}\\Bigl(\\tfrac{(YW^Q_h)(XW^K_h)^\\top}{\\sqrt{d/H}}\\Bigr)XW^V_h',
  source,
  controls: {
    task: {
      kind: 'choice',
      label: 'Task',
      value: 'reverse',
      options: { reverse: 'Reverse', sort: 'Sort', copy: 'Copy', shift: 'Shift by one' },
    },
    sequence: { kind: 'text', label: 'Sequence of digits', value: '3 1 4 1 5 9' },
    heads: { kind: 'choice', label: 'Heads', value: '2', options: { 1: '1', 2: '2', 4: '4' } },
    rate: {
      kind: 'range',
      label: 'Learning rate (Adam)',
      value: 0.003,
      min: 0.0001,
      max: 0.03,
      step: 0.05,
      log: true,
      live: true,
    },
    steps: { kind: 'range', label: 'Stops after steps', value: 500, min: 10, max: 3000, step: 10, live: true },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'across', label: 'Between: what is said (rows) looks at what was read (columns)', aspect: 0.62 },
    { name: 'masked', label: 'Within what is said: only at what came before', aspect: 0.62 },
    { name: 'within', label: 'Within what was read', aspect: 0.62 },
    { name: 'curves', label: 'Loss (blue) and share of digits that are right (orange)', aspect: 0.62 },
  ],
  draw({ across, masked, within, curves }, { digits, said, heads, maps: weights, at, losses, accuracies }) {
    const read = digits.map(String);
    const told = said.map(String);
    maps(across!, weights[2]!, heads, told, read);
    maps(masked!, weights[1]!, heads, told, ['▸', ...told.slice(0, -1)]);
    maps(within!, weights[0]!, heads, read, read);
    curves!.begin({ x0: 0, x1: Math.max(50, at.at(-1)!), y0: 0, y1: 2.5 }, { axes: true });
    lines(curves!, at, [
      { values: losses, colour: curves!.colour('class-0') },
      { values: accuracies, colour: curves!.colour('class-1'), width: 2.5 },
    ]);
    legend(curves!, [['loss', curves!.colour('class-0')], ['right', curves!.colour('class-1')]]); // prettier-ignore
  },
};
