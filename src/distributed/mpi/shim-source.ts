// The C program between nabla and MPI. It is compiled on the machine where it runs, since what the types of mpi.h are differs between
// Open MPI and MPICH. One thread of its own makes all calls of MPI, so that any level of thread support will do: it takes jobs from a
// queue, in the order in which they are started, and whoever needs a result waits for its number.
//   The same thread watches: processes of the job on this machine that die, collectives that take longer than the time limit,
//   and SIGTERM, with which launchers end what a dead rank has left.
// Collectives are the non-blocking ones, and sums of many numbers are messages, asked again and again, so that a wait can end with a reason instead of never.
// It knows bytes, element types and ranks; nothing of tensors.

import { EXTREMES } from './shim/extremes.js';
import { INTERFACE } from './shim/interface.js';
import { JOBS } from './shim/jobs.js';
import { LIVENESS } from './shim/liveness.js';
import { STATE } from './shim/state.js';
import { SUMS } from './shim/sums.js';
import { THREAD } from './shim/thread.js';
import { WAITING } from './shim/waiting.js';

/** Kinds of jobs, as in the program below. */
export const JOB = { barrier: 0, allReduce: 1, broadcast: 2, allGather: 3, reduceScatter: 4, gather: 5 } as const;
/** Element types. */
export const ELEMENT = { byte: 0, int32: 1, float32: 2, float64: 3 } as const;
/** How numbers are combined: a mean is a sum that is multiplied by 1 / ranks, each number once. */
export const COMBINE = { sum: 0, min: 1, max: 2, mean: 3 } as const;
/** How a job ended. */
export const STATUS = { done: 0, fault: 1, late: 2, died: 3 } as const;

/** Each part uses those before it. */
export const SHIM_SOURCE = [STATE, LIVENESS, WAITING, SUMS, JOBS, EXTREMES, THREAD, INTERFACE].join('');
