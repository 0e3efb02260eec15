import { HostRandom } from 'nabla/data';
import * as transforms from 'nabla/data/transforms';

export interface Settings {
  flip: boolean;
  crop: boolean;
  /** Degrees each way. */
  rotate: number;
  brightness: number;
  contrast: number;
  saturation: number;
  hue: number;
  noise: number;
  blur: boolean;
  cutout: number;
  /** A picture of one's own: SIZE × SIZE pixels of three bytes, in base64; '' for the boat. */
  picture: string;
  seed: number;
}

const SIZE = 96;
const SAMPLES = 11;

/** A picture to begin with, from 0 to 1, [3, 96, 96]: a boat at sunset. Any other of this form does as well. */
function boat(): transforms.Image<Float32Array, 3> {
  const data = new Float32Array(3 * SIZE * SIZE);
  for (let i = 0; i < SIZE * SIZE; i++) {
    const [x, y] = [(i % SIZE) / SIZE, Math.floor(i / SIZE) / SIZE];
    const isSea = y > 0.66;
    let colour = isSea
      ? [0.1, 0.3 + 0.2 * (y - 0.66), 0.5]
      : [0.98 - 0.5 * (0.66 - y), 0.55 + 0.2 * y, 0.35 + 0.5 * (0.66 - y)];
    if (!isSea && (x - 0.75) ** 2 + (y - 0.5) ** 2 < 0.012) colour = [1, 0.92, 0.55];
    if (isSea && Math.abs(x - 0.75) < 0.09 && Math.sin(90 * y) > 0) colour = [0.9, 0.7, 0.45];
    if (y > 0.62 && y < 0.72 && Math.abs(x - 0.4) < 0.25 - 1.2 * (y - 0.62)) colour = [0.42, 0.18, 0.12];
    if (y > 0.12 && y < 0.59 && x > 0.38 - 0.42 * (y - 0.12) && x < 0.38) colour = [0.96, 0.95, 0.9];
    if (y > 0.2 && y < 0.59 && x > 0.41 && x < 0.41 + 0.5 * (y - 0.2)) colour = [0.85, 0.25, 0.22];
    colour.forEach((value, c) => (data[c * SIZE * SIZE + i] = value));
  }
  return { data, shape: [3, SIZE, SIZE] };
}

/** Bytes of red, green, blue, pixel by pixel, as [3, SIZE, SIZE] from 0 to 1. */
function decode(text: string): transforms.Image<Float32Array, 3> {
  const bytes = atob(text);
  if (bytes.length !== 3 * SIZE * SIZE) throw new Error(`picture: ${bytes.length} bytes, not 3 × ${SIZE} × ${SIZE}.`);
  const data = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) data[(i % 3) * SIZE * SIZE + Math.floor(i / 3)] = bytes.charCodeAt(i) / 255;
  return { data, shape: [3, SIZE, SIZE] };
}

/** The picture, and what a network would see of it in eleven epochs. */
export async function* run(settings: Settings) {
  const picture = settings.picture === '' ? boat() : decode(settings.picture);
  const { rotate, brightness, contrast, saturation, hue, noise } = settings;
  const steps: transforms.ImageTransform[] = [];
  if (settings.flip) steps.push(transforms.randomHorizontalFlip());
  if (rotate > 0) steps.push(transforms.randomRotation(rotate, { interpolation: 'bilinear' }));
  if (brightness + contrast + saturation + hue > 0)
    steps.push(transforms.colorJitter({ brightness, contrast, saturation, hue }));
  if (settings.blur) steps.push(transforms.gaussianBlur(7, [0.1, 3]));
  if (noise > 0) steps.push(transforms.gaussianNoise({ sigma: noise }));
  if (settings.cutout > 0) steps.push(transforms.cutout(settings.cutout, 0.5));
  const crop = transforms.randomResizedCrop(SIZE, { scale: [0.35, 1] });

  const samples = Array.from({ length: SAMPLES }, (_, i) => {
    // One generator for each sample and epoch: the same seed gives the same pictures.
    const random = new HostRandom(settings.seed, i);
    let image: transforms.Image<Float32Array, 3> = settings.crop ? crop(picture, random) : picture;
    for (const step of steps) image = step(image, random);
    return image.data;
  });
  const distance = (a: Float32Array) =>
    Math.sqrt(a.reduce((sum, v, i) => sum + (v - picture.data[i]) ** 2, 0) / a.length);
  yield {
    values: {
      pictures: samples.length,
      'mean distance to the first': samples.reduce((sum, image) => sum + distance(image), 0) / samples.length,
    },
    size: SIZE,
    images: [picture.data, ...samples],
  };
}
