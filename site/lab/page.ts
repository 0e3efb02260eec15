// The script of the pages with figures: mounts those whose places are in the page.

import type { Figure } from './frame/figure.js';
import { mount } from './frame/mount.js';
import { Painter } from './frame/painting.js';
import { LECTURES } from './lectures.js';

const figures = new Map<string, Figure>(LECTURES.flatMap((lecture) => lecture.figures).map((f) => [f.name, f]));
const painter = new Painter(new URL('painter.js', import.meta.url));
const shared = [...new URLSearchParams(location.hash.slice(1)).keys()].filter((key) => key.includes('.'));
let aim: HTMLElement | undefined;
for (const root of document.querySelectorAll<HTMLElement>('section[data-figure]')) {
  const figure = figures.get(root.dataset['figure'] ?? '');
  if (!figure) continue;
  mount(figure, root, new URL('worker.js', import.meta.url), painter);
  if (shared.length > 0 && shared.every((key) => key.startsWith(`${figure.name}.`))) aim = root;
}
// A shared address has the settings of one figure: that is what it shows.
aim?.scrollIntoView();
