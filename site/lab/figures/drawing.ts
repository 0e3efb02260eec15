import type { run } from '../compute/drawing.js';
import source from 'source:../compute/drawing.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { upright } from '../frame/marks.js';
import type { Box, Plot } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

const EMPTY = '0'.repeat(64);

/** Maps of side × side numbers in a row, each as bright as its share of the largest. */
function maps(plot: Plot, data: Float32Array, side: number, into: Box, high = 'class-1'): void {
  const count = data.length / side ** 2;
  const most = data.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-6);
  const width = (into.x1 - into.x0) / count;
  const size = Math.min(width - 3, into.y1 - into.y0);
  for (let k = 0; k < count; k++) {
    const one = data.subarray(k * side * side, (k + 1) * side * side);
    const x0 = into.x0 + k * width;
    const y1 = (into.y0 + into.y1 + size) / 2;
    plot.heat(upright(one, side, side), side, side, { scale: (v) => v / most, high, strength: 1, smooth: false, into: { x0, x1: x0 + size, y0: y1 - size, y1 } }); // prettier-ignore
    plot.frame(x0, y1 - size, size, size, plot.colour('rule'), 1);
  }
}

export const drawing: Figure<FrameOf<typeof run>> = {
  name: 'drawing',
  title: 'A digit of your own, and every feature map',
  text: `<p>Draw in the first picture: the network, which is learning while you look, says what it sees. Below are its kernels and all that happens to your digit: six maps of the
    first convolution (strokes of one direction each), twelve of the second, and these after pooling; ten scores are sums of the last. To begin with an empty sheet,
    choose a picture of the test set and then draw again.</p>`,
  formula:
    '\\begin{gathered}h^{(1)}=\\operatorname{ReLU}(W^{(1)}*x+b^{(1)}),\\quad h^{(2)}=\\operatorname{ReLU}(W^{(2)}*h^{(1)}+b^{(2)})\\\\ p=\\operatorname{softmax}\\bigl(W\\operatorname{pool}(h^{(2)})+b\\bigr)\\end{gathered}',
  source,
  controls: {
    picture: {
      kind: 'choice',
      label: 'Picture',
      value: '0',
      options: {
        drawn: 'Own drawing',
        ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [i, `Test picture ${i + 1}`])),
      },
      live: true,
    },
    pixels: { kind: 'text', label: 'The drawing as digits (64 from 0 to f)', value: EMPTY, live: true },
    steps: { kind: 'range', label: 'Stops learning after steps', value: 400, min: 0, max: 2000, step: 10 },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'sheet', label: 'Draw here' },
    { name: 'answers', label: 'What it takes it for' },
    {
      name: 'maps',
      label: 'Kernels of the first layer; its maps; maps of the second; these pooled',
      wide: true,
      aspect: 0.44,
      least: 210,
    },
  ],
  point(view, x, y, { picture, pixels }): Settings {
    if (view !== 'sheet') return {};
    const before = picture === 'drawn' ? String(pixels).padEnd(64, '0') : EMPTY;
    // A soft brush: ink by the distance from the pixel's middle.
    const after = Array.from(before, (digit, i) => {
      const distance = Math.hypot(x - ((i % 8) + 0.5), -y - (Math.floor(i / 8) + 0.5));
      const ink = Math.round(15 * Math.min(1, Math.max(0, 1.25 - distance)));
      return Math.max(Number.parseInt(digit, 16) || 0, ink).toString(16);
    });
    return { picture: 'drawn', pixels: after.join('') };
  },
  draw({ sheet, answers, maps: all }, { picture, kernels, maps: layers, probabilities }) {
    sheet!.begin({ x0: 0, x1: 8, y0: -8, y1: 0 });
    const upright = picture.map((_, i) => picture[(7 - Math.floor(i / 8)) * 8 + (i % 8)]!);
    sheet!.heat(upright, 8, 8, { high: 'ink', strength: 1, smooth: true });

    answers!.begin({ x0: -0.18, x1: 1.15, y0: -10.3, y1: 0.3 }, { inset: 6 });
    const best = probabilities.indexOf(Math.max(...probabilities));
    probabilities.forEach((p, digit) => {
      answers!.text(`${digit}`, -0.05, -digit - 0.5, { align: 'right' });
      answers!.fill(0, -digit - 0.9, Math.max(0.003, p), 0.8, answers!.colour(digit === best ? 'class-1' : 'class-0'));
      if (p > 0.02) answers!.text(`${(100 * p).toFixed(0)} %`, p + 0.02, -digit - 0.5, { colour: answers!.colour('muted') }); // prettier-ignore
    });

    const { width, height } = all!;
    all!.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
    const [one, two, pooled] = layers;
    const rows = [
      { data: kernels, side: 3, share: 0.18 },
      { data: one!, side: 8, share: 0.34 },
      { data: two!, side: 6, share: 0.24 },
      { data: pooled!, side: 3, share: 0.18 },
    ];
    let y = -6;
    for (const { data, side, share } of rows) {
      const tall = share * (height - 20);
      const count = data.length / side ** 2;
      const wide = Math.min(width - 16, count * (tall + 4));
      maps(all!, data, side, { x0: (width - wide) / 2, x1: (width + wide) / 2, y0: y - tall, y1: y });
      y -= tall + 6;
    }
  },
};
