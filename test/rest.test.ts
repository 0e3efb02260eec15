// When the engine asks the garbage collector to return results: not for those that were freed by hand.
import { afterAll, expect, test, vi } from 'vitest';

const gc = vi.fn<() => void>();
Object.assign(globalThis, { gc }); // before the engine looks for it
const { compile, setDevice, tensor } = await import('../src/index.js');

setDevice('cpu');
afterAll(() => Reflect.deleteProperty(globalThis, 'gc'));

const MIB = 1 << 20;
const LIMIT = 128 * MIB;
const double = compile((x: ReturnType<typeof tensor>) => x.add(x));

/** Runs until results of so many bytes have been made; frees them by hand or lets them go. */
async function results(bytes: number, free: boolean): Promise<void> {
  const x = tensor(new Float32Array(2 * MIB));
  for (let made = 0; made < bytes; made += 8 * MIB) {
    const y = await double(x);
    if (free) y[Symbol.dispose]();
  }
  x[Symbol.dispose]();
}

test('results that are let go are collected after 128 MiB, results freed by hand need no collection', async () => {
  await results(4 * LIMIT, true);
  expect(gc).toHaveBeenCalledTimes(0);
  await results(2 * LIMIT, false);
  expect(gc).toHaveBeenCalledTimes(2);
});

test('freeing what is older than the last collection does not put the next one off', async () => {
  const old = Array.from({ length: 8 }, () => tensor(new Float32Array(2 * MIB)));
  await results(2 * LIMIT, false);
  gc.mockClear();
  for (const t of old) t[Symbol.dispose]();
  await results(LIMIT + 8 * MIB, false);
  expect(gc).toHaveBeenCalledTimes(1);
});
