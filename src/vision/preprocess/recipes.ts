// How pictures become the input of known networks, one row a network: what torchvision's `weights.transforms()` (the first weights of each)
// and transformers' image processors say, and what Ultralytics' YOLOs are given.

import type { PreprocessingOptions } from './options.js';

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
/** TensorFlow's way: −1 … 1. */
const HALVES = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
const CLIP = { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] } as const;

/** Where transformers' middle begins, if it is not a whole number. */
const DOWN = { cropRounding: 'down' } as const;

function row(resize: PreprocessingOptions['resize'], crop: number, rest: PreprocessingOptions = {}) {
  return { resize, crop, ...IMAGENET, ...rest } as const;
}

const cubic = { interpolation: 'bicubic' } as const;
const plain = row(256, 224);

const ROWS = {
  // torchvision
  imagenet: plain,
  'imagenet-v2': row(232, 224),
  alexnet: plain,
  vgg: plain,
  resnet: plain,
  resnext: plain,
  'wide-resnet': plain,
  googlenet: plain,
  'inception-v3': row(342, 299),
  densenet: plain,
  squeezenet: plain,
  'mobilenet-v2': plain,
  'mobilenet-v3': plain,
  'shufflenet-v2': plain,
  mnasnet: plain,
  regnet: plain,
  'efficientnet-b0': row(256, 224, cubic),
  'efficientnet-b1': row(256, 240, cubic),
  'efficientnet-b2': row(288, 288, cubic),
  'efficientnet-b3': row(320, 300, cubic),
  'efficientnet-b4': row(384, 380, cubic),
  'efficientnet-b5': row(456, 456, cubic),
  'efficientnet-b6': row(528, 528, cubic),
  'efficientnet-b7': row(600, 600, cubic),
  'efficientnet-v2-s': row(384, 384),
  'efficientnet-v2-m': row(480, 480),
  'efficientnet-v2-l': row(480, 480, { ...cubic, ...HALVES }),
  'convnext-tiny': row(236, 224),
  'convnext-small': row(230, 224),
  'convnext-base': row(232, 224),
  'convnext-large': row(232, 224),
  'vit-b-16': plain,
  'vit-b-32': plain,
  'vit-l-16': row(242, 224),
  'vit-l-32': plain,
  swin: row(232, 224, cubic),
  'swin-t': row(232, 224, cubic),
  'swin-s': row(246, 224, cubic),
  'swin-b': row(238, 224, cubic),
  'swin-v2-t': row(260, 256, cubic),
  'swin-v2-s': row(260, 256, cubic),
  'swin-v2-b': row(272, 256, cubic),
  segmentation: { resize: 520, ...IMAGENET },
  // timm
  xception: row(333, 299, { ...cubic, ...HALVES }),
  'imagenet-inception': row(341, 299, { ...cubic, ...HALVES }),
  // Ultralytics
  yolo: { letterbox: 640, antialias: false },
  // transformers
  vit: { resize: [224, 224], ...HALVES },
  clip: row(224, 224, { ...cubic, ...CLIP, ...DOWN }),
  siglip: { resize: [224, 224], ...cubic, ...HALVES },
  'dino-v2': row(256, 224, { ...cubic, ...DOWN }),
} as const satisfies Readonly<Record<string, PreprocessingOptions>>;

/** A network whose input is known, or a family of them. */
export type PreprocessingName = keyof typeof ROWS;

export const PREPROCESSING_NAMES: readonly string[] = Object.keys(ROWS);

/** Names are written in many ways: efficientnet_b0, EfficientNetB0. */
const plainName = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

const BY_PLAIN_NAME: ReadonlyMap<string, PreprocessingOptions> = new Map(
  Object.entries(ROWS).map(([name, recipe]) => [plainName(name), recipe]),
);

export function recipeOf(name: string): PreprocessingOptions | undefined {
  return BY_PLAIN_NAME.get(plainName(name));
}
