import type { run } from '../compute/augmentation.js';
import source from 'source:../compute/augmentation.ts';
import type { Figure } from '../frame/figure.js';
import type { FrameOf } from './frame-of.js';

/** [3, size, size] from 0 to 1 as pixels. */
function pixels(data: Float32Array, size: number): ImageData {
  const image = new ImageData(size, size);
  for (let i = 0; i < size * size; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = 255 * data[c * size * size + i]!;
    image.data[4 * i + 3] = 255;
  }
  return image;
}

export const augmentation: Figure<FrameOf<typeof run>> = {
  name: 'augmentation',
  title: 'One picture, many',
  text: `<p>A boat stays a boat when the picture is mirrored, turned a little, cropped or seen in other light. Augmentation shows the network such versions, a new one in
    every epoch: it cannot learn the pixels by heart, and learns what does not matter. The first picture is the original; the others are drawn at random with what
    is switched on. Too much of it, and the label is no longer true. Take a picture of your own: it stays in this page.</p>`,
  formula: '\\min_\\theta\\;\\mathbb E_{(x,y)}\\;\\mathbb E_{t\\sim\\mathcal T}\\;L\\bigl(f_\\theta(t(x)),\\,y\\bigr)',
  source,
  controls: {
    picture: { kind: 'picture', label: 'A picture of your own', value: '', otherwise: 'The boat again', side: 96 },
    flip: { kind: 'check', label: 'Mirrored, every second time', value: true },
    crop: { kind: 'check', label: 'Random crop, enlarged', value: true },
    rotate: { kind: 'range', label: 'Turned by up to (degrees)', value: 10, min: 0, max: 180, step: 1 },
    brightness: { kind: 'range', label: 'Brightness', value: 0.2, min: 0, max: 1, step: 0.05 },
    contrast: { kind: 'range', label: 'Contrast', value: 0.2, min: 0, max: 1, step: 0.05 },
    saturation: { kind: 'range', label: 'Saturation', value: 0.2, min: 0, max: 1, step: 0.05 },
    hue: { kind: 'range', label: 'Hue', value: 0, min: 0, max: 0.5, step: 0.01 },
    noise: { kind: 'range', label: 'Noise σ', value: 0, min: 0, max: 0.5, step: 0.01 },
    blur: { kind: 'check', label: 'Blurred', value: false },
    cutout: { kind: 'range', label: 'Cut out, pixels', value: 0, min: 0, max: 72, step: 2 },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'images', label: 'The original, then what a network sees of it', wide: true, aspect: 0.75, least: 220 },
  ],
  draw({ images: plot }, { images, size }) {
    plot!.begin({ x0: 0, x1: 4, y0: -3, y1: 0 });
    images.forEach((data, i) => {
      const [x, y] = [i % 4, -Math.floor(i / 4)];
      plot!.image(pixels(data, size), { x0: x + 0.02, x1: x + 0.98, y0: y - 0.98, y1: y - 0.02 }, true);
    });
    plot!.frame(0.01, -0.99, 0.98, 0.98, plot!.colour('accent'), 3);
  },
};
