// The heap's allocator: properties over random histories, steady state, limits.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OutOfMemoryError } from '../../ir/errors.js';
import { Blocks, roundToClass } from './blocks.js';
import { type Block, Heap, SLACK } from './heap.js';

const MIB = 1 << 20;
const makeHeap = (limitBytes?: number): Heap => new Heap({ shared: false, limitBytes, reservedBytes: 4096 });

/** The stretches cover the heap without gap or overlap, and no two free ones touch. */
function checkLayout(heap: Heap): void {
  const layout = heap.layout();
  for (const [i, { start, size, taken }] of layout.entries()) {
    expect(size).toBeGreaterThan(0);
    const next = layout[i + 1];
    if (next) {
      expect(start + size).toBe(next.start);
      expect(taken || next.taken).toBe(true);
    } else {
      expect(start + size).toBe(heap.memory.buffer.byteLength - SLACK);
    }
  }
}

describe('random histories', () => {
  const step = fc.oneof(
    fc.record({ size: fc.oneof(fc.nat(300), fc.nat(200_000), fc.nat(3 * MIB)) }),
    fc.record({ free: fc.nat() }),
  );

  test('blocks are aligned and apart, keep their contents, and merge into one when all are freed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const heap = makeHeap();
        const live: { block: Block; mark: number }[] = [];
        let mark = 0;
        for (const one of steps) {
          if ('size' in one) {
            const block = heap.allocate(one.size, 'tensor t');
            expect(block.address % 64).toBe(0);
            expect(block.address).toBeGreaterThanOrEqual(4096);
            expect(block.byteLength).toBe(one.size);
            heap.u8.fill(++mark & 255, block.address, block.address + one.size);
            live.push({ block, mark });
          } else if (live.length > 0) {
            const [{ block, mark: expected }] = live.splice(one.free % live.length, 1) as [(typeof live)[0]];
            const bytes = heap.u8.subarray(block.address, block.address + block.byteLength);
            expect(bytes.every((byte) => byte === (expected & 255))).toBe(true);
            heap.free(block);
          }
        }
        checkLayout(heap);
        const { usedBytes, buffers } = heap.statistics();
        expect(buffers).toBe(live.length);
        expect(usedBytes).toBe(heap.layout().reduce((sum, { size, taken }) => sum + (taken ? size : 0), 0));
        for (const { block } of live) heap.free(block);
        expect(heap.layout()).toEqual([
          { start: SLACK, size: heap.memory.buffer.byteLength - 2 * SLACK, taken: false },
        ]);
        expect(heap.statistics().usedBytes).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

test('rounding to a size class wastes at most 1/32', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 26 }), (units) => {
      const rounded = roundToClass(units);
      expect(rounded).toBeGreaterThanOrEqual(units);
      expect(rounded).toBeLessThanOrEqual(units * (1 + 1 / 32));
      expect(roundToClass(rounded)).toBe(rounded);
      const blocks = new Blocks(0, rounded); // a block of just this size is found
      expect(blocks.take(units)).toBeDefined();
      expect(blocks.take(1)).toBeUndefined();
    }),
  );
});

test('100,000 cycles of allocating and freeing stay flat', () => {
  const heap = makeHeap();
  const live: Block[] = [];
  let state = 1;
  const random = (n: number): number => (state = (state * 48271) % 2147483647) % n;
  let reservedEarly = 0;
  for (let i = 0; i < 100_000; i++) {
    if (live.length >= 50) heap.free(live.splice(random(live.length), 1)[0]!);
    live.push(heap.allocate(4 * (1 + random(2 ** random(18))), 'tensor t'));
    if (i === 20_000) reservedEarly = heap.statistics().reservedBytes;
  }
  expect(heap.statistics().reservedBytes).toBeLessThanOrEqual(reservedEarly * 1.3);
  for (const block of live) heap.free(block);
  expect(heap.layout().length).toBe(1);
});

test('a freed block of the same size is used again', () => {
  const heap = makeHeap();
  for (const size of [0, 1, 64, 1000, 123_456, 3 * MIB + 4]) {
    const first = heap.allocate(size, 'tensor a');
    const wall = heap.allocate(1, 'tensor b');
    heap.free(first);
    expect(heap.allocate(size, 'tensor c').address).toBe(first.address);
    expect(wall.address).toBeGreaterThan(first.address);
  }
});

test('the heap grows to its limit and no further, and says what is in use', () => {
  const heap = makeHeap(16 * MIB);
  const blocks = [1, 2, 3].map((n) => heap.allocate(4 * MIB, `tensor ${n}`));
  const attempt = (): Block => heap.allocate(5 * MIB, 'tensor weight');
  expect(attempt).toThrow(OutOfMemoryError);
  expect(attempt).toThrow(
    'allocate: tensor weight of 5242880 bytes does not fit: 12582912 of 16777216 bytes are in use. Use a smaller batch',
  );
  expect(heap.statistics()).toMatchObject({
    usedBytes: 12 * MIB,
    peakBytes: 12 * MIB,
    limitBytes: 16 * MIB,
    buffers: 3,
  });
  heap.free(blocks[1]!);
  expect(attempt).toThrow(OutOfMemoryError); // a hole of 4 MiB, and less than 4 MiB at the end
  heap.free(blocks[2]!);
  expect(attempt().address).toBe(blocks[1]!.address);
});

test('all of 4 GiB can be used; addresses stay positive', () => {
  const heap = new Heap({ shared: true, reservedBytes: 4096 });
  expect(heap.limitBytes).toBe(2 ** 32);
  const blocks = Array.from({ length: 15 }, (_, i) => heap.allocate(2 ** 28, `tensor ${i}`));
  expect(() => heap.allocate(2 ** 28, 'tensor last')).toThrow(OutOfMemoryError);
  const top = blocks.at(-1)!;
  expect(top.address).toBeGreaterThan(2 ** 31);
  heap.f32[(top.address + top.byteLength) / 4 - 1] = 1.5;
  expect(heap.f32[(top.address + top.byteLength) / 4 - 1]).toBe(1.5);
  for (const block of blocks) heap.free(block);
  expect(heap.layout().length).toBe(1);
});
