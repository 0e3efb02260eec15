// The modules that a probe looks at: those without parts, which do the computing.

import type { Module } from '../../nn/module.js';
import { isFloat } from '../../tensor/library.js';
import { Tensor } from '../../tensor/tensor.js';

export interface Leaf {
  readonly name: string;
  readonly kind: string;
  readonly module: Module;
}

/** Modules without parts that have a `forward`, in the order of their fields: mostly that of their calls. */
export function leavesOf(model: Module): Leaf[] {
  return model
    .namedModules()
    .filter(([, module]) => module.namedModules().length === 1 && hasForward(module))
    .map(([name, module]) => ({
      name: name === '' ? module.constructor.name : name,
      kind: module.constructor.name,
      module,
    }));
}

function hasForward(module: Module): boolean {
  return typeof (module as { forward?: unknown }).forward === 'function';
}

/** Layers whose meaning depends on the mode. */
export function dependsOnMode({ kind }: Leaf): boolean {
  return /Dropout|BatchNorm/.test(kind);
}

export function isBatchNorm({ kind }: { readonly kind: string }): boolean {
  return kind.startsWith('BatchNorm');
}

/** Layers with weights that add up many inputs: the end of each is where gradients are compared. */
export function isWeighted({ kind }: { readonly kind: string }): boolean {
  return /^(Linear|Bilinear|Conv\w*|DepthwiseSeparableConv2d)$/.test(kind);
}

/** The first tensor of real numbers of what a `forward` took or gave. */
export function firstFloat(values: unknown): Tensor | undefined {
  if (values instanceof Tensor) return isFloat(values.dtype) ? values : undefined;
  if (!Array.isArray(values)) return undefined;
  for (const value of values) {
    const found = firstFloat(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
