// The worker that draws the figures of a page: the page's own thread has words and controls to move, and nothing else.

import type { Figure, Frame, Settings } from './frame/figure.js';
import type { FromPainter, ToPainter } from './frame/messages.js';
import { type Look, Plot } from './frame/plot.js';
import { LECTURES } from './lectures.js';

interface Drawn {
  readonly figure: Figure;
  readonly plots: Readonly<Record<string, Plot>>;
  /** As the page has them, and what touches have set since. */
  settings: Settings;
  shown?: Frame;
}

const figures = new Map<string, Figure>(LECTURES.flatMap((lecture) => lecture.figures).map((f) => [f.name, f]));
const drawn = new Map<string, Drawn>();
let look: Look = { colours: {}, ratio: 1 };
const post = (message: FromPainter): void => postMessage(message);

function paint({ figure, plots, shown }: Drawn): void {
  if (!shown || Object.values(plots).some(({ width }) => width === 0)) return;
  for (const plot of Object.values(plots)) plot.look = look;
  try {
    figure.draw(plots, shown);
  } catch (error) {
    post({ kind: 'failed', figure: figure.name, message: String(error) });
  }
}

function receive(one: Drawn, message: Exclude<ToPainter, { kind: 'look' | 'canvases' }>): void {
  const { figure, plots } = one;
  switch (message.kind) {
    case 'sizes':
      for (const [name, [width, height]] of Object.entries(message.sizes))
        Object.assign(plots[name]!, { width, height });
      return paint(one);
    case 'settings':
      one.settings = message.settings;
      return;
    case 'draw':
      one.shown = message.frame;
      paint(one);
      return post({ kind: 'drawn', figure: figure.name });
    case 'point': {
      const { view, at } = message;
      const settings = figure.point!(view, ...plots[view]!.at(...at), one.settings);
      if (Object.keys(settings).length === 0) return;
      one.settings = { ...one.settings, ...settings };
      post({ kind: 'set', figure: figure.name, settings });
    }
  }
}

addEventListener('message', ({ data }: MessageEvent<ToPainter>) => {
  if (data.kind === 'look') {
    look = data.look;
    for (const one of drawn.values()) paint(one);
  } else if (data.kind === 'canvases') {
    const plots = Object.fromEntries(Object.entries(data.canvases).map(([name, canvas]) => [name, new Plot(canvas)]));
    drawn.set(data.figure, { figure: figures.get(data.figure)!, plots, settings: {} });
  } else receive(drawn.get(data.figure)!, data);
});
