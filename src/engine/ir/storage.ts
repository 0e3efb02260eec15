// A storage is a block of numbers that lives on a device: an input, a parameter, optimiser state, a realised result.
// Its version counts overwrites; a graph node remembers the version it was built on, which is how stale reads are found.
// What `buffer` is, only the device knows.

import type { DType } from './dtype.js';
import type { Shape } from './shape.js';

export interface Storage {
  readonly id: number;
  readonly device: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly size: number;
  version: number;
  /** The device's handle; null once it was freed. */
  buffer: unknown;
  /** The device that made the buffer: not the one of this name any more when devices were disposed of. */
  owner: object | undefined;
  /** Gradients flow to this storage (a parameter, or any leaf with requiresGrad). */
  requiresGrad: boolean;
  /** Shown in errors and printed graphs. */
  name: string | undefined;
  /** Why there are no numbers in it, if the run that should have written them has failed. */
  failure: Error | undefined;
}

let nextId = 1;

export function createStorage(
  device: string,
  dtype: DType,
  shape: Shape,
  size: number,
  buffer: unknown,
  requiresGrad = false,
): Storage {
  return {
    id: nextId++,
    device,
    dtype,
    shape,
    size,
    version: 0,
    buffer,
    owner: undefined,
    requiresGrad,
    name: undefined,
    failure: undefined,
  };
}
