// Stages that follow each other without a barrier. What a thread reads of the stage before is often what it has written
// itself: rows of a batch, step after step of a recurrent network. Such stages become one, whose calls every thread
// makes in order.
// Two calls need a barrier between them where one thread may write what another one reads or writes.
// Input: a program, and the threads that run it (all of them, or one alone). Output: its stages.

import { type Interval, type Touch, footprint, hull, isEmpty, overlap } from '../loop/footprint.js';
import { type Buffer, ERROR_WORD, type KernelCall, type KernelFunction, type Slot } from '../loop/loop.js';

/** What a call touches of one operand, in bytes of the arena or of an argument: in all, and each thread. */
interface Access {
  readonly slot: Slot;
  readonly whole: Touch;
  readonly ofThread: readonly Touch[];
}

/** Calls in one stage: more are seldom worth comparing. */
const MOST_CALLS = 512;

export function joinStages(
  kernels: readonly KernelFunction[],
  stages: readonly (readonly KernelCall[])[],
  threads: number,
): KernelCall[][] {
  const joined: KernelCall[][] = [];
  const footprints = kernels.map((k) => Array.from({ length: threads }, (_, tid) => footprint(k, tid, threads)));
  let before: Access[] = [];
  for (const calls of stages) {
    const own = calls.flatMap((c) => accessesOf(c, kernels[c.kernel], footprints[c.kernel]));
    const last = joined[joined.length - 1];
    const canJoin =
      last !== undefined &&
      last.length + calls.length <= MOST_CALLS &&
      !own.some((a) => before.some((b) => haveToWait(a, b)));
    if (canJoin) {
      last.push(...calls);
      before.push(...own);
    } else {
      joined.push([...calls]);
      before = own;
    }
  }
  return joined;
}

function accessesOf(
  { slots }: KernelCall,
  { buffers }: KernelFunction,
  threads: readonly ReadonlyMap<Buffer, Touch>[],
): Access[] {
  return buffers.flatMap((buffer, i): Access[] => {
    const slot = slots[i];
    if (slot.kind === 'argument' && slot.index === ERROR_WORD) return [];
    const ofThread = threads.map((touched) => inBytes(touched.get(buffer), slot.offset ?? 0));
    const whole = ofThread.reduce((a, b) => ({ read: hull(a.read, b.read), written: hull(a.written, b.written) }));
    return isEmpty(whole.read) && isEmpty(whole.written) ? [] : [{ slot, whole, ofThread }];
  });
}

const NONE: Interval = { from: Infinity, to: -Infinity };

function inBytes(touch: Touch | undefined, offset: number): Touch {
  if (touch === undefined) return { read: NONE, written: NONE };
  const shifted = ({ from, to }: Interval): Interval => ({ from: offset + 4 * from, to: offset + 4 * to + 3 });
  return { read: shifted(touch.read), written: shifted(touch.written) };
}

/** May one thread's part of `a` and another one's of `b` be the same memory, which one of them writes? */
function haveToWait(a: Access, b: Access): boolean {
  if (!conflict(a.whole, b.whole, isSameBase(a.slot, b.slot))) return false;
  const sameBase = isSameBase(a.slot, b.slot);
  return a.ofThread.some((x, s) => b.ofThread.some((y, t) => s !== t && conflict(x, y, sameBase)));
}

/** Arguments may overlap in any way: an output can lie where an input does. */
function isSameBase(a: Slot, b: Slot): boolean | 'perhaps' {
  if (a.kind !== b.kind) return false;
  return a.kind === 'arena' || (b.kind === 'argument' && a.index === b.index) ? true : 'perhaps';
}

function conflict(a: Touch, b: Touch, sameBase: boolean | 'perhaps'): boolean {
  if (sameBase === false) return false;
  const meet = (x: Interval, y: Interval): boolean => (sameBase === true ? overlap(x, y) : !isEmpty(x) && !isEmpty(y));
  return meet(a.written, b.written) || meet(a.written, b.read) || meet(a.read, b.written);
}
