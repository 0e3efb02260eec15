// Which parts of a stretch of memory are taken: the bookkeeping of the heap, without the memory.
// A two-level segregated-fit allocator (Masmano et al., TLSF, 2004): free blocks hang in lists by size class, two levels
// of bitmaps find the first list with a block that is large enough, neighbours that are free merge at once. All
// operations are O(1). Requests are rounded up to their size class (at most 3 %), so any block of a class fits.
// Input: sizes in units; output: block numbers. It must not know what a unit is or what the blocks hold.

const SUBDIVISIONS = 32; // size classes for each power of two
const SHIFT = 5; // log2(SUBDIVISIONS)
const LEVELS = 32 - SHIFT;
const NONE = -1;

/** Lower bound of the size class that holds all sizes up to the next class. */
function classOf(units: number): number {
  if (units < SUBDIVISIONS) return units;
  const level = 31 - Math.clz32(units);
  return ((level - SHIFT + 1) << SHIFT) + ((units >>> (level - SHIFT)) & (SUBDIVISIONS - 1));
}

/** The size that a request for `units` really takes: the smallest lower bound of a class that is no less. */
export function roundToClass(units: number): number {
  if (units < SUBDIVISIONS) return Math.max(units, 1);
  const grain = 1 << (31 - Math.clz32(units) - SHIFT);
  return Math.ceil(units / grain) * grain;
}

export class Blocks {
  /** First free block of each size class, and one bit for each class and each level that has one. */
  readonly #heads = new Int32Array(LEVELS * SUBDIVISIONS).fill(NONE);
  readonly #classBits = new Int32Array(LEVELS);
  #levelBits = 0;

  // One record for each block, taken or free, in parallel arrays indexed by block number.
  #start = new Int32Array(256);
  #size = new Int32Array(256);
  #before = new Int32Array(256); // neighbours in memory
  #after = new Int32Array(256);
  #previous = new Int32Array(256); // neighbours in the free list
  #next = new Int32Array(256);
  #taken = new Uint8Array(256);
  readonly #spare: number[] = []; // numbers of records not in use
  #records = 0;
  #last = NONE; // the block with the highest address

  /** Manages units `from` … `to` - 1. */
  constructor(from: number, to: number) {
    this.#last = this.#newRecord(from, to - from);
    this.#link(this.#last);
  }

  start(block: number): number {
    return this.#start[block]!;
  }

  size(block: number): number {
    return this.#size[block]!;
  }

  /** Units free at the very end, where `extend` would add more. */
  get freeAtEnd(): number {
    return this.#taken[this.#last] ? 0 : this.#size[this.#last]!;
  }

  /** A block of at least `units`, or undefined when no free block is large enough. */
  take(units: number): number | undefined {
    const wanted = roundToClass(units);
    const block = this.#find(classOf(wanted));
    if (block === NONE) return undefined;
    this.#unlink(block);
    if (this.#size[block]! > wanted) this.#split(block, wanted);
    this.#taken[block] = 1;
    return block;
  }

  give(block: number): void {
    this.#taken[block] = 0;
    const before = this.#before[block]!;
    const after = this.#after[block]!;
    if (after !== NONE && !this.#taken[after]) {
      this.#unlink(after);
      this.#absorb(block, after);
    }
    if (before !== NONE && !this.#taken[before]) {
      this.#unlink(before);
      this.#absorb(before, block);
      this.#link(before);
    } else {
      this.#link(block);
    }
  }

  /** More units at the end. */
  extend(units: number): void {
    if (units === 0) return;
    const last = this.#last;
    const added = this.#newRecord(this.#start[last]! + this.#size[last]!, units);
    this.#before[added] = last;
    this.#after[last] = added;
    this.#last = added;
    this.#taken[added] = 1;
    this.give(added);
  }

  /** All blocks in address order: for tests and for a look at fragmentation. */
  *list(): Generator<{ start: number; size: number; taken: boolean }> {
    let block = this.#last;
    while (this.#before[block] !== NONE) block = this.#before[block]!;
    for (; block !== NONE; block = this.#after[block]!) {
      yield { start: this.#start[block]!, size: this.#size[block]!, taken: this.#taken[block] === 1 };
    }
  }

  #find(wantedClass: number): number {
    let level = wantedClass >>> SHIFT;
    let bits = this.#classBits[level]! & (-1 << (wantedClass & (SUBDIVISIONS - 1)));
    if (bits === 0) {
      const levels = this.#levelBits & (-2 << level);
      if (levels === 0) return NONE;
      level = 31 - Math.clz32(levels & -levels);
      bits = this.#classBits[level]!;
    }
    return this.#heads[(level << SHIFT) + 31 - Math.clz32(bits & -bits)]!;
  }

  /** Cuts the front `units` off a free, unlinked block; the rest becomes a free block of its own. */
  #split(block: number, units: number): void {
    const rest = this.#newRecord(this.#start[block]! + units, this.#size[block]! - units);
    const after = this.#after[block]!;
    this.#size[block] = units;
    this.#before[rest] = block;
    this.#after[rest] = after;
    this.#after[block] = rest;
    if (after === NONE) this.#last = rest;
    else this.#before[after] = rest;
    this.#link(rest);
  }

  /** Joins `other`, the right neighbour of `block`, to it. */
  #absorb(block: number, other: number): void {
    const after = this.#after[other]!;
    this.#size[block] = this.#size[block]! + this.#size[other]!;
    this.#after[block] = after;
    if (after === NONE) this.#last = block;
    else this.#before[after] = block;
    this.#spare.push(other);
  }

  #link(block: number): void {
    const index = classOf(this.#size[block]!);
    const level = index >>> SHIFT;
    const head = this.#heads[index]!;
    this.#previous[block] = NONE;
    this.#next[block] = head;
    if (head !== NONE) this.#previous[head] = block;
    this.#heads[index] = block;
    this.#classBits[level] = this.#classBits[level]! | (1 << (index & (SUBDIVISIONS - 1)));
    this.#levelBits |= 1 << level;
  }

  #unlink(block: number): void {
    const next = this.#next[block]!;
    const previous = this.#previous[block]!;
    if (next !== NONE) this.#previous[next] = previous;
    if (previous !== NONE) {
      this.#next[previous] = next;
      return;
    }
    const index = classOf(this.#size[block]!);
    this.#heads[index] = next;
    if (next !== NONE) return;
    const level = index >>> SHIFT;
    this.#classBits[level] = this.#classBits[level]! & ~(1 << (index & (SUBDIVISIONS - 1)));
    if (this.#classBits[level] === 0) this.#levelBits &= ~(1 << level);
  }

  #newRecord(start: number, size: number): number {
    const block = this.#spare.pop() ?? this.#records++;
    if (block === this.#start.length) this.#growRecords();
    this.#start[block] = start;
    this.#size[block] = size;
    this.#before[block] = NONE;
    this.#after[block] = NONE;
    this.#taken[block] = 0;
    return block;
  }

  #growRecords(): void {
    const grow = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const array = new Int32Array(old.length * 2);
      array.set(old);
      return array;
    };
    this.#start = grow(this.#start);
    this.#size = grow(this.#size);
    this.#before = grow(this.#before);
    this.#after = grow(this.#after);
    this.#previous = grow(this.#previous);
    this.#next = grow(this.#next);
    const taken = new Uint8Array(this.#taken.length * 2);
    taken.set(this.#taken);
    this.#taken = taken;
  }
}
