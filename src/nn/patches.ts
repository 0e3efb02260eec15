// Patches of images as columns, and back, as modules.

import { fold, PATCH_OPTIONS, type PatchOptions, unfold } from '../functions/patches.js';
import { checkOptions } from '../tensor/library.js';
import type { PerAxis } from '../tensor/shape-types/window.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { checkCount, perAxis } from './layer.js';
import { Module } from './module.js';

function checkSizes(name: string, what: string, sizes: PerAxis): void {
  for (const size of perAxis(sizes, 2, `${name}: ${what}`)) checkCount(size, 1, `${name}: ${what}`);
}

/** [N, C, H, W] → [N, C·kh·kw, L]: `unfold` with its arguments. PyTorch: nn.Unfold. */
export class Unfold extends Module {
  readonly kernelSize: PerAxis;
  readonly options: PatchOptions | undefined;

  constructor(kernelSize: PerAxis, options?: PatchOptions) {
    super();
    checkSizes('Unfold', 'kernelSize', kernelSize);
    checkOptions('Unfold', options, PATCH_OPTIONS);
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: AnyTensor): Tensor<number[]> {
    return unfold(x, this.kernelSize, this.options);
  }
}

/** [N, C·kh·kw, L] → [N, C, H, W]: `fold` with its arguments. PyTorch: nn.Fold. */
export class Fold extends Module {
  readonly outputSize: readonly [number, number];
  readonly kernelSize: PerAxis;
  readonly options: PatchOptions | undefined;

  constructor(outputSize: readonly [number, number], kernelSize: PerAxis, options?: PatchOptions) {
    super();
    checkSizes('Fold', 'outputSize', outputSize);
    checkSizes('Fold', 'kernelSize', kernelSize);
    checkOptions('Fold', options, PATCH_OPTIONS);
    this.outputSize = outputSize;
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: AnyTensor): Tensor<number[]> {
    return fold(x, this.outputSize, this.kernelSize, this.options);
  }
}
