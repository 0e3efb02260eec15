// RandAugment and TrivialAugment: one or two operations drawn from a table, with a magnitude that is the same for all or
// drawn too. The tables are torchvision's: ranges for each operation, divided into bins; signed ones go both ways.
// Must not know: what the images are.

import { ArgumentError, checkOptions, type OptionNames, checkRandom } from '../../tensor/library.js';
import type { HostRandom } from '../../tensor/host-random.js';
import * as F from './functional/index.js';
import { type Image, type ImageTransform, brightest, checkColors } from './image.js';

interface Operation {
  /** From the weakest to the strongest magnitude for an image of [height, width]; none where there is nothing to choose. */
  readonly range?: (height: number, width: number) => readonly [weakest: number, strongest: number];
  /** The magnitude is negated half of the time. */
  readonly isSigned?: boolean;
  readonly apply: (image: Image, magnitude: number, options: F.WarpOptions) => Image;
}

const DEGREES = 180 / Math.PI;

const identity: Operation['apply'] = (image) => image;
// shears leave the upper left corner in place, as in AutoAugment's own code
const shearX: Operation['apply'] = (image, m, options) =>
  F.affine(image, { ...options, shear: [Math.atan(m) * DEGREES, 0], center: [0, 0] });
const shearY: Operation['apply'] = (image, m, options) =>
  F.affine(image, { ...options, shear: [0, Math.atan(m) * DEGREES], center: [0, 0] });
const translateX: Operation['apply'] = (image, m, options) =>
  F.affine(image, { ...options, translate: [Math.trunc(m), 0] });
const translateY: Operation['apply'] = (image, m, options) =>
  F.affine(image, { ...options, translate: [0, Math.trunc(m)] });
const rotate: Operation['apply'] = (image, m, options) => F.rotate(image, m, options);
const brightness: Operation['apply'] = (image, m) => F.adjustBrightness(image, 1 + m);
const color: Operation['apply'] = (image, m) => F.adjustSaturation(image, 1 + m);
const contrast: Operation['apply'] = (image, m) => F.adjustContrast(image, 1 + m);
const sharpness: Operation['apply'] = (image, m) => F.adjustSharpness(image, 1 + m);
const posterize: Operation['apply'] = (image, m) => F.posterize(image, Math.round(m));
const solarize: Operation['apply'] = (image, m) => F.solarize(image, m * brightest(image.data));
const autocontrast: Operation['apply'] = (image) => F.autocontrast(image);
const equalize: Operation['apply'] = (image) => F.equalize(image);

const upTo = (strongest: number) => () => [0, strongest] as const;

const RAND_AUGMENT = {
  identity: { apply: identity },
  shearX: { range: upTo(0.3), isSigned: true, apply: shearX },
  shearY: { range: upTo(0.3), isSigned: true, apply: shearY },
  translateX: { range: (_, width) => [0, (150 / 331) * width], isSigned: true, apply: translateX },
  translateY: { range: (height) => [0, (150 / 331) * height], isSigned: true, apply: translateY },
  rotate: { range: upTo(30), isSigned: true, apply: rotate },
  brightness: { range: upTo(0.9), isSigned: true, apply: brightness },
  color: { range: upTo(0.9), isSigned: true, apply: color },
  contrast: { range: upTo(0.9), isSigned: true, apply: contrast },
  sharpness: { range: upTo(0.9), isSigned: true, apply: sharpness },
  posterize: { range: () => [8, 4], apply: posterize },
  solarize: { range: () => [1, 0], apply: solarize },
  autocontrast: { apply: autocontrast },
  equalize: { apply: equalize },
} satisfies Record<string, Operation>;

export type AutoOperation = keyof typeof RAND_AUGMENT;

const TRIVIAL_AUGMENT: Readonly<Record<AutoOperation, Operation>> = {
  ...RAND_AUGMENT,
  shearX: { range: upTo(0.99), isSigned: true, apply: shearX },
  shearY: { range: upTo(0.99), isSigned: true, apply: shearY },
  translateX: { range: upTo(32), isSigned: true, apply: translateX },
  translateY: { range: upTo(32), isSigned: true, apply: translateY },
  rotate: { range: upTo(135), isSigned: true, apply: rotate },
  brightness: { range: upTo(0.99), isSigned: true, apply: brightness },
  color: { range: upTo(0.99), isSigned: true, apply: color },
  contrast: { range: upTo(0.99), isSigned: true, apply: contrast },
  sharpness: { range: upTo(0.99), isSigned: true, apply: sharpness },
  posterize: { range: () => [8, 2], apply: posterize },
};

