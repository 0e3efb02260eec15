// A storage is a block of numbers that lives on a device: an input, a parameter, optimiser state, a realised result.
// Its version counts overwrites; a graph node remembers the version it was built on, which is how stale reads are found.
// What `buffer` is, only the device knows.

import type { DType } from './dtype.js';
import type { Shape } from './shape.js';

/** Numbers that nobody has needed so far. */
export interface FirstNumbers {
  /** The same ones at each call. */
  readonly make: () => ArrayLike<number>;
  /** A graph reads them: what they are must not change any more. */
  isRead: boolean;
}

export interface Storage {
  readonly id: number;
  readonly device: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly size: number;
  version: number;
  /** The device's handle; null once it was freed, undefined as long as nobody has needed the numbers. */
  buffer: unknown;
  /** The device that made the buffer: not the one of this name any more when devices were disposed of. */
  owner: object | undefined;
  /** Gradients flow to this storage (a parameter, or any leaf with requiresGrad). */
  requiresGrad: boolean;
  /** Shown in errors and printed graphs. */
  name: string | undefined;
  /** The storage whose buffer this one uses, too: it stands for an argument of a recorded call, or is a part of it. */
  base: Storage | undefined;
  /** Why the numbers must not be used any more, though they are there. */
  expired: (() => string | undefined) | undefined;
  /** Why there are no numbers in it, if the run that should have written them has failed. */
  failure: Error | undefined;
  /** What it begins with, until it is written to the device. */
  first: FirstNumbers | undefined;
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
    shape: Object.isFrozen(shape) ? shape : Object.freeze([...shape]),
    size,
    version: 0,
    buffer,
    owner: undefined,
    requiresGrad,
    name: undefined,
    base: undefined,
    expired: undefined,
    failure: undefined,
    first: undefined,
  };
}

/** Another storage with the same buffer, for a graph that must tell the two apart. */
export function standIn(base: Storage): Storage {
  const { device, dtype, shape, size, buffer, requiresGrad } = base;
  const storage = createStorage(device, dtype, shape, size, buffer, requiresGrad);
  storage.owner = base.owner;
  storage.base = base;
  storage.name = base.name;
  return storage;
}
