import type { run } from '../compute/positions.js';
import source from 'source:../compute/positions.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { hue, lines, matrix } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

let shape = { left: 34, right: 0, top: 0, foot: 1, length: 1 };

export const positions: Figure<FrameOf<typeof run>> = {
  name: 'positions',
  title: 'Where a word stands',
  text: `<p>Attention does not see order; positional encodings are added to the words so that it can. Each row is a position, each column a wave: fast ones at the left, slow ones at
    the right, like the hands of many clocks. Click a row: the curve shows how alike its encoding is to all others. It depends on the distance alone, and falls off to
    both sides, which is what lets a head learn “the word before”.</p>`,
  formula:
    'p_{t,2i}=\\sin\\frac{t}{10000^{2i/d}},\\qquad p_{t,2i+1}=\\cos\\frac{t}{10000^{2i/d}},\\qquad p_s\\cdot p_t=\\sum_i\\cos\\frac{s-t}{10000^{2i/d}}',
  source,
  controls: {
    length: { kind: 'range', label: 'Positions', value: 40, min: 4, max: 100, step: 1 },
    width: { kind: 'range', label: 'Width d', value: 48, min: 4, max: 128, step: 4 },
    at: { kind: 'range', label: 'Position', value: 12, min: 0, max: 99, step: 1 },
  },
  views: [
    { name: 'table', label: 'Encodings: a row for each position; orange is 1, blue −1' },
    { name: 'waves', label: 'Four of its columns over the positions' },
    { name: 'likeness', label: 'Likeness of the chosen position to all others', wide: true, aspect: 0.26, least: 150 },
  ],
  point(view, _x, y): Settings {
    if (view !== 'table') return {};
    const at = Math.floor(((shape.top - y) / (shape.top - shape.foot)) * shape.length);
    return at >= 0 && at < shape.length ? { at } : {};
  },
  draw({ table, waves, likeness }, { length, width, at, encoding, likeness: own }) {
    const { width: w, height: h } = table!;
    table!.begin({ x0: 0, x1: w, y0: -h, y1: 0 });
    shape = { left: 34, right: w - 8, top: -8, foot: 8 - h, length };
    const into = { x0: shape.left, x1: shape.right, y0: shape.foot, y1: shape.top };
    const every = Math.ceil(length / 20);
    const beside = Array.from({ length }, (_, i) => (i % every === 0 ? `${i}` : ''));
    matrix(table!, encoding, [length, width], into, { beside });
    const line = (shape.top - shape.foot) / length;
    table!.frame(shape.left - 2, shape.top - (at + 1) * line - 1, shape.right - shape.left + 4, line + 2, table!.colour('ink'), 2); // prettier-ignore

    waves!.begin({ x0: 0, x1: length - 1, y0: -1.1, y1: 1.1 }, { axes: true });
    const times = Array.from({ length }, (_, t) => t);
    [0, 0.2, 0.4, 0.7].forEach((share, k) => {
      const column = 2 * Math.floor((share * width) / 2);
      lines(waves!, times, [{ values: times.map((t) => encoding[t * width + column]!), colour: hue(k) }]);
    });
    waves!.line([[at, -1.1], [at, 1.1]], waves!.colour('muted'), { width: 1, dash: [4, 4] }); // prettier-ignore
    likeness!.begin({ x0: 0, x1: length - 1, y0: Math.min(-0.1, ...own) - 0.05, y1: 1.1 }, { axes: true });
    lines(likeness!, times, [{ values: own, colour: likeness!.colour('class-1'), width: 2.5 }]);
    likeness!.dot(at, own[at]!, likeness!.colour('ink'), { radius: 5 });
  },
};
