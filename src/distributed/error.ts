// The error of everything that concerns several processes.

import { NablaError } from '../tensor/library.js';

/**
 * Processes that train together cannot go on: there is no MPI, one of them has died or hangs, or they disagree. `rank` is the process
 * that found it.
 */
export class DistributedError extends NablaError {
  override name = 'DistributedError';
  readonly rank: number | undefined;
  constructor(message: string, rank?: number) {
    super(message);
    this.rank = rank;
  }
}
