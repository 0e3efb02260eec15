// The names that `nabla augment` knows, apart from what they stand for: --help must not load the library.

export const AUGMENT_PRESETS = ['digits', 'mnist', 'fashion-mnist', 'cifar10'] as const;

export const AUGMENT_TRANSFORMS = [
  'flip',
  'crop',
  'resized-crop',
  'rotation',
  'affine',
  'perspective',
  'color-jitter',
  'noise',
  'blur',
  'erasing',
  'cutout',
  'rand-augment',
  'trivial-augment',
] as const;

export type PresetName = (typeof AUGMENT_PRESETS)[number];
export type TransformName = (typeof AUGMENT_TRANSFORMS)[number];
