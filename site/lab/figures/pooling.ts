import type { run } from '../compute/pooling.js';
import source from 'source:../compute/pooling.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { upright } from '../frame/marks.js';
import type { Plot } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

/** A map of side × side numbers from 0 to 1 in ink. */
function map(plot: Plot, data: Float32Array, side: number, high = 'ink'): void {
  plot.begin({ x0: 0, x1: side, y0: -side, y1: 0 }, { inset: 6 });
  plot.heat(upright(data, side, side), side, side, { high, strength: 0.9, smooth: false });
  plot.frame(0, -side, side, side, plot.colour('rule'), 1);
}

export const pooling: Figure<FrameOf<typeof run>> = {
  name: 'pooling',
  title: 'Pooling: the largest or the mean',
  text: `<p>Pooling makes a map smaller and has no weights: of each window it keeps the largest number, or the mean. The largest says <i>whether</i> something is there, and hardly <i>where</i>: shift the picture
    by a pixel, and compare how much the pixels change and how much the maxima. Click a place of an output to see its window. On the way back, all of the gradient goes to the pixel that was
    the largest; the mean shares it out.</p>`,
  formula:
    'y_{i,j}=\\max_{u,v<k}x_{si+u,\\,sj+v}\\quad\\text{or}\\quad\\frac1{k^2}\\sum_{u,v<k}x_{si+u,\\,sj+v},\\qquad n_{\\text{out}}=\\Bigl\\lfloor\\frac{n-k}{s}\\Bigr\\rfloor+1',
  source,
  controls: {
    image: {
      kind: 'choice',
      label: 'Picture',
      value: 'shape',
      options: { shape: 'Shape, 16 × 16', digit: 'Digit, 8 × 8' },
    },
    index: { kind: 'range', label: 'Which one', value: 8, min: 0, max: 59, step: 1 },
    window: { kind: 'range', label: 'Window k', value: 2, min: 1, max: 6, step: 1 },
    stride: { kind: 'range', label: 'Stride s', value: 2, min: 1, max: 6, step: 1 },
    shift: { kind: 'range', label: 'Shift to the right, pixels', value: 1, min: 0, max: 3, step: 1 },
    row: { kind: 'range', label: 'Row of the output', value: 2, min: 0, max: 15, step: 1 },
    column: { kind: 'range', label: 'Column of the output', value: 3, min: 0, max: 15, step: 1 },
  },
  views: [
    { name: 'input', label: 'The picture, and the window of the chosen place' },
    { name: 'back', label: 'Where a gradient of 1 goes: to the largest (orange), shared out by the mean (blue)' },
    { name: 'largest', label: 'Largest of each window' },
    { name: 'mean', label: 'Mean of each window' },
  ],
  point(view, x, y): Settings {
    return view === 'largest' || view === 'mean'
      ? { row: Math.max(0, Math.floor(-y)), column: Math.max(0, Math.floor(x)) }
      : {};
  },
  draw({ input, back, largest, mean }, frame) {
    const { pixels, size, maxima, means, gradients, side, row, column, window, stride } = frame;
    const [left, low] = [column * stride, -row * stride - window];
    map(input!, pixels, size);
    input!.frame(left, low, window, window, input!.colour('accent'), 3);
    map(back!, gradients[1]!.map((g) => -2 * g), size); // prettier-ignore
    const [most] = [gradients[0]!.indexOf(1)];
    if (most >= 0) back!.fill(most % size, -Math.floor(most / size) - 1, 1, 1, back!.colour('class-1'));
    back!.frame(left, low, window, window, back!.colour('accent'), 2);
    map(largest!, maxima, side);
    map(mean!, means, side);
    for (const plot of [largest!, mean!]) plot.frame(column, -row - 1, 1, 1, plot.colour('accent'), 3);
  },
};
