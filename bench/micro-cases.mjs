// The cases of M1, for a build of the library: forward (and backward) functions, their inputs, and the work in them.

import { uniform } from './hash.mjs';

export const ROWS = 4096;
export const CACHED_ROWS = 64;

/** Cases of a build of the library, whose index it gets. */
export function microCases({ conv2d, tensor }) {
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
    add(
      'matmul128x128x10',
      () => ({ fn: (a, b) => a.matmul(b), inputs: [given(1, [128, 128]), given(2, [128, 10])] }),
      {
        flops: 2 * 128 * 128 * 10,
      },
    );
    const conv = 2 * 64 * 64 * 64 * 9 * 1024;
    const image = () => given(1, [64, 64, 32, 32]);
    const weight = () => given(2, [64, 64, 3, 3], 0.04);
    add('conv_fwd', () => ({ fn: (x, w) => conv2d(x, w, { padding: 1 }), inputs: [image(), weight()] }), {
      flops: conv,
    });
    add(
      'conv_fwdbwd',
      () => ({ fn: convForwardBackward, inputs: [image().requiresGrad_(), weight().requiresGrad_()] }),
      {
        flops: 3 * conv,
      },
    );
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

  return cases();
}

const size = (shape) => shape.reduce((a, b) => a * b, 1);
