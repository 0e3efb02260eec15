// What the calls of a program touch, thread by thread, and whether two of them may be made without waiting in between.
// Input: kernels, calls, and how many threads share them. Output: intervals of bytes, and answers.

import { type Interval, NOTHING, type Touch, footprint, isEmpty, overlap } from '../../loop/footprint.js';
import {
  type Buffer,
  ELEMENT_BYTES,
  ERROR_WORD,
  type KernelCall,
  type KernelFunction,
  type Slot,
} from '../../loop/loop.js';

/** Who shares the work of a program, and what its arguments have to do with each other. */
export interface Sharing {
  readonly threads: number;
  /** Bytes of cache that a thread can count on. */
  readonly cacheBytes: number;
  /** Words of arguments that are the same memory as the argument with another word. */
  readonly overwrites: ReadonlyMap<number, number>;
  /** Calls that check indices, and those that may only be made when all of them are in range. */
  readonly checks?: ReadonlySet<KernelCall>;
  readonly updates?: ReadonlySet<KernelCall>;
}

/** What a call touches of one operand, in bytes of the arena or of an argument: in all, and one thread. */
export interface Access {
  /** Operands with the same base lie in the same memory, those with another one never do. */
  readonly base: number;
  readonly whole: Touch;
  readonly threads: number;
  ofThread(tid: number): Touch;
}

/** The base of all that lies in the arena; an argument's is its word. */
const ARENA = -1;

export class Accesses {
  private readonly kernels: readonly KernelFunction[];
  private readonly overwrites: ReadonlyMap<number, number>;
  private readonly threads: number;
  private readonly footprints = new Map<KernelFunction, Map<number | undefined, ReadonlyMap<Buffer, Touch>>>();

  /** `overwrites`: words of arguments that are the same memory as the argument with another word. */
  constructor(kernels: readonly KernelFunction[], overwrites: ReadonlyMap<number, number>, threads: number) {
    this.kernels = kernels;
    this.overwrites = overwrites;
    this.threads = threads;
  }

  of({ kernel: number, slots }: KernelCall): Access[] {
    const kernel = this.kernels[number];
    return kernel.buffers.flatMap((buffer, i): Access[] => {
      const slot = slots[i];
      if (slot.kind === 'argument' && slot.index === ERROR_WORD) return [];
      const touchOf = (tid?: number) =>
        inBytes(this.footprintOf(kernel, tid).get(buffer), slot.offset ?? 0, ELEMENT_BYTES[buffer.type]);
      const whole = touchOf();
      if (isEmpty(whole.read) && isEmpty(whole.written)) return [];
      return [{ base: this.baseOf(slot), whole, threads: this.threads, ofThread: touchOf }];
    });
  }

  /** Made when it is asked for: most kernels that have to wait show it in their first threads. */
  private footprintOf(kernel: KernelFunction, tid?: number): ReadonlyMap<Buffer, Touch> {
    let own = this.footprints.get(kernel);
    if (own === undefined) this.footprints.set(kernel, (own = new Map()));
    let found = own.get(tid);
    if (found === undefined) own.set(tid, (found = footprint(kernel, this.threads, tid)));
    return found;
  }

  private baseOf(slot: Slot): number {
    return slot.kind === 'arena' ? ARENA : (this.overwrites.get(slot.index) ?? slot.index);
  }
}

function inBytes(touch: Touch | undefined, offset: number, bytes: number): Touch {
  if (touch === undefined) return { read: NOTHING, written: NOTHING };
  const shifted = ({ from, to }: Interval): Interval => ({
    from: offset + bytes * from,
    to: offset + bytes * to + bytes - 1,
  });
  return { read: shifted(touch.read), written: shifted(touch.written) };
}

/** What calls have touched so far. */
export class Touched {
  private readonly byBase = new Map<number, Access[]>();

  add(accesses: readonly Access[]): void {
    for (const a of accesses) {
      const known = this.byBase.get(a.base);
      if (known === undefined) this.byBase.set(a.base, [a]);
      else known.push(a);
    }
  }

  /** Has a call that does `access` to wait for one of them? */
  hasToWait(access: Access): boolean {
    return this.byBase.get(access.base)?.some((b) => haveToWait(access, b)) === true;
  }
}

/** May one thread's part of `a` and another one's of `b` be the same memory, which one of them writes? */
export function haveToWait(a: Access, b: Access): boolean {
  if (a.base !== b.base || !conflict(a.whole, b.whole)) return false;
  for (let s = 0; s < a.threads; s++) {
    for (let t = 0; t < b.threads; t++) if (s !== t && conflict(a.ofThread(s), b.ofThread(t))) return true;
  }
  return false;
}

function conflict(a: Touch, b: Touch): boolean {
  return overlap(a.written, b.written) || overlap(a.written, b.read) || overlap(a.read, b.written);
}
