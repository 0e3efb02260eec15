// The devices of parity tests, each with its tolerance: the reference device, which computes in float64, and the two tiers of the
// CPU device, each alone, so that a test does not depend on which one happens to run. Counts what runs natively: a
// fallback to WebAssembly would pass every comparison.
import { afterAll, beforeAll, expect } from 'vitest';
import { CpuDevice, type CpuDeviceOptions } from '../../src/engine/device/cpu/device.js';
import { nativeToolchain } from '../../src/engine/device/cpu/native/tier.js';
import { NativeTwin } from '../../src/engine/device/cpu/native/twin.js';
import { disposeDevices, registerDevice } from '../../src/engine/engine.js';
import 'nabla';
import type { FloatDType } from 'nabla';

export interface Tier {
  readonly device: 'reference' | 'wasm' | 'native';
  /** Of differences, relative to the largest number of a tensor. */
  readonly tolerance: number;
  /** Of parameters and inputs; float32 unless it is said. */
  readonly dtype?: FloatDType;
}

const toolchain = nativeToolchain();
/** Why there is no native tier here. */
export const noNative = typeof toolchain === 'string' ? toolchain : undefined;

export const REFERENCE: Tier = { device: 'reference', tolerance: 1e-9 };
export const WASM: Tier = { device: 'wasm', tolerance: 1e-5 };
/** WebAssembly, with all numbers in float64. */
export const FLOAT64: Tier = { device: 'wasm', tolerance: 1e-9, dtype: 'float64' };
export const NATIVE: Tier = { device: 'native', tolerance: 1e-5 };
/** Those that this machine has. */
export const TIERS: readonly Tier[] = [REFERENCE, WASM, ...(noNative === undefined ? [NATIVE] : [])];

/** Runs of programs that are to run natively: natively, and by WebAssembly instead. */
const nativeRuns = { native: 0, instead: 0 };

/** The same, of this test file alone. */
export function countNativeRuns(): Readonly<typeof nativeRuns> {
  beforeAll(() => {
    nativeRuns.native = nativeRuns.instead = 0;
  });
  return nativeRuns;
}

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

/**
 * Devices for tests of the engine, by name; disposed of at the end. Those of the native tier are left out where there is no
 * compiler, and have to run natively where there is one. No other may change its tier on the way.
 */
export function testDevices<Name extends string>(
  options: Readonly<Record<Name, CpuDeviceOptions & { readonly tier: 'wasm' | 'native' }>>,
): Record<Name, CpuDevice> {
  const entries = Object.entries<(typeof options)[Name]>(options)
    .filter(([, { tier }]) => tier === 'wasm' || noNative === undefined)
    .map(([name, given]) => [name, new CpuDevice(given)] as const);
  const runs = countNativeRuns();
  afterAll(async () => {
    for (const [, device] of entries) await device.dispose();
    expect(runs.instead).toBe(0);
  });
  return Object.fromEntries(entries) as Record<Name, CpuDevice>;
}

/** The tiers as devices of their own. */
export function tierDevices(threads: number): Record<string, CpuDevice> {
  return testDevices({
    wasm: { threads, tier: 'wasm', verify: true },
    native: { threads, tier: 'native', verify: true },
  });
}
