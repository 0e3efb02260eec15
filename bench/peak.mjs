// What this machine can do at most, measured with the same code generator: the matmul micro-kernel (4 rows, 8 columns)
// on operands that stay in the first-level cache, and a copy of 16 MiB to 16 MiB. Both per thread and for all threads.

import v8 from 'node:v8';
import { tensor, compile } from 'nabla';
import * as L from '../dist/engine/loop/loop.js';
import { emitProgram } from '../dist/engine/emit/wasm/emit.js';
import { uniform } from './hash.mjs';
import { measure } from './timing.mjs';

const K = 256;
const REPEAT = 4000;

function microKernel() {
  const a = L.buffer('a', 'f32', 'param', 4 * K);
  const b = L.buffer('b', 'f32', 'param', 8 * K);
  const c = L.buffer('c', 'f32', 'param', 32);
  const [tid, threads, r, k] = ['tid', 'threads', 'r', 'k'].map((n) => L.variable(n, 'i32'));
  const acc = Array.from({ length: 8 }, () => L.variable('acc', 'f32', 4));
  const inner = [];
  const at = L.variable('at', 'i32');
  inner.push(L.define(at, L.mul(k, L.int(8))));
  const bs = [0, 1].map((j) => {
    const v = L.variable('b', 'f32', 4);
    inner.push(L.define(v, L.load(b, L.add(at, L.int(4 * j)), 4)));
    return v;
  });
  for (let row = 0; row < 4; row++) {
    const v = L.variable('a', 'f32', 4);
    inner.push(L.define(v, L.splat(L.load(a, L.add(L.int(row * K), k)), 4)));
    bs.forEach((bv, j) => inner.push(L.set(acc[row * 2 + j], L.fma(v, bv, acc[row * 2 + j]))));
  }
  const body = [
    ...acc.map((v) => L.define(v, L.float(0, 4), true)),
    L.loop(r, L.int(0), L.int(REPEAT), 1, [L.loop(k, L.int(0), L.int(K), 1, inner)]),
    ...acc.map((v, i) => L.store(c, L.int(4 * i), v)),
  ];
  const kernel = { name: 'peak', buffers: [a, b, c], scalars: [], scratch: [], tid, threads, body, flops: 0, bytes: 0 };
  const slots = [0, 1, 2].map((index) => ({ kind: 'argument', index }));
  return {
    kernels: [kernel],
    stages: [[{ kernel: 0, slots }]],
    argumentCount: 3,
    arenaBytes: 0,
    scratchBytes: 0,
    serial: true,
  };
}

/** GFLOP/s of one thread. */
export async function peakArithmetic() {
  for (const flag of ['--experimental-wasm-relaxed-simd', '--no-liftoff', '--no-wasm-lazy-compilation'])
    v8.setFlagsFromString(flag);
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 });
  const module = new WebAssembly.Module(emitProgram(microKernel(), { relaxed: true, shared: false, maxPages: 4 }));
  const { run } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  new Int32Array(memory.buffer, 1024, 3).set([65536, 65536 + 4 * 4 * K, 65536 + 4 * 12 * K]);
  const { min } = await measure(() => run(0, 1, 1024, 0, 0, 0), { seconds: 0.5 });
  return (2 * 32 * K * REPEAT) / min / 1e6;
}

/** GB/s (read + written) of a copy by all threads. */
export async function peakCopy() {
  const n = 4 << 20;
  const x = tensor(uniform(1, n));
  const copy = compile((t) => t.neg());
  const { median } = await measure(() => copy(x), { seconds: 1 });
  return (8 * n) / median / 1e6;
}
