import type { run } from '../compute/attention.js';
import source from 'source:../compute/attention.ts';
import type { Figure } from '../frame/figure.js';
import { matrix } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

export const attention: Figure<FrameOf<typeof run>> = {
  name: 'attention',
  title: 'Attention, step by step',
  text: `<p>Every word of the first sentence (rows) asks every word of the second (columns): a query times a key is a score, and softmax makes weights of each row that sum to one.
    Each head has vectors of its own and looks at other things. The vectors here are random, not learned, so that the mechanics show: equal words have equal vectors and find each
    other. Without positional encodings two equal words are the same to everybody; with them they differ. The causal mask hides what comes later. Without division
    by √d the softmax is nearly a choice of one.</p>`,
  formula:
    '\\operatorname{Attention}(Q,K,V)=\\operatorname{softmax}\\Bigl(\\frac{QK^\\top}{\\sqrt d}+M\\Bigr)V,\\qquad M_{ij}=\\begin{cases}0&j\\le i\\\\-\\infty&j>i\\end{cases}',
  source,
  controls: {
    first: { kind: 'text', label: 'Sentence that asks', value: 'the cat saw the dog and the dog ran' },
    second: { kind: 'text', label: 'Sentence it looks at (empty: itself)', value: '' },
    heads: { kind: 'choice', label: 'Heads', value: '2', options: { 1: '1', 2: '2', 4: '4' } },
    mask: { kind: 'choice', label: 'Mask', value: 'none', options: { none: 'None', causal: 'Causal' } },
    positions: { kind: 'check', label: 'Positional encodings', value: false },
    scaled: { kind: 'check', label: 'Scores divided by √d', value: true },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    {
      name: 'heads',
      label: 'Weights of each head: who (rows) looks at whom (columns)',
      wide: true,
      aspect: 0.52,
      least: 420,
    },
    {
      name: 'bonds',
      label: 'The same as lines, all heads together: the stronger, the more weight',
      wide: true,
      aspect: 0.3,
      least: 150,
    },
  ],
  draw({ heads: plot, bonds }, { queries, keys, heads, weights }) {
    const { width, height } = plot!;
    plot!.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
    const columns = width < 420 ? Math.ceil(heads / 2) : heads;
    const lines = Math.ceil(heads / columns);
    const margin = Math.min(54, width / (7 * Math.min(2, columns)));
    const longest = keys.reduce((most, word) => Math.max(most, word.length), 0);
    const across = (width / columns - margin - 8) / keys.length;
    const isUpright = Math.min(across, (height / lines - 30) / queries.length) < 7.5 * longest;
    const above = isUpright ? Math.min(70, 10 + 7 * longest) : 22;
    for (let h = 0; h < heads; h++) {
      const x0 = ((h % columns) * width) / columns + margin;
      const y1 = -(Math.floor(h / columns) * height) / lines - above;
      const cell = Math.min(across, (height / lines - above - 8) / queries.length);
      const part = weights.subarray(h * queries.length * keys.length, (h + 1) * queries.length * keys.length);
      matrix(plot!, part, [queries.length, keys.length], { x0, x1: x0 + cell * keys.length, y0: y1 - cell * queries.length, y1 }, {
        above: keys.map((word) => word.slice(0, 9)),
        isUpright,
        beside: h % columns === 0 || columns <= 2 ? queries.map((word) => word.slice(0, Math.floor(margin / 7))) : [],
      }); // prettier-ignore
    }
    const { width: w, height: tall } = bonds!;
    bonds!.begin({ x0: 0, x1: w, y0: -tall, y1: 0 });
    const place = (i: number, count: number): number => ((i + 0.5) * w) / count;
    const top = -24;
    const foot = 24 - tall;
    for (let h = 0; h < heads; h++)
      queries.forEach((_, i) =>
        keys.forEach((_word, j) => {
          const weight = weights[(h * queries.length + i) * keys.length + j]!;
          if (weight < 0.02) return;
          bonds!.context.globalAlpha = Math.min(1, weight);
          const colour = bonds!.colour(`class-${h}`);
          bonds!.line([[place(i, queries.length) + 2 * h, top], [place(j, keys.length) + 2 * h, foot]], colour, { width: 1 + 4 * weight }); // prettier-ignore
          bonds!.context.globalAlpha = 1;
        }),
      );
    const fit = (word: string, count: number): string => word.slice(0, Math.max(2, Math.floor(w / count / 7)));
    queries.forEach((word, i) => bonds!.text(fit(word, queries.length), place(i, queries.length), -12, { align: 'center' })); // prettier-ignore
    keys.forEach((word, j) =>
      bonds!.text(fit(word, keys.length), place(j, keys.length), 12 - tall, { align: 'center' }),
    );
  },
};
