import type { run } from '../compute/characters.js';
import source from 'source:../compute/characters.ts';
import type { Figure } from '../frame/figure.js';
import { lines } from '../frame/marks.js';
import type { Plot } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

/** Text in cells of one width, each on a ground as strong as its share. */
function cells(plot: Plot, text: string, shares: readonly number[] = []): void {
  const { width, height } = plot;
  plot.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
  const { context } = plot;
  context.font = '13px ui-monospace, Menlo, Consolas, monospace';
  const cell = context.measureText('m').width + 0.4;
  const columns = Math.floor((width - 20) / cell);
  let [column, row] = [0, 0];
  for (const [i, character] of Array.from(text).entries()) {
    if (character === '\n' || column >= columns) [column, row] = [0, row + 1];
    if (22 * (row + 1) > height - 8) break;
    if (character === '\n') continue;
    const [x, y] = [10 + column * cell, -8 - 22 * row];
    const share = shares[i] ?? 0;
    if (share > 0.02) {
      context.globalAlpha = Math.min(1, share);
      plot.fill(x, y - 20, cell, 20, plot.colour('class-1'));
      context.globalAlpha = 1;
    }
    plot.text(character, x, y - 10);
    column++;
  }
  context.font = '12px system-ui, sans-serif';
}

export const characters: Figure<FrameOf<typeof run>> = {
  name: 'characters',
  title: 'A network that learns to write',
  text: `<p>Paste a text: an LSTM learns, in your browser, to say its next character. Each picture shows what it writes by itself, drawn from its own probabilities. First it learns
    which letters there are, then words, in the end whole lines by heart. The orange ground shows by which characters of the text it is still surprised: the beginnings of words,
    mostly. A low temperature takes the likeliest, a high one everything.</p>`,
  formula:
    'L=-\\frac1T\\sum_t \\log_2 p_\\theta(x_{t+1}\\mid x_1,\\dots,x_t),\\qquad x_{t+1}\\sim\\operatorname{softmax}(s_t/T)',
  source,
  controls: {
    text: {
      kind: 'text',
      label: 'Text to learn',
      long: true,
      value:
        "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\nRough winds do shake the darling buds of May,\nAnd summer's lease hath all too short a date;\nSometime too hot the eye of heaven shines,\nAnd often is his gold complexion dimm'd;\nAnd every fair from fair sometime declines,\nBy chance or nature's changing course untrimm'd.",
    },
    hidden: { kind: 'range', label: 'Units of the LSTM', value: 64, min: 8, max: 160, step: 8 },
    rate: {
      kind: 'range',
      label: 'Learning rate',
      value: 0.01,
      min: 0.0003,
      max: 0.1,
      step: 0.05,
      log: true,
      live: true,
    },
    temperature: { kind: 'range', label: 'Temperature', value: 0.7, min: 0.1, max: 2, step: 0.05, live: true },
    steps: { kind: 'range', label: 'Stops after steps', value: 600, min: 15, max: 3000, step: 15, live: true },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'written', label: 'What it writes now', wide: true, aspect: 0.12, least: 120 },
    { name: 'read', label: 'The text: the more orange, the more surprising', wide: true, aspect: 0.24, least: 240 },
    { name: 'loss', label: 'Bits a character, on each batch', wide: true, aspect: 0.18 },
  ],
  draw({ written, read, loss }, frame) {
    cells(written!, frame.written);
    cells(read!, frame.text, [0, ...frame.surprise.map((bits) => bits / 6)]);
    const { losses } = frame;
    loss!.begin({ x0: 0, x1: Math.max(50, losses.length), y0: 0, y1: Math.max(1, losses[0] ?? 5) }, { axes: true });
    lines(loss!, losses.map((_, k) => k + 1), [{ values: losses, colour: loss!.colour('ink'), width: 1.5 }]); // prettier-ignore
  },
};
