// M1: single operations, as GFLOP/s or GB/s and as a share of what the machine can do. Matmul and convolution take turns with
// the micro-kernel, natively on all threads. Row kernels take turns with a copy of 16 MiB to 16 MiB and with a copy that touches
// as much memory as they do (the more memory, the further away it is), and are compared with their own speed on rows that stay
// in the cache, where nothing but their arithmetic takes time.

import { compile, conv2d, tensor } from 'nabla';
import { uniform } from './hash.mjs';
import { COPY_BYTES, computing, copying, peakArithmetic, peakCopy } from './peak.mjs';
import { measure, measureTurns, round } from './timing.mjs';

const ROWS = 4096;
const CACHED_ROWS = 64;

const size = (shape) => shape.reduce((a, b) => a * b, 1);
const given = (seed, shape, k = 1) => tensor(uniform(seed, size(shape), k), { shape });

function cases() {
  const list = [];
  const add = (name, make, work) => list.push({ name, make, ...work });
  for (const n of [128, 512, 1024]) {
    const flops = 2 * n ** 3;
    add(`matmul${n}.nn`, () => ({ fn: (a, b) => a.matmul(b), inputs: [given(1, [n, n]), given(2, [n, n])] }), {
      flops,
    });
    add(
      `matmul${n}.nt`,
      () => ({ fn: (a, b) => a.matmul(b.transpose(0, 1)), inputs: [given(1, [n, n]), given(2, [n, n])] }),
      { flops },
    );
    add(
      `matmul${n}.tn`,
      () => ({ fn: (a, b) => a.transpose(0, 1).matmul(b), inputs: [given(1, [n, n]), given(2, [n, n])] }),
      { flops },
    );
  }
  add('matmul128x128x10', () => ({ fn: (a, b) => a.matmul(b), inputs: [given(1, [128, 128]), given(2, [128, 10])] }), {
    flops: 2 * 128 * 128 * 10,
  });
  const conv = 2 * 64 * 64 * 64 * 9 * 1024;
  const image = () => given(1, [64, 64, 32, 32]);
  const weight = () => given(2, [64, 64, 3, 3], 0.04);
  add('conv_fwd', () => ({ fn: (x, w) => conv2d(x, w, { padding: 1 }), inputs: [image(), weight()] }), { flops: conv });
  add('conv_fwdbwd', () => ({ fn: convForwardBackward, inputs: [image().requiresGrad_(), weight().requiresGrad_()] }), {
    flops: 3 * conv,
  });
  add(
    'conv3_fwd',
    () => ({
      fn: (x, w) => conv2d(x, w, { padding: 1 }),
      inputs: [given(1, [64, 3, 32, 32]), given(2, [32, 3, 3, 3])],
    }),
    { flops: 2 * 64 * 32 * 27 * 1024 },
  );
  for (const [name, [walked, touched], make] of rowKernels()) {
    add(name, () => make([ROWS, 1024]), {
      bytes: walked * 4 * ROWS * 1024,
      touched: touched * ROWS * 1024,
      cached: () => make([CACHED_ROWS, 1024]),
    });
  }
  return list;
}

/**
 * Name; arrays that forward and backward read or write, and how many different ones these are; the kernel for a shape.
 */
function rowKernels() {
  return [
    ['softmax', [2, 2], (rows) => ({ fn: (x) => x.softmax(-1), inputs: [given(1, rows)] })],
    [
      'softmax_fwdbwd',
      [4, 4],
      (rows) => ({
        fn: (x, g) => withGradients(x.softmax(-1), g, [x]),
        inputs: [given(1, rows).requiresGrad_(), given(3, rows)],
      }),
    ],
    [
      'layernorm_fwdbwd',
      [5, 4],
      (rows) => ({
        fn: (x, w, b, g) => withGradients(layerNorm(x, w, b), g, [x, w, b]),
        inputs: [
          given(1, rows).requiresGrad_(),
          given(2, [1024]).requiresGrad_(),
          given(3, [1024]).requiresGrad_(),
          given(4, rows),
        ],
      }),
    ],
    [
      'gelu_chain',
      [5, 5],
      (rows) => ({
        fn: (x, a, b, c) => x.mul(a).add(b).gelu().mul(c),
        inputs: [1, 2, 3, 4].map((s) => given(s, rows)),
      }),
    ],
    ['add', [3, 3], (rows) => ({ fn: (a, b) => a.add(b), inputs: [given(1, rows), given(2, rows)] })],
  ];
}

function layerNorm(x, w, b) {
  const centred = x.sub(x.mean(-1, { keepdim: true }));
  return centred
    .mul(centred.square().mean(-1, { keepdim: true }).add(1e-5).rsqrt())
    .mul(w)
    .add(b);
}

/** The result and the gradients of the given leaves, which are emptied again. */
function withGradients(y, seed, leaves) {
  for (const t of leaves) t.grad = undefined;
  y.backward(seed);
  const grads = leaves.map((t) => t.grad);
  for (const t of leaves) t.grad = undefined;
  return [y, ...grads];
}

function convForwardBackward(x, w) {
  x.grad = undefined;
  w.grad = undefined;
  const y = conv2d(x, w, { padding: 1 }).sum();
  y.backward();
  const out = [y, x.grad, w.grad];
  x.grad = undefined;
  w.grad = undefined;
  return out;
}

export async function micro(tier, threads, report) {
  const peak = computing(tier, threads);
  const arithmetic = await peakArithmetic(peak);
  const copy = await peakCopy();
  report({ workload: 'M1.peak', gflops: round(arithmetic, 1), gbps: round(copy, 1), share: 1 });
  const copies = copying();
  for (const { name, make, flops, bytes, touched, cached } of cases()) {
    const figures = ({ median, min }) => ({
      workload: `M1.${name}`,
      ms_median: round(median, 4),
      ms_min: round(min, 4),
    });
    if (flops !== undefined) {
      const { a: time, ratio } = await measureTurns(running(make()), peak.run);
      const rate = flops / time.median / 1e6;
      report({ ...figures(time), gflops: round(rate, 1), share: round(flops / peak.flops / ratio) });
    } else {
      const kernel = running(make());
      const { a: time, ratio } = await measureTurns(kernel, copies);
      const alike = await measureTurns(kernel, copying(touched / 2));
      const bound = (await measure(running(cached()), { seconds: 1 })).median * (ROWS / CACHED_ROWS);
      report({
        ...figures(time),
        gbps: round(bytes / time.median / 1e6, 1),
        share_of_copy: round(bytes / COPY_BYTES / ratio),
        share_of_alike: round(1 / alike.ratio),
        share_of_cached: round(bound / time.median),
      });
    }
  }
}

/** Results are freed at once, as a framework that counts references would: reusing memory is part of the figure. */
function running({ fn, inputs }) {
  const step = compile(fn);
  return async () => {
    for (const result of [await step(...inputs)].flat()) result[Symbol.dispose]();
  };
}
