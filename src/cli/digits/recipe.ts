// What `nabla train digits` trains, and on what: the split, the network, the schedule, the augmentation.
//
// How the numbers below were chosen: on the validation part alone. The test part is not looked at while training and
// took no part in any choice; it is evaluated once, when a run is complete. The split is the same for every seed, so
// that two runs differ in nothing but the random numbers of training, and `nabla predict --test` means the same images.

import { DataLoader, type Digits, digits, jitter } from '../../data/index.js';
import { BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '../../nn/index.js';
import { oneCycle } from '../../optim/index.js';
import type { Settings } from './defaults.js';

export const CLASSES = 10;

const WEIGHT_DECAY = 0.02;
const DROPOUT = 0.2;
const LABEL_SMOOTHING = 0.05;
const SPLIT_SEED = 0;
const JITTER = { shift: 0.7, rotate: 10, scale: 0.1 };

/** Everything else that decides the result, for config.json. */
export const FIXED = {
  optimizer: 'AdamW',
  weightDecay: WEIGHT_DECAY,
  schedule: 'one-cycle',
  dropout: DROPOUT,
  labelSmoothing: LABEL_SMOOTHING,
  augmentation: JITTER,
  split: { train: 0.7, validation: 0.1, test: 0.2, seed: SPLIT_SEED, stratified: true },
} as const;

/** 70 % of the images to train on, 10 % to validate, 20 % to test, each with the same mix of digits. */
export function splitDigits(): { train: Digits; validation: Digits; test: Digits } {
  return digits().split({ train: 0.7, validation: 0.1, test: 0.2 }, { seed: SPLIT_SEED, stratify: 'y' });
}

export function createModel() {
  return new Sequential(
    new Conv2d(1, 32, 3, { padding: 1, bias: false }),
    new BatchNorm2d(32),
    new ReLU(),
    new Conv2d(32, 32, 3, { padding: 1, bias: false }),
    new BatchNorm2d(32),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(32, 64, 3, { padding: 1, bias: false }),
    new BatchNorm2d(64),
    new ReLU(),
    new Flatten(),
    new Dropout(DROPOUT),
    new Linear(64 * 4 * 4, CLASSES),
  );
}

/** Batches of slightly moved, turned and scaled digits; order and changes follow from the seed and the epoch. */
export function createLoader(train: Digits, { batchSize, seed }: Settings): DataLoader<Digits> {
  const moved = train.augmented(({ x }, random) => jitter(x, random, JITTER));
  return new DataLoader(moved, { batchSize, shuffle: true, seed, dropLast: true });
}

/** Of step `step` of `total`. */
export function learningRate(step: number, total: number, { lr }: Settings): number {
  return oneCycle(step, total, lr, 0.25);
}

export const OPTIMIZER_OPTIONS = { weightDecay: WEIGHT_DECAY };
export const LOSS_OPTIONS = { labelSmoothing: LABEL_SMOOTHING };
