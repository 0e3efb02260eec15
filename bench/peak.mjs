// What this machine can do at most, measured with the same code generators: the matmul micro-kernel (the register tile of
// the tier) on operands that stay in the first-level cache, and a copy of 16 MiB to 16 MiB.

import v8 from 'node:v8';
import { tensor, compile } from 'nabla';
import { NativeTier, WASM_TARGET, c as C, loop as L, nativeToolchain, trialWords, wasm } from '../dist/internals.js';
import { uniform } from './hash.mjs';
import { measure } from './timing.mjs';

const K = 256;
const REPEAT = 4000;

function microKernel({ lanes, tileRows, tileVectors }) {
  const width = lanes * tileVectors;
  const a = L.buffer('a', 'f32', 'param', tileRows * K);
  const b = L.buffer('b', 'f32', 'param', width * K);
  const c = L.buffer('c', 'f32', 'param', tileRows * width);
  const [tid, threads, r, k] = ['tid', 'threads', 'r', 'k'].map((n) => L.variable(n, 'i32'));
  const acc = Array.from({ length: tileRows * tileVectors }, () => L.variable('acc', 'f32', lanes));
  const inner = [];
  const at = L.variable('at', 'i32');
  inner.push(L.define(at, L.mul(k, L.int(width))));
  const bs = Array.from({ length: tileVectors }, (_, j) => {
    const v = L.variable('b', 'f32', lanes);
    inner.push(L.define(v, L.load(b, L.add(at, L.int(lanes * j)), lanes)));
    return v;
  });
  for (let row = 0; row < tileRows; row++) {
    const v = L.variable('a', 'f32', lanes);
    inner.push(L.define(v, L.splat(L.load(a, L.add(L.int(row * K), k)), lanes)));
    bs.forEach((bv, j) => {
      const sum = acc[row * tileVectors + j];
      inner.push(L.set(sum, L.fma(v, bv, sum)));
    });
  }
  const body = [
    ...acc.map((v) => L.define(v, L.float(0, lanes), true)),
    L.loop(r, L.int(0), L.int(REPEAT), 1, [L.loop(k, L.int(0), L.int(K), 1, inner)]),
    ...acc.map((v, i) => L.store(c, L.int(lanes * i), v)),
  ];
  const work = { isDivisible: true, shapes: '', flops: 0, bytes: 0 };
  const kernel = { name: 'peak', buffers: [a, b, c], scalars: [], scratch: [], tid, threads, body, ...work };
  const slots = [0, 1, 2].map((index) => ({ kind: 'argument', index }));
  return {
    kernels: [kernel],
    stages: [{ calls: [{ kernel: 0, slots }], parts: 1 }],
    argumentCount: 3,
    arenaBytes: 0,
    scratchBytes: 0,
    serial: true,
  };
}

/** A function that runs the micro-kernel once, in WebAssembly. */
function wasmPeak(program) {
  for (const flag of ['--experimental-wasm-relaxed-simd', '--no-liftoff', '--no-wasm-lazy-compilation'])
    v8.setFlagsFromString(flag);
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 });
  const module = new WebAssembly.Module(wasm.emitProgram(program, { relaxed: true, shared: false, maxPages: 4 }));
  const { run } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  new Int32Array(memory.buffer).set(trialWords(program).subarray(4), 256);
  return () => run(0, 1, 1024, 0, 0, 0);
}

/** The same in C, on each of the threads. */
function nativePeak(program, { lanes }, threads) {
  const tier = NativeTier.create(threads, true);
  const words = trialWords(program);
  const library = tier.request(C.emitProgram(program, { lanes, profile: false }), words).wait();
  const [bytes, table, arena, scratch] = words;
  const heap = new Uint8Array(bytes);
  new Uint32Array(heap.buffer).set(words.subarray(4), table / 4);
  return () => tier.run(library, heap, { table, arena, scratch, scratchStride: 0 }, threads, null);
}

/** A function that runs the micro-kernel, natively on all threads, and the floating-point operations of as many. */
export function computing(tier, threads) {
  const target = tier === 'native' ? nativeToolchain().target : WASM_TARGET;
  const program = microKernel(target);
  const run = tier === 'native' ? nativePeak(program, target, threads) : wasmPeak(program);
  return { run, flops: threads * 2 * target.tileRows * target.tileVectors * target.lanes * K * REPEAT };
}

/** GFLOP/s of all threads. */
export async function peakArithmetic({ run, flops }) {
  const { min } = await measure(run, { seconds: 0.5 });
  return flops / min / 1e6;
}

const COPIED = 4 << 20;
/** Bytes that a copy reads and writes. */
export const COPY_BYTES = 8 * COPIED;

/** A function that copies so many elements, 16 MiB if nothing is said, by all threads. */
export function copying(elements = COPIED) {
  const x = tensor(uniform(1, elements));
  const copy = compile((t) => t.neg());
  return async () => {
    const y = await copy(x);
    y[Symbol.dispose](); // else every copy would go to memory that no cache and no page table knows
  };
}

/** GB/s (read + written) of a copy by all threads. */
export async function peakCopy() {
  const { median } = await measure(copying(), { seconds: 1 });
  return COPY_BYTES / median / 1e6;
}
