// LeNet-5 (LeCun et al. 1998), as it is taught: every map of the second layer is joined to all of the first, tanh, average
// pooling, and a linear output.

import { type OptionNames, checkOptions } from '../tensor/library.js';
import { AvgPool2d, Conv2d, Flatten, Linear, Sequential, Tanh } from '../nn/index.js';

export interface LeNetOptions {
  /** Default 10. */
  readonly classes?: number;
  /** Zeros around the input: 2 for images of 28×28. Default 0. */
  readonly padding?: number;
}

const LE_NET_OPTIONS: OptionNames<LeNetOptions> = { classes: true, padding: true };

/** Images [N, 1, 32, 32] (28×28 with `padding: 2`) → logits [N, classes]; 61,706 parameters for 10 classes. */
export function lenet5(options: LeNetOptions = {}) {
  checkOptions('lenet5', options, LE_NET_OPTIONS);
  const { classes = 10, padding = 0 } = options;
  return new Sequential(
    new Conv2d(1, 6, 5, { padding }), // [N, 6, 28, 28]
    new Tanh(),
    new AvgPool2d(2), //                 [N, 6, 14, 14]
    new Conv2d(6, 16, 5), //             [N, 16, 10, 10]
    new Tanh(),
    new AvgPool2d(2), //                 [N, 16, 5, 5]
    new Conv2d(16, 120, 5), //           [N, 120, 1, 1]
    new Tanh(),
    new Flatten(),
    new Linear(120, 84),
    new Tanh(),
    new Linear(84, classes),
  );
}
