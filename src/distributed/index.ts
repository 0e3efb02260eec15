// The public surface of `nabla/distributed`. Node only.

export { DataParallel, type DataParallelOptions } from './data-parallel.js';
export { DistributedError } from './error.js';
export { findInstallation, type MpiInstallation } from './mpi/find.js';
export { init, type InitOptions, type Result, World } from './world.js';
export type { Combination, Exchangeable, HostArray } from './values.js';
export type { Transport } from './transport.js';
export { convertSyncBatchNorm } from './sync-batch-norm.js';
export { type StatefulOptimizer, ZeroRedundancyOptimizer } from './zero.js';
