// The error of everything that concerns several processes.

import { NablaError } from '../tensor/library.js';

/**
 * Processes that train together cannot go on: there is no MPI, one of them has died or hangs, or they disagree. `rank` is the process
 * that found it.
 */
export class DistributedError extends NablaError {
  override name = 'DistributedError';
  readonly rank: number | undefined;
  /** It is on standard error already, said by one process for all. */
  readonly isTold: boolean;
  constructor(message: string, rank?: number, isTold = false) {
    super(message);
    this.rank = rank;
    this.isTold = isTold;
  }
}
