import type { run } from '../compute/latent.js';
import source from 'source:../compute/latent.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { hue } from '../frame/marks.js';
import type { Box, Plot } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

function digit(plot: Plot, pixels: Float32Array, into: Box, smooth = false): void {
  const upright = pixels.map((_, i) => pixels[(7 - Math.floor(i / 8)) * 8 + (i % 8)]!);
  plot.heat(upright, 8, 8, { high: 'ink', strength: 1, smooth, into });
}

/** How far the plane of the last picture goes. */
let reachShown = 3;

export const latent: Figure<FrameOf<typeof run>> = {
  name: 'latent',
  title: 'The plane behind the digits',
  text: `<p>An autoencoder squeezes 64 pixels through two numbers and makes the picture again. Each dot is a test digit at its two numbers; nobody told the network the classes, yet
    like comes to like. Click or drag in the plane: the network draws what it thinks lies there. The plain autoencoder leaves holes between its islands, where nothing
    sensible comes out. The variational one (VAE) is pulled towards a normal distribution by β, and every place means something.</p>`,
  formula:
    'L=-\\mathbb E_{z\\sim q(z\\mid x)}\\bigl[\\log p(x\\mid z)\\bigr]+\\beta\\,D_{\\mathrm{KL}}\\bigl(q(z\\mid x)\\,\\Vert\\,\\mathcal N(0,1)\\bigr),\\qquad z=\\mu+\\sigma\\odot\\varepsilon',
  source,
  controls: {
    model: { kind: 'choice', label: 'Model', value: 'vae', options: { vae: 'VAE', plain: 'Autoencoder' } },
    beta: { kind: 'range', label: 'β', value: 0.5, min: 0.01, max: 10, step: 0.1, log: true },
    x: { kind: 'range', label: 'Place, across', value: 0.5, min: -3, max: 3, step: 0.05, live: true },
    y: { kind: 'range', label: 'Place, up', value: 0.5, min: -3, max: 3, step: 0.05, live: true },
    steps: { kind: 'range', label: 'Stops learning after steps', value: 1000, min: 0, max: 5000, step: 20 },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'plane', label: 'Test digits at their two numbers; click to choose a place' },
    { name: 'pictures', label: 'What lies at each place of the same plane' },
    { name: 'picture', label: 'The chosen place, decoded', wide: true, aspect: 0.28 },
  ],
  point(view, x, y): Settings {
    if (view === 'picture') return {};
    // The plot is as wide as the window of the frame; controls go from −3 to 3.
    const within = (v: number): number => Math.round(20 * Math.max(-3, Math.min(3, (3 * v) / reachShown))) / 20;
    return { x: within(x), y: within(y) };
  },
  draw({ plane, pictures, picture }, { points, labels, reach, side, pictures: all, chosen, picture: one }) {
    reachShown = reach;
    const box = { x0: -reach, x1: reach, y0: -reach, y1: reach };
    plane!.begin(box);
    labels.forEach((label, i) => plane!.text(`${label}`, points[2 * i]!, points[2 * i + 1]!, { align: 'center', colour: hue(label) })); // prettier-ignore
    const [x, y] = chosen as [number, number];
    plane!.dot(x, y, plane!.colour('ink'), { radius: 7, hollow: true });
    plane!.dot(x, y, plane!.colour('accent'), { radius: 4 });

    pictures!.begin(box);
    const cell = (2 * reach) / side;
    for (let i = 0; i < side * side; i++) {
      const [x0, y1] = [-reach + (i % side) * cell, reach - Math.floor(i / side) * cell];
      digit(pictures!, all.subarray(64 * i, 64 * (i + 1)), { x0, x1: x0 + cell * 0.94, y0: y1 - cell * 0.94, y1 });
    }
    pictures!.dot(x, y, pictures!.colour('accent'), { radius: 5 });
    const { width, height } = picture!;
    picture!.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
    const size = height - 16;
    digit(picture!, one, { x0: (width - size) / 2, x1: (width + size) / 2, y0: 8 - height, y1: -8 }, true);
  },
};
