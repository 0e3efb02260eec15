// Stages that follow each other without a barrier. What a thread reads of the stage before is often what it has written
// itself: rows of a batch, step after step of a recurrent network. Such stages become one, whose calls every thread
// makes in order. They need a barrier between them only where one thread may write what another one reads or writes.
// Where indices are checked, there is a barrier between the last check and the first update of what was given.
// Input: the kernels and stages of a program, and the threads that run it (all of them, or one alone). Output: stages.

import { type Sharing, Accesses, Touched } from './accesses.js';
import type { KernelCall, KernelFunction, Stage } from '../../loop/loop.js';
import { cutStage } from './cache-blocking.js';

/** Calls in one stage: more are seldom worth comparing. */
const MOST_CALLS = 512;

export function joinStages(
  kernels: readonly KernelFunction[],
  stages: readonly (readonly KernelCall[])[],
  sharing: Sharing,
): Stage[] {
  const accesses = new Accesses(kernels, sharing.overwrites, sharing.threads);
  const joined: KernelCall[][] = [];
  let before = new Touched();
  /** The stage of the last check. */
  let checked = -1;
  for (const calls of stages) {
    // Those of one stage are independent of each other: some may join where others have to wait.
    const last = joined[joined.length - 1];
    const waiting: KernelCall[] = [];
    const touched = new Touched();
    for (const call of calls) {
      const own = accesses.of(call);
      const isEarly = sharing.updates?.has(call) === true && checked === joined.length - 1;
      const canJoin =
        last !== undefined && last.length < MOST_CALLS && !isEarly && !own.some((a) => before.hasToWait(a));
      if (canJoin) last.push(call);
      else waiting.push(call);
      (canJoin ? before : touched).add(own);
      if (sharing.checks?.has(call) === true) checked = joined.length - (canJoin ? 1 : 0);
    }
    if (waiting.length === 0) continue;
    joined.push(waiting);
    before = touched;
  }
  return joined.map((calls, i) => ({
    calls,
    parts: cutStage(kernels, calls, sharing),
    isLastCheck: i === checked && sharing.updates !== undefined && sharing.updates.size > 0,
  }));
}
