// Activations by the names that transformers' config.json has.

import { functional as F } from '../../nn/index.js';
import { checkChoice } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';

type Fn = (x: Tensor) => Tensor;

const erfGelu: Fn = (x) => x.gelu();
const tanhGelu: Fn = (x) => F.gelu(x, 'tanh');
const silu: Fn = (x) => F.silu(x);

const ACTIVATIONS = {
  gelu: erfGelu,
  gelu_python: erfGelu,
  gelu_new: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_accurate: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  gelu_python_tanh: tanhGelu,
  gelu_10: (x: Tensor): Tensor => x.gelu().clamp(-10, 10),
  quick_gelu: (x: Tensor): Tensor => x.mul(x.mul(1.702).sigmoid()),
  relu: (x: Tensor): Tensor => x.relu(),
  relu2: (x: Tensor): Tensor => x.relu().square(),
  relu6: (x: Tensor): Tensor => F.relu6(x),
  leaky_relu: (x: Tensor): Tensor => F.leakyRelu(x),
  silu,
  swish: silu,
  mish: (x: Tensor): Tensor => F.mish(x),
  hardswish: (x: Tensor): Tensor => F.hardswish(x),
  sigmoid: (x: Tensor): Tensor => x.sigmoid(),
  tanh: (x: Tensor): Tensor => x.tanh(),
  linear: (x: Tensor): Tensor => x,
} as const satisfies Record<string, Fn>;

/** Of transformers: 'gelu' by erf, 'gelu_new' by tanh, 'relu', 'silu', …; some have several names. */
export type Activation = keyof typeof ACTIVATIONS;

export const ACTIVATION_NAMES: readonly string[] = Object.keys(ACTIVATIONS);

export function activationNamed(call: string, option: string, name: Activation): Fn {
  checkChoice(call, option, name, ACTIVATION_NAMES);
  return ACTIVATIONS[name];
}
