// Lecture 11, recurrent networks: unrolling, vanishing and exploding gradients, the LSTM step forward and backward.
import { expect, test } from 'vitest';
import { type Tensor, cat, checkGradient, customOp, grad, manualSeed, randn, zeros } from 'nabla';
import { LSTMCell, Linear, RNN, ReLU, Sequential } from 'nabla/nn';
import { SGD, clipGradNorm_ } from 'nabla/optim';
import {
  chain,
  course,
  expectExact,
  expectPrinted,
  expectSame,
  given,
  numbers,
  set,
  variable,
} from '../support/course.js';

const columns = (x: Tensor, from: number, to: number): Tensor => x.slice(1, from, to) as Tensor;

course('lecture 11', () => {
  test('transfer: a frozen extractor keeps its weights while the new head learns', async () => {
    manualSeed(1);
    const body = new Sequential(new Linear(4, 6), new ReLU());
    const head = new Linear(6, 3);
    for (const p of body.parameters()) p.requiresGrad_(false);
    const model = chain(body, head);
    const summary = new Sequential(body, head).summary(zeros([1, 4]));
    expect([summary.parameters, summary.trainable]).toEqual([30 + 21, 21]);
    const before = (await body.parameters()[0].array()) as number[][];
    const headBefore = await numbers(head.weight);
    model
      .forward(randn([5, 4]) as Tensor)
      .square()
      .mean()
      .backward();
    await new SGD(model.parameters(), { lr: 0.5 }).step();
    await expectExact(body.parameters()[0], before);
    expect(await numbers(head.weight)).not.toEqual(headBefore);
  });

  test('simple recurrence without input: A_t = θᵗ·A₀', async () => {
    const recur = (theta: Tensor, steps: number): Tensor =>
      Array.from({ length: steps }).reduce((a: Tensor) => a.mul(theta) as Tensor, given(2));
    await expectPrinted(recur(given(0.5), 6), 2 * 0.5 ** 6, 6);
    await expectPrinted(recur(given(2), 6), 2 * 2 ** 6, 6);
  });

  test('backpropagation through time adds the derivatives at all times: dA_t/dθ = t·θᵗ⁻¹·A₀ vanishes or explodes', async () => {
    const slope = (theta: number, steps: number): Tensor =>
      grad((v: Tensor) => Array.from({ length: steps }).reduce((a: Tensor) => a.mul(v) as Tensor, given(1)))(
        given(theta),
      );
    await expectPrinted(slope(0.5, 4), 4 * 0.5 ** 3, 6);
    await expectPrinted(slope(1.5, 4), 4 * 1.5 ** 3, 5);
    expect(Number(await slope(0.5, 50).item())).toBeLessThan(1e-12);
    expect(Number(await slope(1.5, 50).item())).toBeGreaterThan(1e9);
    await expectExact(slope(1, 50), 50);
  });

  test('with θ = QΛQᵀ the state is QΛᵗQᵀA₀: eigenvalues below 1 vanish, above 1 explode, 1 stay', async () => {
    const [c, s] = [0.6, 0.8];
    const q = given([
      [c, -s],
      [s, c],
    ]);
    const power = (a: number, b: number): Tensor =>
      q
        .matmul(
          given([
            [a, 0],
            [0, b],
          ]),
        )
        .matmul(q.T) as Tensor;
    const recur = (theta: Tensor, steps: number): Tensor =>
      Array.from({ length: steps }).reduce((a: Tensor) => theta.matmul(a) as Tensor, given([1, 2]));
    const expected = power(0.5 ** 8, 1.5 ** 8).matmul(given([1, 2]));
    await expectPrinted(recur(power(0.5, 1.5), 8), (await expected.array()) as number[], 3);
    await expectPrinted(recur(power(1, 1), 30), [1, 2], 4);
  });

  test('gradient clipping brings an exploding gradient back to the norm 1 and keeps its direction', async () => {
    const w = variable([3, 4]);
    w.mul(given([3e3, 4e3]))
      .sum()
      .backward();
    clipGradNorm_([w], 1);
    await expectPrinted(w.grad, [0.6, 0.8], 4);
  });

  test('an RNN shares its parameters over time: a longer sequence has no more of them', () => {
    const rnn = new RNN(3, 4);
    const count = rnn.parameters().reduce((sum, p) => sum + p.size, 0);
    for (const steps of [2, 20]) expect(rnn.forward(zeros([steps, 1, 3]))[0].shape).toEqual([steps, 1, 4]);
    expect(count).toBe(4 * 3 + 4 * 4 + 4 + 4);
  });

  const [N, D, H] = [2, 3, 2];
  /** Weights of the lecture's step: [D, 4H], [H, 4H], [4H], the gates in the order i, f, o, g. */
  const lecture = () => {
    manualSeed(2);
    const list = [[N, D], [N, H], [N, H], [D, 4 * H], [H, 4 * H], [4 * H]].map((shape) => randn(shape).detach());
    return list as Tensor[];
  };
  /** In nabla (as in PyTorch) the gates are rows, in the order i, f, g, o. */
  const reorder = (w: Tensor, dim: number): Tensor => {
    const [i, f, o, g] = w.split(H, dim) as Tensor[];
    return cat([i, f, g, o], dim) as Tensor;
  };
  const cellOf = (wx: Tensor, wh: Tensor, b: Tensor): LSTMCell<number, number> => {
    const cell = new LSTMCell(D, H);
    cell.loadStateDict({
      weight_ih: reorder(wx, 1).T,
      weight_hh: reorder(wh, 1).T,
      bias_ih: reorder(b, 0),
      bias_hh: zeros([4 * H]),
    } as never);
    return cell as LSTMCell<number, number>;
  };

  const gatesOf = (a: Tensor): Tensor[] => {
    const [ai, af, ao, ag] = [0, 1, 2, 3].map((k) => columns(a, k * H, (k + 1) * H));
    return [ai.sigmoid(), af.sigmoid(), ao.sigmoid(), ag.tanh()];
  };
  /** The step of the lecture: h and c next to each other, [N, 2H]. */
  const lstmStep = customOp({
    name: 'lstm_step',
    forward(ctx, x, prevH, prevC, wx, wh, b) {
      const [i, f, o, g] = gatesOf(x.matmul(wx).add(prevH.matmul(wh)).add(b) as Tensor);
      const nextC = f.mul(prevC).add(i.mul(g)) as Tensor;
      Object.assign(ctx.saved, { x, prevH, prevC, wx, wh, i, f, o, g, nextC });
      return cat([o.mul(nextC.tanh()) as Tensor, nextC], 1) as Tensor;
    },
    backward({ saved }, gradient) {
      const { x, prevH, prevC, wx, wh, i, f, o, g, nextC } = saved as Record<string, Tensor>;
      const [dnextH, dc] = [columns(gradient, 0, H), columns(gradient, H, 2 * H)];
      const t = nextC.tanh();
      const one = (v: Tensor): Tensor => v.neg().add(1) as Tensor;
      const dnextC = dc.add(o.mul(one(t.square() as Tensor)).mul(dnextH)) as Tensor;
      const slopes: [Tensor, Tensor][] = [
        [i.mul(one(i)) as Tensor, g.mul(dnextC) as Tensor],
        [f.mul(one(f)) as Tensor, prevC.mul(dnextC) as Tensor],
        [o.mul(one(o)) as Tensor, t.mul(dnextH) as Tensor],
        [one(g.square() as Tensor), i.mul(dnextC) as Tensor],
      ];
      const da = cat(
        slopes.map(([slope, d]) => slope.mul(d) as Tensor),
        1,
      ) as Tensor;
      return [
        da.matmul(wx.T) as Tensor,
        da.matmul(wh.T) as Tensor,
        f.mul(dnextC) as Tensor,
        x.T.matmul(da) as Tensor,
        prevH.T.matmul(da) as Tensor,
        da.sum(0) as Tensor,
      ];
    },
  });

  test('LSTM: the six formulas give the h and C of the cell', async () => {
    const [x, prevH, prevC, wx, wh, b] = lecture();
    const [h, c] = cellOf(wx, wh, b).forward(x as never, [prevH, prevC]);
    const own = lstmStep(x, prevH, prevC, wx, wh, b);
    await expectSame(columns(own, 0, H), h as Tensor);
    await expectSame(columns(own, H, 2 * H), c);
  });

  test('LSTM: the backward pass of the lecture agrees with finite differences and with the gradients of the cell', async () => {
    const inputs = lecture();
    expect((await checkGradient(lstmStep, inputs)).ok).toBe(true);
    const [x, prevH, prevC, wx, wh, b] = inputs;
    const cell = cellOf(wx, wh, b);
    const slope = (f: (h: Tensor) => Tensor): Tensor => grad((v: Tensor) => f(v).sum())(prevH);
    const own = slope((h) => columns(lstmStep(x, h, prevC, wx, wh, b), 0, H));
    await expectPrinted(
      own,
      (await slope((h) => cell.forward(x as never, [h, prevC])[0] as Tensor).array()) as number[][],
      5,
    );
  });

  test('LSTM: a forget gate of 1 and an input gate of 0 carry the cell state, and its gradient, unchanged through time', async () => {
    const cell = set(new LSTMCell(1, 1), {
      weight_ih: [[0], [0], [0], [0]],
      weight_hh: [[0], [0], [0], [0]],
      bias_ih: [-50, 50, 0, 0],
      bias_hh: [0, 0, 0, 0],
    });
    const run = (c0: Tensor): Tensor => {
      let [h, c] = [given([[0]]), c0];
      for (let t = 0; t < 10; t++) [h, c] = cell.forward(given([[1]]) as never, [h, c]) as [Tensor, Tensor];
      return c;
    };
    await expectExact(run(given([[0.7]])), [[0.7]]);
    await expectExact(grad((c: Tensor) => run(c).sum())(given([[0.7]])), [[1]]);
  });

  test('LSTM dimensions: states of 128 fit whatever the input is, through weights of 4·128 rows', () => {
    const cell = new LSTMCell(300, 128);
    expect(cell.parameters().map((p) => p.shape)).toEqual([[512, 300], [512, 128], [512], [512]]);
    const [h, c] = cell.forward(zeros([1, 300]));
    expect([h.shape, c.shape]).toEqual([
      [1, 128],
      [1, 128],
    ]);
  });
});
