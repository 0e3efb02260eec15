// The script of the pages with figures: mounts those whose places are in the page.

import type { Figure } from './frame/figure.js';
import { mount } from './frame/mount.js';
import { Painter } from './frame/painting.js';
import { LECTURES } from './lectures.js';

const figures = new Map<string, Figure>(LECTURES.flatMap((lecture) => lecture.figures).map((f) => [f.name, f]));
const painter = new Painter(new URL('painter.js', import.meta.url));
for (const root of document.querySelectorAll<HTMLElement>('section[data-figure]')) {
  const figure = figures.get(root.dataset['figure'] ?? '');
  if (figure) mount(figure, root, new URL('worker.js', import.meta.url), painter);
}