const NAMES = Object.keys(RAND_AUGMENT) as readonly AutoOperation[];

/** What one draw has come to. */
export interface AutoPick {
  readonly operation: AutoOperation;
  /** In the operation's own unit, 0 for one without a magnitude. */
  readonly magnitude: number;
}

export interface AutoAugmentOptions extends F.WarpOptions {
  /** Steps between the weakest and the strongest magnitude. Default 31. */
  readonly bins?: number;
  /** Called with each operation before it is applied. */
  readonly onPick?: (pick: AutoPick) => void;
}

const AUTO_AUGMENT_OPTIONS: OptionNames<AutoAugmentOptions> = {
  bins: true,
  onPick: true,
  interpolation: true,
  fill: true,
};

export interface RandAugmentOptions extends AutoAugmentOptions {
  /** Operations an image. Default 2. */
  readonly operations?: number;
  /** The bin of every magnitude, 0 to bins − 1. Default 9. */
  readonly magnitude?: number;
}

const RAND_AUGMENT_OPTIONS: OptionNames<RandAugmentOptions> = {
  operations: true,
  magnitude: true,
  bins: true,
  onPick: true,
  interpolation: true,
  fill: true,
};

/** `operations` random operations of one strength (Cubuk et al., 2019), on grey or RGB images. torchvision: RandAugment. */
export function randAugment(given: RandAugmentOptions = {}): ImageTransform {
  checkOptions('randAugment', given, RAND_AUGMENT_OPTIONS);
  const { operations = 2, magnitude = 9, bins = 31, ...options } = given;
  checkWhole('randAugment', 'operations', operations, 0, Infinity);
  checkWhole('randAugment', 'bins', bins, 2, Infinity);
  checkWhole('randAugment', 'magnitude', magnitude, 0, bins - 1);
  return (image, random) => {
    checkColors('randAugment', image);
    checkRandom('randAugment', random);
    let current: Image = image;
    for (let k = 0; k < operations; k++)
      current = applyOne(current, random, RAND_AUGMENT, magnitude / (bins - 1), options);
    return current as typeof image;
  };
}

/** One random operation of random strength (Müller and Hutter, 2021), on grey or RGB images. torchvision: TrivialAugmentWide. */
export function trivialAugment(given: AutoAugmentOptions = {}): ImageTransform {
  checkOptions('trivialAugment', given, AUTO_AUGMENT_OPTIONS);
  const { bins = 31, ...options } = given;
  checkWhole('trivialAugment', 'bins', bins, 2, Infinity);
  return (image, random) => {
    checkColors('trivialAugment', image);
    checkRandom('trivialAugment', random);
    const draw = () => random.below(bins) / (bins - 1);
    return applyOne(image, random, TRIVIAL_AUGMENT, draw, options) as typeof image;
  };
}

function applyOne(
  image: Image,
  random: HostRandom,
  table: Readonly<Record<AutoOperation, Operation>>,
  strength: number | (() => number),
  { onPick, ...options }: AutoAugmentOptions,
): Image {
  const operation = NAMES[random.below(NAMES.length)];
  const { range, isSigned = false, apply } = table[operation];
  let magnitude = 0;
  if (range !== undefined) {
    const [weakest, strongest] = range(image.shape[1], image.shape[2]);
    const share = typeof strength === 'number' ? strength : strength();
    magnitude = weakest + (strongest - weakest) * share;
    if (isSigned && random.uniform() < 0.5) magnitude = -magnitude;
  }
  onPick?.({ operation, magnitude });
  return apply(image, magnitude, options);
}

function checkWhole(op: string, name: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  const range = high === Infinity ? `at least ${low}` : `${low} to ${high}`;
  throw new ArgumentError(`${op}: ${name} is ${value}. Use a whole number of ${range}.`);
}
