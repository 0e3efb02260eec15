// Settings made by the program: what is accepted, when, and that they come before the environment.
import { afterEach, expect, test, vi } from 'vitest';
import { ArgumentError, DeviceError, configure, devices, disposeDevices, memoryStats, tensor } from 'nabla';
import { programCache } from './engine.js';

afterEach(async () => {
  vi.unstubAllEnvs();
  await disposeDevices();
  configure({ threads: undefined, heapMB: undefined, programMB: undefined });
});

const threads = () => devices().find(({ name }) => name === 'cpu')?.details['threads'];
const limitMB = () => memoryStats('cpu').limitBytes / 2 ** 20;

test('before the first use it decides threads and heap, whatever the environment says', async () => {
  await disposeDevices();
  vi.stubEnv('NABLA_THREADS', '3');
  vi.stubEnv('NABLA_HEAP_MB', '256');
  expect([threads(), limitMB()]).toEqual([3, 256]);
  await disposeDevices();
  configure({ threads: 2, heapMB: 128 });
  expect([threads(), limitMB()]).toEqual([2, 128]);
  expect(await tensor([1, 2], { device: 'cpu' }).sum().item()).toBe(3);
  await disposeDevices();
  configure({ threads: undefined });
  expect([threads(), limitMB()]).toEqual([3, 128]); // what is left out stays, undefined takes the default back
});

test('while the device is in use it is refused, except for what may change', async () => {
  await disposeDevices();
  tensor([1], { device: 'cpu' });
  for (const late of [{ threads: 2 }, { heapMB: 64 }]) {
    expect(() => configure(late)).toThrow(DeviceError);
    expect(() => configure(late)).toThrow('configure: the cpu device is in use already.');
  }
  configure({ programMB: 16 });
  expect(programCache().limitBytes).toBe(16 << 20);
  configure({ programMB: undefined });
  expect(programCache().limitBytes).toBe(128 << 20);
});

test.each([
  [{ threads: 0 }, 'threads cannot be 0. Pass a whole number from 1 to 256.'],
  [{ threads: 257 }, 'threads cannot be 257.'],
  [{ threads: 1.5 }, 'threads cannot be 1.5.'],
  [{ threads: Number.NaN }, 'threads cannot be NaN.'],
  [{ threads: '4' }, "threads cannot be '4'."],
  [{ threads: null }, 'threads cannot be null.'],
  [{ heapMB: 0 }, 'heapMB cannot be 0. Pass a number of megabytes from 4 to 4096.'],
  [{ heapMB: 5000 }, 'heapMB cannot be 5000.'],
  [{ heapMB: -64 }, 'heapMB cannot be -64.'],
  [{ programMB: 0 }, 'programMB cannot be 0. Pass a positive number of megabytes.'],
  [{ thread: 4 }, "'thread' is no setting. Did you mean threads?"],
  [{ heapMb: 64 }, "'heapMb' is no setting. Did you mean heapMB?"],
  [{ heap: 64 }, "'heap' is no setting. Settings are threads, heapMB, programMB."],
  [{ toString: 1 }, "'toString' is no setting."],
  [4, '4 is no settings. Pass an object such as { threads: 4 }.'],
  [null, 'null is no settings.'],
])('%j is refused', async (options, text) => {
  await disposeDevices();
  const given: unknown = options;
  expect(() => Reflect.apply(configure, undefined, [given])).toThrow(ArgumentError);
  expect(() => Reflect.apply(configure, undefined, [given])).toThrow(`configure: ${text}`);
});
