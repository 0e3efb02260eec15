// The script of every page of the lab: mounts the figures whose places are in the page, and the switch between light and dark.

import type { Figure } from './frame/figure.js';
import { mount } from './frame/mount.js';
import { LECTURES } from './lectures.js';

const figures = new Map<string, Figure>(LECTURES.flatMap((lecture) => lecture.figures).map((f) => [f.name, f]));
for (const root of document.querySelectorAll<HTMLElement>('section[data-figure]')) {
  const figure = figures.get(root.dataset['figure'] ?? '');
  if (figure) mount(figure, root, new URL('worker.js', import.meta.url));
}

const toggle = document.querySelector<HTMLButtonElement>('#theme');
toggle?.addEventListener('click', () => {
  const { dataset } = document.documentElement;
  const isDark = dataset['theme'] ? dataset['theme'] === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  dataset['theme'] = isDark ? 'light' : 'dark';
  localStorage.setItem('theme', dataset['theme']);
  document.dispatchEvent(new Event('themechange'));
});
