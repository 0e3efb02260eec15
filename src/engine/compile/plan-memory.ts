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
  const placed: number[] = [];
  let total = 0;
  for (const i of order) {
    const block = blocks[i];
    const size = Math.ceil((block.bytes + GAP) / ALIGN) * ALIGN;
    const rivals = placed
      .filter((j) => blocks[j].from <= block.to && block.from <= blocks[j].to)
      .sort((a, b) => offsets[a] - offsets[b]);
    let at = 0;
    for (const j of rivals) {
      if (offsets[j] - at >= size) break;
      at = Math.max(at, offsets[j] + Math.ceil((blocks[j].bytes + GAP) / ALIGN) * ALIGN);
    }
    offsets[i] = at;
    placed.push(i);
    total = Math.max(total, at + size);
  }
  return { offsets, bytes: total };
}
