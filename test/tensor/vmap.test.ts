// vmap: every operator over a batch is what it is for each sample, with its gradients; nested, over derivatives, with random numbers.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as nabla from 'nabla';
import {
  type AnyTensor,
  ArgumentError,
  GradError,
  ShapeError,
  type Tensor,
  compile,
  disposeDevices,
  grad,
  hessian,
  jacfwd,
  jacrev,
  manualSeed,
  rand,
  randn,
  setDevice,
  stack,
  tensor,
  valueAndGrad,
  vmap,
} from 'nabla';
import { solve } from 'nabla/linalg';
import { BATCH_RULES } from '../../src/engine/batch/rules.js';
import { topologicalOrder } from '../../src/engine/ir/node.js';

type Fn = (...inputs: Tensor[]) => AnyTensor;

afterAll(() => disposeDevices());

const index = (...values: number[]): Tensor => tensor(Int32Array.from(values)) as unknown as Tensor;
const shape = (t: AnyTensor): readonly number[] => t.shape;
const numbers = async (t: AnyTensor): Promise<number[]> => [...(await t.data())].map(Number);

/** Functions of tensors of these shapes, for one sample. */
const CASES: Record<string, { shapes: number[][]; fn: Fn }> = {
  unary: {
    shapes: [[3]],
    fn: (x) => {
      const y = x.abs().add(0.5);
      const smooth = [y.reciprocal(), y.exp(), y.expm1(), y.log(), y.log1p(), y.log2(), y.log10(), y.sqrt(), x.sin()];
      const more = [x.cos(), x.mul(0.1).tan(), x.sinh(), x.cosh(), x.tanh(), x.erf(), x.sigmoid(), x.relu(), x.sign()];
      const inverse = [
        x.mul(0.1).asin(),
        x.mul(0.1).acos(),
        x.atan(),
        x.neg(),
        x.floor(),
        x.ceil(),
        x.round(),
        x.trunc(),
      ];
      return [...smooth, ...more, ...inverse].reduce((a, b) => a.add(b));
    },
  },
  binary: {
    shapes: [[3, 1], [4]],
    fn: (x, y) => {
      const p = x.abs().add(0.5);
      const parts = [x.add(y), x.sub(y), x.mul(y), x.div(p), p.pow(y), x.remainder(p), x.maximum(y), x.minimum(y)];
      return parts.map((part) => part.expand([3, 4]) as Tensor).reduce((a, b) => a.add(b));
    },
  },
  integers: {
    shapes: [[5]],
    fn: (x) => {
      const n = x.mul(10).to('int32') as unknown as Tensor<number[], 'int32'>;
      const bits = nabla.bitwiseAnd(n, 7).add(nabla.bitwiseOr(n, 8)).add(nabla.bitwiseXor(n, 3));
      const shifted = nabla.bitwiseLeftShift(bits, 2).add(nabla.bitwiseRightShift(n, 1));
      return shifted.floorDivide(3).add(n.eq(0).to('int32')).add(n.ne(1).to('int32')).to('float32').add(x);
    },
  },
  logic: {
    shapes: [[4], [4]],
    fn: (x, y) => {
      const both = x.gt(0).logicalAnd(y.le(0)).logicalOr(x.lt(y)).logicalXor(x.ge(1)).logicalNot();
      return nabla.where(both, x.mul(y), y);
    },
  },
  movement: {
    shapes: [[2, 3]],
    fn: (x) => {
      const moved = x
        .permute([1, 0])
        .reshape([6])
        .unsqueeze(0)
        .expand([2, 6])
        .pad([
          [1, 0],
          [0, 2],
        ]);
      return nabla.cat([moved.flip(1), moved.slice(1, 0, 8, 3).repeat([1, 2])], 1).roll(1, 0);
    },
  },
  oneForAll: { shapes: [[2, 3]], fn: (x) => nabla.cat([x, nabla.ones([1, 3])], 0).mul(tensor([1, 2, 3])) },
  systems: {
    shapes: [[3, 3], [3]],
    fn: (a, b) => solve(a.matmul(a.transpose(0, 1)).add(nabla.eye(3).mul(4)) as Tensor, b) as Tensor,
  },
  scalars: { shapes: [[], [3]], fn: (a, x) => x.mul(a).add(a.square()).cumsum(0).add(a.cumsum(0)) },
  signs: { shapes: [[3]], fn: (x) => nabla.where(nabla.signbit(x), x.mul(2), x) },
  reductions: {
    shapes: [[3, 4]],
    fn: (x) => {
      const sums: Tensor[] = [x.sum(1), x.mean(-1), x.prod(1), x.amax(1), x.amin(1), x.std(1), x.norm(2, 1)];
      return [...sums, x.logsumexp(1), x.max(1).values, x.softmax(1).select(1, 0)].reduce((a, b) => a.add(b));
    },
  },
  running: {
    shapes: [[3, 4]],
    fn: (x) =>
      x.cumsum(1).add(nabla.cumprod(x, 0)).add(nabla.cummax(x, 1).values).add(nabla.logcumsumexp(x, 0)) as Tensor,
  },
  sorting: { shapes: [[3, 4]], fn: (x) => x.sort(1).values.add(x.topk(4, 0 - 1).values) },
  gather: {
    shapes: [[3, 4]],
    fn: (x) => {
      const positions = x.detach().argsort(1) as unknown as Tensor<number[], 'int32'>;
      const table = tensor([
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
      ]);
      const read = nabla.embedding(table as unknown as Tensor<[number, 2]>, positions);
      return x
        .gather(1, positions)
        .add(read.sum(2))
        .add(x.index(null, index(3, 0, 0, 1) as never)) as Tensor;
    },
  },
  scatter: {
    shapes: [
      [3, 4],
      [3, 4],
    ],
    fn: (x, y) => {
      const positions = x.detach().argsort(1) as unknown as Tensor<number[], 'int32'>;
      const added = x.scatterAdd(1, positions, y);
      return nabla.scatter(added, 1, positions.slice(1, 0, 2), y.slice(1, 0, 2)) as Tensor;
    },
  },
  matmul: {
    shapes: [[2, 3], [3, 4], [3]],
    fn: (a, b, v) => a.matmul(b).sum(1).add(a.matmul(v)).add(v.matmul(b).sum()) as Tensor,
  },
  matmulOneForAll: {
    shapes: [[2, 3], [3]],
    fn: (a, v) => {
      const w: Tensor = tensor([
        [1, -2, 3],
        [0.5, 1, -1],
        [2, 0, 1],
      ]);
      const stacked = nabla.stack([w, w.mul(2)]) as Tensor;
      return a.matmul(w).add(w.matmul(v)).add(stacked.matmul(a.T).sum(0).T).add(a.T.T.matmul(w.T)) as Tensor;
    },
  },
  conv: {
    shapes: [
      [2, 2, 5],
      [4, 2, 3],
    ],
    fn: (x, w) => {
      const fixed: Tensor = tensor([[[1, 2, 3]], [[-1, 0, 2]]]);
      const both = nabla.conv1d(x, w, { padding: 1, stride: 2 });
      const grouped = nabla.conv1d(x, fixed, { groups: 2 });
      const back = nabla.convTranspose1d(nabla.conv1d(x, w), w);
      const image: Tensor = tensor([
        [
          [1, 2, 3, 4],
          [0, 1, 0, -1],
        ],
      ]);
      return both
        .sum()
        .add(grouped.square().sum())
        .add(back.square().mean())
        .add(nabla.conv1d(image, w).square().sum());
    },
  },
  pooling: { shapes: [[1, 4, 4]], fn: (x) => nabla.maxPool2d(x, 2).add(nabla.avgPool2d(x, 2)) as Tensor },
  patches: { shapes: [[1, 2, 4, 4]], fn: (x) => nabla.fold(nabla.unfold(x, 2), [4, 4], 2) as Tensor },
  attention: {
    shapes: [
      [2, 4, 3],
      [2, 4, 3],
      [2, 4, 3],
    ],
    fn: (q, k, v) => nabla.scaledDotProductAttention(q, k, v, { isCausal: true }) as Tensor,
  },
  constant: { shapes: [[2]], fn: () => tensor([1, 2, 3]) },
};

