// The network for the digits, and how their data is divided: the same for training and prediction.

import { type ArrayDataset, digits } from '../data/index.js';
import { BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '../nn/index.js';

/** 3 × 3 convolutions at 8 × 8 and 4 × 4 pixels; 38,570 parameters. */
export function digitsModel() {
  return new Sequential(
    new Conv2d(1, 32, 3, { padding: 1 }),
    new BatchNorm2d(32),
    new ReLU(),
    new Conv2d(32, 32, 3, { padding: 1 }),
    new BatchNorm2d(32),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(32, 64, 3, { padding: 1 }),
    new BatchNorm2d(64),
    new ReLU(),
    new Flatten(),
    new Dropout(0.3),
    new Linear(1024, 10),
  );
}

export type DigitsModel = ReturnType<typeof digitsModel>;

/**
 * 70 % to train, 10 % to choose settings by, 20 % to look at once, at the end. The division is the same for every run
 * seed, so that no run has trained on another's test digits. Settings were chosen on the validation part.
 */
export function digitsParts(): Record<'train' | 'validation' | 'test', ArrayDataset<'x' | 'y'>> {
  return digits().split({ train: 0.7, validation: 0.1, test: 0.2 }, { seed: 0, stratify: 'y' });
}
