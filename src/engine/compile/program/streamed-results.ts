// Large results that a program makes and does not read again: most of them leaves the cache before anybody looks at it. So they are written
// past the cache, which has not to read the lines first that are overwritten as a whole: a third less goes through memory for a sum of two
// arrays. Which results, is said here; only emitters that know such an instruction do it.
// Input: kernels, and the stages that call them. Output: the kernels, with the buffers that are written like that.

import { NOTHING, footprint, isEmpty } from '../../loop/footprint.js';
import { type Buffer, ELEMENT_BYTES, type KernelFunction, type Slot, type Stage, type Stmt } from '../../loop/loop.js';

/** Of these a cache keeps little for whoever comes next. */
const LEAST_BYTES = 8 << 20;

export interface Results {
  /** The word of the argument table with the first result. */
  readonly first: number;
  /** Words of results that are the memory of an input. */
  readonly overwrites: ReadonlyMap<number, number>;
  /** Lanes of a whole vector: narrower ones fill no lines. */
  readonly lanes: number;
}

export function streamResults(
  kernels: readonly KernelFunction[],
  stages: readonly Stage[],
  results: Results,
): readonly KernelFunction[] {
  if (!kernels.some((kernel) => kernel.buffers.some(isLarge))) return kernels;
  const slots = new Map<KernelFunction, Slot[][]>();
  for (const { kernel, slots: own } of stages.flatMap(({ calls }) => calls))
    slots.set(kernels[kernel], [...(slots.get(kernels[kernel]) ?? []), [...own]]);
  const read = new Set<number>();
  for (const [kernel, calls] of slots) {
    const touched = footprint(kernel, 1);
    kernel.buffers.forEach((buffer, i) => {
      if (isEmpty(touched.get(buffer)?.read ?? NOTHING)) return;
      for (const call of calls) if (call[i].kind === 'argument') read.add(call[i].index);
    });
  }
  const { first, overwrites, lanes } = results;
  const isUnread = (slot: Slot): boolean =>
    slot.kind === 'argument' && slot.index >= first && !overwrites.has(slot.index) && !read.has(slot.index);
  const made = new Map<KernelFunction, KernelFunction>();
  for (const [kernel, calls] of slots) {
    const streamed = kernel.buffers.filter(
      (buffer, i) =>
        isLarge(buffer) && calls.every((call) => isUnread(call[i])) && fillsLines(kernel.body, buffer, lanes),
    );
    if (kernel.isDivisible && streamed.length > 0) made.set(kernel, { ...kernel, streamed });
  }
  return kernels.map((kernel) => made.get(kernel) ?? kernel);
}

function isLarge({ type, size }: Buffer): boolean {
  return (type === 'f32' || type === 'i32') && size * ELEMENT_BYTES[type] >= LEAST_BYTES;
}

/** Is it written in whole vectors, but for what is left at the ends? */
function fillsLines(body: readonly Stmt[], buffer: Buffer, lanes: number): boolean {
  const found = new Set<number>();
  const walk = (list: readonly Stmt[]): void => {
    for (const s of list) {
      if (s.kind === 'store' && s.buffer === buffer) found.add(s.value.lanes);
      else if (s.kind === 'for') walk(s.body);
      else if (s.kind === 'if') {
        walk(s.then);
        walk(s.else);
      }
    }
  };
  walk(body);
  found.delete(1);
  return found.size === 1 && found.has(lanes);
}