const SAMPLES = 3;

describe.each(['reference', 'cpu'])('on %s', (device) => {
  beforeAll(() => setDevice(device));
  const tolerance = device === 'reference' ? 1e-10 : 2e-5;
  // Compiling takes its time: on the CPU those whose rules differ from their operators.
  const cases = device === 'reference' ? Object.keys(CASES) : ['reductions', 'gather', 'scatter', 'conv'];

  test.each(cases)('%s, with gradients, and gradients of each sample', async (name) => {
    const { shapes, fn } = CASES[name];
    manualSeed(11);
    const batch = shapes.map((s) => randn([SAMPLES, ...s]) as Tensor);
    const loss: Fn = (...inputs) =>
      fn(...inputs)
        .mul(0.5)
        .square()
        .sum() as AnyTensor;
    const each = Array.from({ length: SAMPLES }, (_, i) => batch.map((x) => x.select(0, i) as Tensor));
    const all = vmap(fn)(...batch);
    const single = stack(each.map((sample) => fn(...sample) as Tensor));
    expect(shape(all)).toEqual(shape(single));
    const gradients = vmap(grad(loss))(...batch);
    const singles = stack(each.map((sample) => grad(loss)(...sample)));
    // Derivatives of the mapped function: the graph over the batch is differentiated itself.
    const outer = valueAndGrad((...inputs: Tensor[]) => (vmap(loss)(...inputs) as Tensor).sum())(...batch).grads;
    const inner = batch.map((_, k) => stack(each.map((sample) => valueAndGrad(loss)(...sample).grads[k])) as Tensor);
    const pairs: [AnyTensor, AnyTensor][] = [
      [all, single],
      [gradients, singles],
      ...outer.map((g, k): [Tensor, Tensor] => [g, inner[k]]),
    ];
    await nabla.realize(...pairs.flat());
    for (const [got, wanted] of pairs) {
      const [a, b] = [await numbers(got), await numbers(wanted)];
      a.forEach((v, i) => expect(Math.abs(v - b[i])).toBeLessThan(tolerance * Math.max(1, Math.abs(b[i]))));
    }
  });

  test('dimensions of inputs and results, lists and objects, and what is the same for all samples', async () => {
    const x: Tensor = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const w: Tensor = tensor([10, 20]);
    const columns = vmap((v: Tensor, u: Tensor) => v.mul(u), { inDims: [1, null], outDims: -1 });
    expect(await numbers(columns(x, w))).toEqual([10, 20, 30, 80, 100, 120]);
    const named = vmap(({ a, b }: { a: Tensor; b: Tensor }) => ({ sum: a.add(b), parts: [a, b.sum()] }), {
      inDims: [{ a: 0, b: null }],
      outDims: { sum: 1, parts: [0, null] },
    });
    const { sum, parts } = named({ a: x.T as Tensor, b: w });
    expect([shape(sum), shape(parts[0]), shape(parts[1])]).toEqual([[2, 3], [3, 2], []]);
    expect([await numbers(sum), await numbers(parts[1])]).toEqual([[11, 12, 13, 24, 25, 26], [30]]);
  });

  test('in chunks, with the same random numbers as without', async () => {
    const x: Tensor = randn([7, 3]);
    const noisy = (v: Tensor) => v.square().add(rand([3]) as Tensor);
    manualSeed(3);
    const whole = vmap(noisy, { randomness: 'different' })(x);
    manualSeed(3);
    const parts = vmap(noisy, { randomness: 'different', chunkSize: 3, outDims: 1 })(x);
    expect(shape(parts)).toEqual([3, 7]);
    expect(await numbers(parts.permute([1, 0]))).toEqual(await numbers(whole));
  });

  test('vmaps in vmaps, of gradients and of dropout', async () => {
    manualSeed(8);
    const [a, b] = [randn([2, 3]) as Tensor, randn([4, 3]) as Tensor];
    const products = vmap((u: Tensor) => vmap((v: Tensor) => u.mul(v).sum())(b))(a);
    expect(await numbers(products)).toEqual((await numbers(a.matmul(b.T))).map((v) => expect.closeTo(v, 5)));
    const loss = (u: Tensor, v: Tensor) => nabla.dropout(u.mul(v), 0.5).square().sum();
    const nested = (randomness: 'same' | 'different') =>
      vmap(
        (u: Tensor) =>
          vmap(
            grad((w: Tensor, v: Tensor) => loss(w, v)),
            { inDims: [null, 0], randomness },
          )(u, b),
        {
          randomness,
        },
      )(nabla.ones([2, 3]) as Tensor);
    const same = await numbers(nested('same'));
    expect(same.slice(0, 12)).toEqual(same.slice(12));
    const zeros = (list: number[]) => list.map((v) => (v === 0 ? 0 : 1));
    expect(zeros(same.slice(0, 3))).toEqual(zeros(same.slice(3, 6))); // one mask for all
    const different = zeros(await numbers(nested('different')));
    expect(different.slice(0, 12)).not.toEqual(different.slice(12));
    expect(different.slice(0, 3).concat(different.slice(3, 6))).not.toEqual([
      ...different.slice(3, 6),
      ...different.slice(0, 3),
    ]);
  });

  test('Hessians of each sample, and Jacobians by both modes', async () => {
    const f = (x: Tensor) => x.pow(3).sum().mul(x.sum()) as Tensor;
    const x: Tensor = tensor([
      [1, 2],
      [-1, 0.5],
    ]);
    const all = vmap((v: Tensor) => hessian(f, v))(x);
    const single = stack([0, 1].map((i) => hessian(f, x.select(0, i) as Tensor)));
    expect(await numbers(all)).toEqual((await numbers(single)).map((v) => expect.closeTo(v, 4)));
    const g = (v: Tensor, w: Tensor) => v.unsqueeze(1).mul(w).sin() as Tensor;
    const w: Tensor = tensor([0.5, 1, 2]);
    const [rows, columns] = [jacrev(g)(x.select(0, 0) as Tensor, w), jacfwd(g)(x.select(0, 0) as Tensor, w)];
    expect(shape(rows)).toEqual([2, 3, 2]);
    expect(await numbers(columns)).toEqual((await numbers(rows)).map((v) => expect.closeTo(v, 5)));
    const both = jacfwd(g, { argnums: [0, 1], chunkSize: 2 })(x.select(0, 0) as Tensor, w);
    expect(both.map(shape)).toEqual([
      [2, 3, 2],
      [2, 3, 3],
    ]);
    expect(await numbers(both[0])).toEqual((await numbers(rows)).map((v) => expect.closeTo(v, 5)));
    const mixed = vmap(jacfwd(jacrev((v: Tensor) => v.pow(3).sum() as Tensor)))(x);
    expect((await numbers(mixed)).map((v) => v + 0)).toEqual([6, 0, 0, 12, -6, 0, 0, 3]);
  });

  test('in a compiled function, with dropout anew in each call', async () => {
    const perSample = vmap(
      grad((w: Tensor, x: Tensor) => nabla.dropout(w.mul(x)).sum()),
      {
        inDims: [null, 0],
        randomness: 'different',
      },
    );
    const w: Tensor = tensor([1, 2, 3]);
    const step = compile((x: AnyTensor) => perSample(w, x as Tensor));
    const x: Tensor = randn([5, 3]);
    manualSeed(4);
    const eager = [await numbers(perSample(w, x)), await numbers(perSample(w, x))];
    manualSeed(4);
    const compiled = [await numbers(await step(x)), await numbers(await step(x))];
    expect(compiled).toEqual(eager);
    expect(eager[0]).not.toEqual(eager[1]);
    expect(step.captures).toBe(1);
  });
});

