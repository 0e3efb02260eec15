import type { run } from '../compute/table.js';
import source from 'source:../compute/table.ts';
import type { Figure } from '../frame/figure.js';
import { extent, legend, lines, matrix } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

export const table: Figure<FrameOf<typeof run>> = {
  name: 'table',
  title: 'A table of your own',
  text: `<p>Choose a CSV file with names in its first line: a network learns to predict one of its columns from the others, here in the page, and the file goes nowhere. Numbers are standardised, texts
    become a column for each value, gaps are filled in, all by the training part alone. A quarter of the rows is kept aside: what the network says of them is the result that counts. If the training loss falls and the
    other rises, it learns by heart: take fewer neurons or fewer steps.</p>`,
  formula:
    '\\tilde x=\\frac{x-\\mu_{\\text{train}}}{\\sigma_{\\text{train}}},\\qquad \\hat y=W_2\\,\\mathrm{ReLU}(W_1\\tilde x+b_1)+b_2,\\qquad R^2=1-\\frac{\\sum_i(y_i-\\hat y_i)^2}{\\sum_i(y_i-\\bar y)^2}',
  source,
  controls: {
    file: { kind: 'table', label: 'A CSV file of your own', value: '', otherwise: 'The irises again', most: 400_000 },
    target: { kind: 'text', label: 'Column to predict (empty: the last)', value: '' },
    task: {
      kind: 'choice',
      label: 'It is',
      value: 'auto',
      options: { auto: 'as it looks', classes: 'a class', numbers: 'a number' },
    },
    width: { kind: 'range', label: 'Neurons', value: 16, min: 1, max: 128, step: 1 },
    rate: { kind: 'range', label: 'Learning rate', value: 0.01, min: 0.0001, max: 1, step: 0.05, log: true },
    steps: { kind: 'range', label: 'Stops after steps', value: 400, min: 10, max: 5000, step: 10, live: true },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'curves', label: 'Loss on the rows it learns from, and on the rest' },
    { name: 'result', label: 'The rest: what is true (rows, or across) and what is predicted (columns, or up)' },
  ],
  draw({ curves, result }, { at, losses, classes, truth, predicted }) {
    const most = extent(losses.flat())[1];
    curves!.begin({ x0: 0, x1: Math.max(50, at.at(-1)!), y0: 0, y1: 1.1 * most }, { axes: true });
    const colours = ['class-1', 'class-0'].map((name) => curves!.colour(name));
    lines(curves!, at, losses.map((values, i) => ({ values, colour: colours[i]!, dash: i === 1 ? [5, 4] : [] }))); // prettier-ignore
    legend(curves!, [['learnt from', colours[0]!], ['the rest', colours[1]!]]); // prettier-ignore

    if (classes.length === 0) {
      const [low, high] = extent([...truth, ...predicted]);
      const space = 0.05 * (high - low || 1);
      const box = { x0: low - space, x1: high + space, y0: low - space, y1: high + space };
      result!.begin(box, { axes: true });
      result!.line([[box.x0, box.y0], [box.x1, box.y1]], result!.colour('muted'), { width: 1, dash: [4, 4] }); // prettier-ignore
      truth.forEach((value, i) => result!.dot(value, predicted[i]!, result!.colour('class-0')));
      return;
    }
    const { width, height } = result!;
    result!.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
    const n = classes.length;
    const counts = new Float32Array(n * n);
    truth.forEach((value, i) => counts[value * n + predicted[i]!]!++);
    const sums = classes.map((_, i) => counts.subarray(i * n, (i + 1) * n).reduce((a, b) => a + b, 0));
    const shares = counts.map((count, i) => count / Math.max(1, sums[Math.floor(i / n)]!));
    const longest = classes.reduce((long, name) => Math.max(long, Math.min(12, name.length)), 1);
    const margin = 14 + 6.8 * longest;
    const cell = Math.min((width - margin - 8) / n, (height - margin - 8) / n);
    const words = classes.map((name) => (name.length > 12 ? `${name.slice(0, 11)}…` : name));
    const [x0, y1] = [margin, -margin];
    matrix(result!, shares, [n, n], { x0, x1: x0 + n * cell, y0: y1 - n * cell, y1 }, { above: words, beside: words, isUpright: cell < 7.5 * longest }); // prettier-ignore
    if (cell > 16)
      counts.forEach((count, i) => {
        if (count === 0) return;
        const colour = result!.colour(shares[i]! > 0.5 ? 'canvas' : 'ink');
        result!.text(`${count}`, x0 + ((i % n) + 0.5) * cell, y1 - (Math.floor(i / n) + 0.5) * cell, {
          align: 'center',
          colour,
        });
      });
  },
};
