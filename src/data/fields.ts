// What datasets keep in host memory: fields of numbers, and batches of them before they become tensors.

import type { HostRandom } from '../tensor/host-random.js';
import type { Shape } from '../tensor/library.js';

/** Bytes are what images are stored in; they become float32 tensors of the same numbers, 0 to 255. */
export type FieldData = Float32Array | Int32Array | Uint8Array;

/** One field of all items: `data` holds them one after the other, each of the given shape. */
export interface Field<Data extends FieldData = FieldData, S extends Shape = Shape> {
  readonly data: Data;
  readonly shape: S;
}

export type Fields = Readonly<Record<string, Field>>;

/** A batch before it becomes tensors: fresh arrays that may be changed, the batch's size first in each shape. */
export type HostBatch<F extends Fields> = {
  readonly [K in keyof F]: Field<F[K]['data'], readonly [number, ...F[K]['shape']]>;
};

/** Random numbers of the sample at a position. The same position of the same epoch always gets the same ones. */
export type SampleRandom = (position: number) => HostRandom;
