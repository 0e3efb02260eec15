// What a host without WebAssembly, or with half of it, is told: once, before anything is computed.
import { afterEach, expect, test, vi } from 'vitest';
import { devices, disposeDevices } from 'nabla';
import { DeviceError } from '../../../ir/errors.js';
import { CpuRuntime } from '../runtime.js';

afterEach(() => vi.unstubAllGlobals());

const forbidden = class {
  constructor() {
    throw new Error('violates the policy');
  }
};

test.each([
  { what: 'none at all', host: undefined, text: 'cpu: there is no WebAssembly here. Allow it' },
  {
    what: 'one that a policy forbids',
    host: { Module: forbidden, validate: (): boolean => true },
    text: "cpu: the Content-Security-Policy forbids WebAssembly here. Add 'wasm-unsafe-eval' to its script-src",
  },
  {
    what: 'one without SIMD',
    host: { Module: WebAssembly.Module, validate: (): boolean => false },
    text: 'cpu: this WebAssembly has no SIMD. Use Chrome 91, Firefox 89, Safari 16.4 or later.',
  },
])('WebAssembly: $what', ({ host, text }) => {
  vi.stubGlobal('WebAssembly', host);
  expect(() => new CpuRuntime()).toThrow(DeviceError);
  expect(() => new CpuRuntime()).toThrow(text);
  expect(() => new CpuRuntime()).toThrow("setDevice('reference')");
});

test('the list of devices says why one is not available', async () => {
  await disposeDevices();
  vi.stubGlobal('WebAssembly', undefined);
  const [cpu, reference] = devices();
  expect(cpu.details).toEqual({ unavailable: expect.stringContaining('there is no WebAssembly here') });
  expect(reference.details).not.toHaveProperty('unavailable');
});
