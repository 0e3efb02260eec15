// What the calls of a program touch, thread by thread, and whether two of them may be made without waiting in between.
// Input: kernels, calls, and how many threads share them. Output: intervals of bytes, and answers.

import { type Interval, type Touch, footprint, hull, isEmpty, overlap } from '../loop/footprint.js';
import { type Buffer, ERROR_WORD, type KernelCall, type KernelFunction, type Slot } from '../loop/loop.js';

/** What a call touches of one operand, in bytes of the arena or of an argument: in all, and each thread. */
export interface Access {
  /** Operands with the same base lie in the same memory, those with another one never do. */
  readonly base: number;
  readonly whole: Touch;
  readonly ofThread: readonly Touch[];
}

/** The base of all that lies in the arena; an argument's is its word. */
const ARENA = -1;
const NONE: Interval = { from: Infinity, to: -Infinity };

export class Accesses {
  private readonly kernels: readonly KernelFunction[];
  private readonly overwrites: ReadonlyMap<number, number>;
  private readonly threads: number;
  private readonly footprints = new Map<number, ReadonlyMap<Buffer, Touch>[]>();

  /** `overwrites`: words of arguments that are the same memory as the argument with another word. */
  constructor(kernels: readonly KernelFunction[], overwrites: ReadonlyMap<number, number>, threads: number) {
    this.kernels = kernels;
    this.overwrites = overwrites;
    this.threads = threads;
  }

  of({ kernel, slots }: KernelCall): Access[] {
    const footprints = this.footprintsOf(kernel);
    return this.kernels[kernel].buffers.flatMap((buffer, i): Access[] => {
      const slot = slots[i];
      if (slot.kind === 'argument' && slot.index === ERROR_WORD) return [];
      const ofThread = footprints.map((touched) => inBytes(touched.get(buffer), slot.offset ?? 0));
      const whole = ofThread.reduce((a, b) => ({ read: hull(a.read, b.read), written: hull(a.written, b.written) }));
      return isEmpty(whole.read) && isEmpty(whole.written) ? [] : [{ base: this.baseOf(slot), whole, ofThread }];
    });
  }

  private footprintsOf(kernel: number): readonly ReadonlyMap<Buffer, Touch>[] {
    let found = this.footprints.get(kernel);
    if (found === undefined) {
      found = Array.from({ length: this.threads }, (_, tid) => footprint(this.kernels[kernel], tid, this.threads));
      this.footprints.set(kernel, found);
    }
    return found;
  }

  private baseOf(slot: Slot): number {
    return slot.kind === 'arena' ? ARENA : (this.overwrites.get(slot.index) ?? slot.index);
  }
}

function inBytes(touch: Touch | undefined, offset: number): Touch {
  if (touch === undefined) return { read: NONE, written: NONE };
  const shifted = ({ from, to }: Interval): Interval => ({ from: offset + 4 * from, to: offset + 4 * to + 3 });
  return { read: shifted(touch.read), written: shifted(touch.written) };
}

/** May one thread's part of `a` and another one's of `b` be the same memory, which one of them writes? */
export function haveToWait(a: Access, b: Access): boolean {
  if (a.base !== b.base || !conflict(a.whole, b.whole)) return false;
  return a.ofThread.some((x, s) => b.ofThread.some((y, t) => s !== t && conflict(x, y)));
}

function conflict(a: Touch, b: Touch): boolean {
  return overlap(a.written, b.written) || overlap(a.written, b.read) || overlap(a.read, b.written);
}
