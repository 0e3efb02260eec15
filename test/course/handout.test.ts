// The handout on matrix derivatives: affine layers, gradients and Jacobians, the exercise with loss 52.
import { expect, test } from 'vitest';
import { type Tensor, arange, jacobian, manualSeed, ones, randn, vjp } from 'nabla';
import { Flatten, Linear } from 'nabla/nn';
import { course, expectExact, expectSame, given, set, variable } from '../support/course.js';

course('handout', () => {
  test('1.1: a batch of two 1×8×8 images is two rows of 64 pixels, row by row; of RGB images, of 192', async () => {
    const images = arange(128).reshape([2, 1, 8, 8]).to('float32') as Tensor;
    const rows = new Flatten().forward(images) as Tensor;
    expect(rows.shape).toEqual([2, 64]);
    await expectSame(rows, arange(128).reshape([2, 64]).to('float32') as Tensor);
    expect(new Flatten().forward(ones([2, 3, 8, 8])).shape).toEqual([2, 192]);
  });

  test('1.3: a bias makes the layer affine, not linear: f(x + y) = f(x) + f(y) − b', async () => {
    const layer = set(new Linear(2, 2), {
      weight: [
        [1, 2],
        [3, 4],
      ],
      bias: [5, -6],
    });
    const [x, y] = [given([[1, 1]]), given([[0, 2]])];
    const f = (v: Tensor): Tensor => layer.forward(v as never) as Tensor;
    await expectExact(f(x.add(y) as Tensor), [[12, 9]]);
    await expectExact(f(x).add(f(y)), [[17, 3]]);
  });

  test('1.3, (3): rows times W and Wᵀ times columns are the same numbers (the text forgets one transpose)', async () => {
    manualSeed(1);
    const [x, w, b] = [randn([4, 3]), randn([3, 2]), randn([1, 2])];
    await expectSame(w.T.matmul(x.T).add(b.T).T, x.matmul(w).add(b));
  });

  test('2.1, (4)-(6): the gradient of a number has the shape of what it is taken by', async () => {
    for (const shape of [[], [3], [2, 3]]) {
      const x = ones(shape, { requiresGrad: true }) as Tensor;
      x.mul(x).sum().backward();
      await expectSame(x.grad, ones(shape).mul(2));
    }
  });

  test('2.1, (7), (8): the Jacobian of ℝⁿ → ℝᵐ is m×n, that of a matrix-vector product m×(m×n)', async () => {
    const w = given([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const x = given([7, 8, 9]);
    await expectExact(
      jacobian((v) => w.matmul(v), x),
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    );
    // ∂(Wx)ᵢ/∂wᵤᵥ is x_v in the row u = i and 0 elsewhere.
    await expectExact(
      jacobian((v) => v.matmul(x), w),
      [
        [
          [7, 8, 9],
          [0, 0, 0],
        ],
        [
          [0, 0, 0],
          [7, 8, 9],
        ],
      ],
    );
  });

  test('2.1, (9), (16): ∂L/∂w is the sum over all outputs of ∂L/∂y · ∂y/∂w', async () => {
    manualSeed(2);
    const [x, w, upstream] = [randn([2, 2]) as Tensor, randn([2, 3]) as Tensor, randn([2, 3]) as Tensor];
    const all = jacobian((v) => x.matmul(v), w); // [2, 3, 2, 3]
    const summed = all.mul(upstream.reshape([2, 3, 1, 1]) as Tensor).sum([0, 1]);
    const { pull } = vjp((v) => x.matmul(v), w);
    await expectSame(pull(upstream)[0], summed);
  });

  test('3, (18): ∂Y/∂w₁₁ holds the first column of X in its first column, and zeros', async () => {
    const x = given([
      [2, 3],
      [5, 7],
    ]);
    const all = jacobian((v) => x.matmul(v), randn([2, 3]) as Tensor);
    await expectExact(all.slice(2, 0, 1).slice(3, 0, 1).reshape([2, 3]), [
      [2, 0, 0],
      [5, 0, 0],
    ]);
  });

  test('3, (20)-(22): dW = Xᵀ·dY and dX = dY·Wᵀ', async () => {
    const [x, w] = [
      variable([
        [1, 2],
        [3, 4],
      ]),
      variable([
        [1, 0, -1],
        [2, 1, 0],
      ]),
    ];
    const upstream = given([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    x.matmul(w).backward(upstream as never);
    await expectExact(w.grad, [
      [13, 17, 21],
      [18, 24, 30],
    ]);
    await expectExact(x.grad, [
      [-2, 4],
      [-2, 13],
    ]);
    await expectSame(w.grad, x.T.matmul(upstream));
    await expectSame(x.grad, upstream.matmul(w.T));
  });

  test('3.1: for L = y₁ + y₂, ∂L/∂x₁₁ = w₁ and ∂L/∂w₁ = x₁₁ + x₂₁', async () => {
    const [x, w] = [
      variable([
        [2, 3],
        [5, 7],
      ]),
      variable([[11], [13]]),
    ];
    x.matmul(w).sum().backward();
    await expectExact(x.grad, [
      [11, 13],
      [11, 13],
    ]);
    await expectExact(w.grad, [[7], [10]]);
  });

  test('3.2: broadcasting the bias is the product of a column of ones with it; its gradient sums over the batch', async () => {
    const upstream = given([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const [b, c] = [variable([10, 20]), variable([[10, 20]])];
    const added = (ones([3, 2]) as Tensor).add(b);
    const multiplied = (ones([3, 2]) as Tensor).add(ones([3, 1]).matmul(c as Tensor<[1, 2]>));
    await expectSame(added, multiplied);
    added.backward(upstream);
    multiplied.backward(upstream);
    await expectExact(b.grad, [9, 12]);
    await expectExact(c.grad, [[9, 12]]);
  });

  test('exercise 1: the sigmoid layer hands on the upstream gradient times σ(1 − σ)', async () => {
    manualSeed(3);
    const y = randn([2, 3], { requiresGrad: true }) as Tensor;
    const upstream = randn([2, 3]) as Tensor;
    const s = y.sigmoid();
    s.backward(upstream);
    await expectSame(y.grad, upstream.mul(s.detach()).mul(s.detach().neg().add(1)));
  });

  test('exercise 2: with f(x) = x² the loss is 52; its gradients by f, y, X and W', async () => {
    const [x, w] = [
      variable([
        [0, 1],
        [2, 3],
      ]),
      variable([
        [1, 1],
        [1, 1],
      ]),
    ];
    const y = x.matmul(w);
    const f = y.square();
    const loss = f.sum();
    await expectExact(loss, 52);
    await expectExact(vjp((v) => v.sum(), f.detach()).pull(given(1))[0], [
      [1, 1],
      [1, 1],
    ]);
    await expectExact(vjp((v) => v.square().sum(), y.detach()).pull(given(1))[0], [
      [2, 2],
      [10, 10],
    ]);
    loss.backward();
    await expectExact(x.grad, [
      [4, 4],
      [20, 20],
    ]);
    await expectExact(w.grad, [
      [20, 20],
      [32, 32],
    ]);
  });
});
