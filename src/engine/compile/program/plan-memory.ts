// Where intermediate results live: every stored node that is not an output gets a place in one arena, and nodes whose
// lifetimes (in stages) do not overlap share it. Largest first, lowest place that fits.
// Input: blocks with sizes and lifetimes. Output: byte offsets and the arena's size.

export interface Block {
  readonly bytes: number;
  /** First and last stage in which the block is in use. */
  readonly from: number;
  readonly to: number;
}

const ALIGN = 64;
/** Blocks are kept apart, since kernels may read a little past either end. */
const GAP = 64;

export function planMemory(blocks: readonly Block[]): { offsets: number[]; bytes: number } {
  const offsets = new Array<number>(blocks.length).fill(0);
  const order = blocks.map((_, i) => i).sort((a, b) => blocks[b].bytes - blocks[a].bytes || a - b);
  const placed: number[] = []; // by offset
  let total = 0;
  for (const i of order) {
    const block = blocks[i];
    const size = sizeOf(block);
    let at = 0;
    for (const j of placed) {
      const rival = blocks[j];
      if (rival.from > block.to || block.from > rival.to) continue;
      if (offsets[j] - at >= size) break;
      at = Math.max(at, offsets[j] + sizeOf(rival));
    }
    offsets[i] = at;
    placed.splice(firstFrom(placed, offsets, at), 0, i);
    total = Math.max(total, at + size);
  }
  return { offsets, bytes: total };
}

/** With the gap, rounded up. */
function sizeOf({ bytes }: Block): number {
  return Math.ceil((bytes + GAP) / ALIGN) * ALIGN;
}

/** Where in `placed` the offsets from `at` on begin. */
function firstFrom(placed: readonly number[], offsets: readonly number[], at: number): number {
  let [low, high] = [0, placed.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offsets[placed[middle]] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
