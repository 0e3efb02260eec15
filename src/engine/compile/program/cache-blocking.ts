// Calls of one stage that walk the same large arrays, one after the other, would each bring them from memory again. Cut into
// parts that fit into the cache, and all calls made for one part before the next, they find there what the call before has
// read or written: a normalisation, its gradient, and the sums of both over the rows.
// A part is the share of a thread among more threads than there are, so kernels know nothing of it.
// Input: kernels, the calls of a stage, and who shares them. Output: the number of parts of each thread's share.

import type { KernelCall, KernelFunction } from '../../loop/loop.js';
import { Accesses, type Access, Touched, type Sharing } from './accesses.js';

/** Parts are at most so many: each is a call of every kernel. */
const MOST_PARTS = 64;
/** Calls whose parts are compared, each with all before it. */
const MOST_CALLS = 512;

export function cutStage(kernels: readonly KernelFunction[], calls: readonly KernelCall[], sharing: Sharing): number {
  if (calls.length < 2 || calls.length > MOST_CALLS || !calls.every((c) => kernels[c.kernel].isDivisible)) return 1;
  const { threads, cacheBytes, overwrites } = sharing;
  const whole = new Accesses(kernels, overwrites, 1);
  const [bytes, again] = volume(calls.map((c) => whole.of(c)));
  if (again < threads * cacheBytes) return 1;
  let parts = 2;
  while (parts < MOST_PARTS && bytes / threads / parts > cacheBytes / 2) parts *= 2;
  // Alone, one thread makes them all.
  const isPossible = (n: number) =>
    [n, n * threads].every((shares) => isIndependent(kernels, calls, overwrites, shares));
  while (parts > 1 && !isPossible(parts)) parts /= 2;
  return parts;
}

/** Bytes of all arrays, and of those that a call touches after another one. */
function volume(calls: readonly (readonly Access[])[]): [bytes: number, again: number] {
  const seen = new Map<string, number>();
  let [bytes, again] = [0, 0];
  for (const accesses of calls) {
    const own = new Map<string, number>();
    for (const { base, whole } of accesses) {
      const from = Math.min(whole.read.from, whole.written.from);
      const size = Math.max(whole.read.to, whole.written.to) + 1 - from;
      const key = `${base} ${from}`;
      if (Number.isFinite(size)) own.set(key, Math.max(size, own.get(key) ?? 0));
    }
    for (const [key, size] of own) {
      const before = seen.get(key);
      if (before === undefined) bytes += size;
      else again += Math.min(size, before);
      seen.set(key, Math.max(size, before ?? 0));
    }
  }
  return [bytes, again];
}

/** Does no share need what another one makes? */
function isIndependent(
  kernels: readonly KernelFunction[],
  calls: readonly KernelCall[],
  overwrites: ReadonlyMap<number, number>,
  shares: number,
): boolean {
  const accesses = new Accesses(kernels, overwrites, shares);
  const before = new Touched();
  for (const call of calls) {
    const own = accesses.of(call);
    if (own.some((a) => before.hasToWait(a))) return false;
    before.add(own);
  }
  return true;
}
