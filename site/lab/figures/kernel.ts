import type { run } from '../compute/kernel.js';
import source from 'source:../compute/kernel.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { upright } from '../frame/marks.js';
import { short } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

export const kernel: Figure<FrameOf<typeof run>> = {
  name: 'kernel',
  title: 'A kernel slides over a picture',
  text: `<p>One number of the output is the sum of the pixels under the kernel, each times its weight. The same few weights are used everywhere: what finds an edge here
    finds it there. Click a place of the output to see its sum written out. Stride makes the output smaller, padding keeps the border, dilation looks further
    with as many weights.</p>`,
  formula:
    'y_{i,j}=\\sum_{u,v} w_{u,v}\\;x_{\\,si+du-p,\\;sj+dv-p},\\qquad n_{\\text{out}}=\\Bigl\\lfloor\\frac{n+2p-d(k-1)-1}{s}\\Bigr\\rfloor+1',
  source,
  pace: 60,
  controls: {
    image: {
      kind: 'choice',
      label: 'Picture',
      value: 'shape',
      options: { shape: 'Shape, 16 × 16', digit: 'Digit, 8 × 8' },
    },
    index: { kind: 'range', label: 'Which one', value: 4, min: 0, max: 59, step: 1 },
    kernel: {
      kind: 'choice',
      label: 'Kernel',
      value: 'edges',
      options: {
        edges: 'All edges',
        vertical: 'Vertical edges (Sobel)',
        horizontal: 'Horizontal edges (Sobel)',
        blur: 'Blur',
        sharpen: 'Sharpen',
        own: 'Own, below',
      },
    },
    own: { kind: 'text', label: 'Own kernel, row after row', value: '0 1 0  1 -4 1  0 1 0' },
    stride: { kind: 'range', label: 'Stride s', value: 1, min: 1, max: 4, step: 1 },
    padding: { kind: 'range', label: 'Padding p', value: 1, min: 0, max: 4, step: 1 },
    dilation: { kind: 'range', label: 'Dilation d', value: 1, min: 1, max: 3, step: 1 },
    row: { kind: 'range', label: 'Row of the output', value: 0, min: 0, max: 23, step: 1 },
    column: { kind: 'range', label: 'Column of the output', value: 0, min: 0, max: 23, step: 1 },
    slide: { kind: 'check', label: 'Slides on', value: true },
  },
  views: [
    { name: 'input', label: 'The picture with its padding; the kernel’s places are framed' },
    { name: 'output', label: 'The output so far: blue is negative, orange positive' },
    { name: 'sum', label: 'The sum of this place: pixel × weight', wide: true, aspect: 0.2 },
  ],
  point(view, x, y): Settings {
    return view === 'output' && x >= 0 && y <= 0 ? { row: Math.floor(-y), column: Math.floor(x), slide: false } : {};
  },
  draw({ input, output, sum }, frame) {
    const { image, size, weights, side, sums, rows, columns, row, column, stride, padding, dilation } = frame;
    const whole = size + 2 * padding;
    const pixel = (r: number, c: number): number =>
      r < 0 || c < 0 || r >= size || c >= size ? 0 : image[r * size + c]!;
    input!.begin({ x0: -padding, x1: whole - padding, y0: -(whole - padding), y1: padding }, { inset: 4 });
    input!.heat(upright(image, size, size), size, size, {
      high: 'ink',
      strength: 0.9,
      smooth: false,
      into: { x0: 0, x1: size, y0: -size, y1: 0 },
    });
    const taps = weights.map((weight, i) => {
      const [r, c] = [
        row * stride + Math.floor(i / side) * dilation - padding,
        column * stride + (i % side) * dilation - padding,
      ];
      return { r, c, weight, value: pixel(r, c) };
    });
    input!.frame(0, -size, size, size, input!.colour('rule'), 1);
    for (const { r, c, weight } of taps)
      input!.frame(c, -r - 1, 1, 1, input!.colour(weight < 0 ? 'class-0' : weight > 0 ? 'class-1' : 'muted'), 2);

    const tall = Math.max(rows, columns);
    output!.begin({ x0: 0, x1: tall, y0: -tall, y1: 0 }, { inset: 4 });
    const most = sums.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-6);
    const done = sums.map((sum, at) => (!frame.slide || at <= row * columns + column ? sum / most : 0));
    output!.heat(upright(done, rows, columns), rows, columns, {
      strength: 1,
      smooth: false,
      into: { x0: 0, x1: columns, y0: -rows, y1: 0 },
    });
    output!.frame(0, -rows, columns, rows, output!.colour('rule'), 1);
    output!.frame(column, -row - 1, 1, 1, output!.colour('ink'), 2);

    const { width, height } = sum!;
    const cell = Math.min(86, (width - 110) / side);
    const line = Math.min(26, height / side);
    const left = Math.max(12, (width - side * cell - 70) / 2);
    sum!.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
    taps.forEach(({ value, weight }, i) => {
      const colour = sum!.colour(value * weight < 0 ? 'class-0' : value * weight > 0 ? 'class-1' : 'muted');
      const [x, y] = [left + (i % side) * cell, -(Math.floor(i / side) + 0.5) * line - (height - side * line) / 2];
      sum!.text(`${short(Number(value.toFixed(2)))} × ${short(Number(weight.toFixed(3)))}`, x, y, { colour });
    });
    sum!.text(`= ${short(Number(frame.values.sum.toFixed(4)))}`, left + 8 + side * cell, -height / 2);
  },
};
