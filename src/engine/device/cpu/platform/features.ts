// Which WebAssembly features this host has, found by validating the smallest modules that use them.
// Output: yes or no, or a DeviceError where nothing can run at all. It knows nothing of the programs that will be compiled.

import { DeviceError } from '../../../ir/errors.js';

/** `f` of type [] → [v128] whose body, after three zero vectors, is one instruction. */
function moduleWith(instruction: readonly number[]): Uint8Array<ArrayBuffer> {
  const zero = [0x41, 0, 0xfd, 15]; // i32.const 0, i8x16.splat
  const body = [0, ...zero, ...zero, ...zero, ...instruction, 0x0b];
  const types = [1, 5, 1, 0x60, 0, 1, 0x7b];
  const functions = [3, 2, 1, 0];
  const code = [10, body.length + 2, 1, body.length, ...body];
  return new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...types, ...functions, ...code]);
}

/** Throws DeviceError where no program could be compiled, with what to do about it. */
export function checkWebAssembly(): void {
  const instead = `Or compute without it, slowly: setDevice('reference').`;
  if (typeof WebAssembly === 'undefined') {
    throw new DeviceError(
      `cpu: there is no WebAssembly here. Allow it (node without --jitless; Lockdown Mode off on Apple's systems). ${instead}`,
    );
  }
  try {
    void new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  } catch (error) {
    throw new DeviceError(
      `cpu: the Content-Security-Policy forbids WebAssembly here. Add 'wasm-unsafe-eval' to its script-src ` +
        `(script-src 'self' 'wasm-unsafe-eval'), for the page or, in a worker, for the worker's own script. ${instead}\n` +
        `(${error instanceof Error ? error.message.trim() : String(error)})`,
    );
  }
  if (!hasSimd()) {
    throw new DeviceError(
      `cpu: this WebAssembly has no SIMD. Use Chrome 91, Firefox 89, Safari 16.4 or later. ${instead}`,
    );
  }
}

export const hasSimd = (): boolean => WebAssembly.validate(moduleWith([0x1a, 0x1a])); // drop, drop

export const hasRelaxedSimd = (): boolean => WebAssembly.validate(moduleWith([0xfd, 0x85, 2])); // f32x4.relaxed_madd