describe('what cannot be', () => {
  beforeAll(() => setDevice('cpu'));
  const x: Tensor = tensor([
    [1, 2],
    [3, 4],
  ]);

  test('arguments', () => {
    expect(() => vmap((v: Tensor) => v, { inDims: [0, 0] })(x)).toThrow(
      new ArgumentError('vmap: inDims has 2 entries for 1 inputs. Give one for each, or one number for all.'),
    );
    expect(() => vmap((v: Tensor, w: Tensor) => v.add(w))(x, tensor([1, 2, 3]) as Tensor)).toThrow(ShapeError);
    expect(() => vmap((v: Tensor) => v, { inDims: null })(x)).toThrow(/no input has a dimension of samples/);
    expect(() => vmap((v: Tensor) => v)(tensor(1) as Tensor)).toThrow(/input 0 is one number/);
    expect(() => vmap((v: Tensor) => v, { outDims: null })(x)).toThrow(/depends on the sample/);
    expect(() => vmap((v: Tensor) => v, { inDims: 2 })(x)).toThrow(/out of range/);
    expect(() => vmap((v: Tensor) => void v)(x)).toThrow(/returned nothing/);
    expect(() => vmap((v: Tensor) => [v], { outDims: [0, 0] })(x)).toThrow(/outDims does not have the form/);
  });

  test('random numbers that nobody has spoken of', () => {
    expect(() => vmap((v: Tensor) => nabla.dropout(v))(x)).toThrow(/randomness: 'different' or 'same'/);
    const noise = rand([2]);
    expect(() => vmap((v: Tensor) => v.add(noise))(x)).not.toThrow(); // drawn outside
  });

  test('reading, writing, backward, and waiting inside', async () => {
    expect(() => vmap(async (v: Tensor) => tensor([await (v.sum() as Tensor).item()]))(x)).toThrow(/asynchronous/);
    let read: Promise<unknown> = Promise.resolve();
    vmap((v: Tensor) => ((read = v.data()), v))(x);
    await expect(read).rejects.toThrow(/stands for all samples and cannot be read/);
    const buffer = tensor([0, 0]);
    expect(() => vmap((v: Tensor) => (buffer.assign_(v), v))(x)).toThrow(/depends on the sample of a vmap/);
    const w = tensor([1, 2], { requiresGrad: true });
    expect(() => vmap((v: Tensor) => ((v.mul(w).sum() as Tensor).backward(), v))(x)).toThrow(GradError);
    expect(w.grad).toBeUndefined();
    const compiled = compile((v: AnyTensor) => v);
    expect(() => vmap((v: Tensor) => compiled(v) as unknown as Tensor)(x)).toThrow(/asynchronous/);
    expect(await buffer.array()).toEqual([0, 0]);
  });

  test('an index out of range names the dimension that the function knows', async () => {
    const out = vmap((v: Tensor) => v.gather(0, index(0, 5) as never))(x);
    await expect(out.data()).rejects.toThrow(/5 is out of range for dimension 0 with size 2/);
  });

  test('every operator with operands has been met', () => {
    const met = new Set(['detach']);
    for (const { shapes, fn } of Object.values(CASES)) {
      const inputs = shapes.map(
        (s) =>
          tensor(new Float32Array(s.reduce((a, b) => a * b, 1)).fill(0.5), { requiresGrad: true } as never).reshape(
            s,
          ) as Tensor,
      );
      const y = fn(...inputs);
      const g = y.requiresGrad ? valueAndGrad((...v: Tensor[]) => (fn(...v) as Tensor).sum())(...inputs).grads : [];
      for (const node of topologicalOrder([y, ...g].map((t) => t.node))) met.add(node.op);
    }
    expect(Object.keys(BATCH_RULES).filter((op) => !met.has(op))).toEqual([]);
  });
});
