// The error of a sample that could not be made. It names the sample and keeps the cause.

import { NablaError } from '../tensor/library.js';

/** Thrown where making one sample fails. `index` is its position in the dataset, `cause` the original error. */
export class SampleError extends NablaError {
  override name = 'SampleError';
  readonly index: number;
  constructor(index: number, cause: unknown) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    super(`dataset: sample ${index} cannot be made (${reason}).`, { cause });
    this.index = index;
  }
}
