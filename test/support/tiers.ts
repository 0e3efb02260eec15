// The devices of parity tests, each with its tolerance: the reference device, which computes in float64, and the two tiers of the
// CPU device, each alone, so that a test does not depend on which one happens to run. Counts what runs natively: a
// fallback to WebAssembly would pass every comparison.
import { afterAll, expect } from 'vitest';
import { CpuDevice } from '../../src/engine/device/cpu/device.js';
import { nativeToolchain } from '../../src/engine/device/cpu/native/tier.js';
import { NativeTwin } from '../../src/engine/device/cpu/native/twin.js';
import { disposeDevices, registerDevice } from '../../src/engine/engine.js';
import 'nabla';

export interface Tier {
  readonly device: 'reference' | 'wasm' | 'native';
  /** Of differences, relative to the largest number of a tensor. */
  readonly tolerance: number;
}

const toolchain = nativeToolchain();
/** Why there is no native tier here. */
export const noNative = typeof toolchain === 'string' ? toolchain : undefined;

export const REFERENCE: Tier = { device: 'reference', tolerance: 1e-9 };
export const WASM: Tier = { device: 'wasm', tolerance: 1e-5 };
export const NATIVE: Tier = { device: 'native', tolerance: 1e-5 };
/** Those that this machine has. */
export const TIERS: readonly Tier[] = [REFERENCE, WASM, ...(noNative === undefined ? [NATIVE] : [])];

/** Runs so far of programs on the native device: natively, and by WebAssembly instead. */
export const nativeRuns = { native: 0, instead: 0 };

for (const tier of ['wasm', 'native'] as const) {
  registerDevice(tier, () => new CpuDevice({ name: tier, tier, threads: 2 }));
}

const { run, note } = NativeTwin.prototype;
NativeTwin.prototype.run = function counted(...words) {
  nativeRuns.native++;
  run.apply(this, words);
};
NativeTwin.prototype.note = function counted(...time) {
  nativeRuns.instead++;
  note.apply(this, time);
};

afterAll(() => disposeDevices());

/** The tiers as devices of their own, for tests of the engine. */
export function tierDevices(threads: number): Record<string, CpuDevice> {
  const tiers = noNative === undefined ? (['wasm', 'native'] as const) : (['wasm'] as const);
  const devices = tiers.map((tier) => [tier, new CpuDevice({ threads, tier, verify: true })] as const);
  afterAll(async () => {
    for (const [, device] of devices) await device.dispose();
    expect(nativeRuns.instead).toBe(0);
  });
  return Object.fromEntries(devices);
}
