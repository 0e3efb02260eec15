// More threads than cores, on both tiers: whoever comes does the shares of those that do not, and it makes no difference to
// the numbers. A thread that never comes is simulated by ending its worker.
import { describe, expect, test, vi } from 'vitest';
import { CONTROL } from '../src/engine/device/cpu/threads/control.js';
import { CpuDevice } from '../src/engine/device/cpu/device.js';
import { startThread } from '../src/engine/device/cpu/threads/driver.js';
import type { TierMode } from '../src/engine/device/cpu/settings.js';
import { detectPlatform } from '../src/engine/device/cpu/platform/detect-platform.js';
import { createThread } from '../src/engine/device/cpu/threads/thread.js';
import { registerDevice } from '../src/engine/engine.js';
import { manualSeed, randn, setDevice, tensor } from '../src/index.js';
import { GRU, Linear } from '../src/nn/index.js';
import { stages } from './browser/modules.js';
import { noNative } from './support/tiers.js';

const THREADS = 9;

describe.each<TierMode>(noNative === undefined ? ['wasm', 'native'] : ['wasm'])('%s', (tier) => {
  const name = `crowded ${tier}`;
  registerDevice(name, () => new CpuDevice({ name, tier, threads: THREADS }));

  test(`${THREADS} threads give the same bits again and again`, async () => {
    setDevice(name);
    manualSeed(0);
    const gru = new GRU(16, 48, { batchFirst: true });
    const head = new Linear(48, 8);
    const x = randn([32, 24, 16]);
    const step = () => {
      const [output] = gru.forward(x);
      const loss = head.forward(output).softmax(-1).pow(2).sum();
      loss.backward();
      const slopes = gru.parameters().map((p) => p.grad!.sum());
      gru.zeroGrad();
      head.zeroGrad();
      return loss.add(slopes.reduce((a, b) => a.add(b)));
    };
    const first = await step().item();
    expect(Number.isFinite(first)).toBe(true);
    for (let i = 0; i < 60; i++) {
      // between steps some threads fall asleep, and others are still on their way
      if (i % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      if (i % 5 === 0) expect(await tensor([1, 2, 3]).sum().item()).toBe(6);
      expect(await step().item()).toBe(first);
    }
  }, 60_000);
});

test('a thread that never comes holds nobody up', async () => {
  const threads = 3;
  const maxPages = 16;
  const memory = new WebAssembly.Memory({ initial: 2, maximum: maxPages, shared: true });
  const platform = detectPlatform();
  const code = `const __name = (f) => f; const start = (data, port) => (${startThread})(${createThread}, data, port)`;
  const options = { memory, control: CONTROL, threads, spinMilliseconds: 0.1 };
  const leader = createThread({ ...options, tid: 0 });
  const followers = [1, 2].map((tid) => platform.spawn(code, { ...options, tid }, `thread ${tid}`));
  while (!leader.together()) await new Promise((resolve) => setTimeout(resolve, 1));
  const [table, out, arena, scratch, staging] = [32768, 33024, 33280, 33536, 40960];
  new Int32Array(memory.buffer, table, 2).set([out, 10]);
  leader.load(1, stages({ shared: true, maxPages }), staging);
  const result = (): number => {
    new Int32Array(memory.buffer, out, 1)[0] = 0;
    leader.run(1, table, arena, scratch, 64, staging);
    return new Int32Array(memory.buffer, out, 1)[0]!;
  };
  expect(result()).toBe(33); // 10 + 11 + 12
  await followers[0]!.terminate();
  for (let i = 0; i < 100; i++) expect(result()).toBe(33);
  await followers[1]!.terminate();
  for (let i = 0; i < 100; i++) expect(result()).toBe(33);
}, 30_000);

test('a thread that is held up after a command does not answer the next one', () => {
  const real = Atomics;
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 16, shared: true });
  const words = new Int32Array(memory.buffer, CONTROL.address, CONTROL.words);
  const give = (command: number): void => {
    real.store(words, CONTROL.done, 0);
    real.store(words, CONTROL.operands + CONTROL.line * (command & 1), CONTROL.drop);
    real.store(words, CONTROL.command, command);
  };
  const follower = createThread({ memory, control: CONTROL, tid: 1, threads: 2, spinMilliseconds: 0 });
  // As soon as the answer to the first command can be seen, the leader gives the second one.
  const seen: number[] = [];
  const late: typeof Atomics = Object.create(real, {
    add: {
      value(array: Int32Array, index: number, value: number) {
        if (index === CONTROL.done && seen.length > 0) throw new Error('enough');
        const before = real.add(array, index, value);
        if (index === CONTROL.done) give(2);
        return before;
      },
    },
    load: {
      value(array: Int32Array, index: number) {
        if (index === CONTROL.command && real.load(array, index) === 2) seen.push(real.load(words, CONTROL.done));
        return real.load(array, index);
      },
    },
  });
  give(1);
  vi.stubGlobal('Atomics', late);
  try {
    expect(() => follower.follow()).toThrow('enough');
  } finally {
    vi.unstubAllGlobals();
  }
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.every((done) => done === 0)).toBe(true);
});
