// Ordinary programs: tensors, functions of one's own and derivatives. They compile under `strict` without a cast; types only,
// nothing here runs.

import {
  type AnyTensor,
  type CustomContext,
  type DType,
  type Shape,
  type Tensor,
  arange,
  avgPool2d,
  cat,
  checkGradient,
  compile,
  conv2d,
  customOp,
  embedding,
  full,
  grad,
  hessian,
  interpolate,
  jacobian,
  jvp,
  linspace,
  maxPool2d,
  noGrad,
  ones,
  rand,
  randint,
  randn,
  realize,
  scalarTensor,
  scaledDotProductAttention,
  show,
  stack,
  tensor,
  valueAndGrad,
  vjp,
  where,
  zeros,
} from 'nabla';
import { bceWithLogits, crossEntropy, functional, huberLoss, klDivLoss, mseLoss, nllLoss } from 'nabla/nn';

declare const n: number;
declare const names: string[];
declare const flag: boolean;

// ---------------------------------------------------------------- shapes that change

export function grown(count: number): Tensor {
  let s: Tensor = zeros([1, 4]);
  for (let i = 0; i < count; i++) s = cat([s, s], 1);
  return s;
}

export function padded(rows: readonly Tensor<[number]>[], length: number): Tensor<[number, number]> {
  return stack(rows.map((row) => cat([row, zeros([length - row.shape[0]])])));
}
export function bordered(x: Tensor<[number, 3, number, number]>): Tensor<[number, 3, number, number]> {
  return x.pad([
    [1, 1],
    [1, 1],
  ]);
}

export const byName: Record<string, Tensor> = Object.fromEntries(names.map((name) => [name, rand([n])]));
export const table: Tensor<[number, 3]> = rand([n, 3]);
export let current: Tensor<[4, 5]> = zeros([4, 5]);
current = rand([n, 5]);
current = grown(2);
current = current.mul(2).add(current.mean(0));
export const whole: Tensor<[number], 'int32'> = arange(5);
export const halves: Tensor<[number]> = arange(0, 2, 0.5);
export const counted: Tensor<[number], 'int32'> = arange(n);

/** A sum that starts at nothing. */
export function total(parts: readonly Tensor<[]>[]): Tensor<[]> {
  let sum: Tensor<[]> = tensor(0);
  for (const part of parts) sum = sum.add(part);
  return parts.reduce((a, b) => a.add(b), sum);
}
export function first(found: Map<string, Tensor>, name: string): Tensor {
  return found.get(name) ?? zeros([1]);
}
export function either(x: Tensor<[number, 4]>, y: Tensor): Tensor<[number, 4]> {
  const chosen = flag ? x : y;
  return chosen.relu();
}
export function optional(x: Tensor<[number, 4]>, mask?: Tensor<[number, 1]>): Tensor<[number, 4]> {
  return mask === undefined ? x : x.mul(mask);
}

// ---------------------------------------------------------------- helpers

export function standardised(x: Tensor): Tensor {
  const mean = x.mean(0, { keepdim: true });
  return x.sub(mean).div(x.std(0, { keepdim: true }).add(1e-5));
}
export function centred<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return x.sub(x.mean(0));
}
export const centredRows: Tensor<[4, 3]> = centred(rand([4, 3]));
export const distances = (a: Tensor<[number, 8]>, b: Tensor<[number, 8]>): Tensor<[number, number]> =>
  a.unsqueeze(1).sub(b.unsqueeze(0)).pow(2).sum(2).sqrt();
export function cosine<N extends number>(a: Tensor<[N, 16]>, b: Tensor<[N, 16]>): Tensor<[N]> {
  return a
    .mul(b)
    .sum(1)
    .div(a.norm(2, 1).mul(b.norm(2, 1)));
}
export function lookedUp(weights: Tensor<[number, 16]>, ids: Tensor<[number, number], 'int32'>) {
  const rows: Tensor<[number, number, 16]> = embedding(weights, ids);
  return rows.mean(1);
}
/** What einsum('bhqd,bhkd->bhqk') is. */
export function scores(q: Tensor<[2, 4, 10, 16]>, k: Tensor<[2, 4, 12, 16]>): Tensor<[2, 4, 10, 12]> {
  return q.matmul(k.permute([0, 1, 3, 2])).div(Math.sqrt(16));
}
export function attended(q: Tensor, k: Tensor, v: Tensor, mask?: Tensor<Shape, 'bool'>): Tensor {
  return scaledDotProductAttention(q, k, v, mask === undefined ? {} : { mask });
}
export function masked(scored: Tensor<[number, number, number]>, lengths: Tensor<[number], 'int32'>) {
  const steps = arange(scored.shape[2]).reshape([1, 1, -1]);
  return where(steps.lt(lengths.reshape([-1, 1, 1])), scored, -Infinity).softmax(-1);
}
export function picked(logits: Tensor<[number, 10]>, labels: Tensor<[number], 'int32'>): Tensor<[number]> {
  return logits.logSoftmax(1).gather(1, labels.unsqueeze(1)).squeeze(1).neg();
}
export function indexed(x: Tensor<[8, 6, 4]>) {
  const row: Tensor<[number, number]> = x.index(0);
  const part: Tensor<[number, 6, 4]> = x.index([2, 5]);
  const some = x.index(tensor([0, 2], { dtype: 'int32' }), null, [0, null, 2]);
  return [row, part, some, x.indexSelect(1, arange(3)), x.slice(2, 1, 3), x.flip(0), x.roll(1, 2)];
}
export function ordered(x: Tensor<[number, 10]>): [Tensor<[number, 3]>, Tensor<[number, 3], 'int32'>] {
  const { values, indices } = x.topk(3);
  const { values: best } = x.max(1, { keepdim: true });
  return [values.sub(best), indices];
}
export function blurred(x: Tensor<[number, 1, number, number]>): Tensor {
  const kernel = full([1, 1, 3, 3], 1 / 9);
  return maxPool2d(avgPool2d(conv2d(x, kernel, { padding: 1 }), 2), 2);
}
export function pyramids(
  x: Tensor<[number, 3, number, number]>,
  kernels: readonly Tensor<[8, 3, 3, 3]>[],
): AnyTensor[] {
  return kernels.map((kernel) => conv2d(x, kernel, { padding: 1 }));
}
export const doubled = (x: Tensor<[number, 3, 8, 8]>): Tensor => interpolate(x, { scaleFactor: 2, mode: 'bilinear' });
export const grid: Tensor<[number, number, 2]> = stack(
  [linspace(0, 1, n).unsqueeze(0).expand([n, n]), linspace(0, 1, n).unsqueeze(1).expand([n, n])],
  2,
);
export function noise(like: Tensor): Tensor {
  return randn(like.shape).mul(0.1).add(like);
}
export const labelled: Tensor<[number, 5]> = randint(0, 5, [n]).oneHot(5);
export function kinds<D extends DType>(x: Tensor<[number], D>): Tensor<[number]> {
  return x.to('float32').add(x.to('bool').logicalNot().to('int32').sum());
}

// ---------------------------------------------------------------- reading

export async function rowsOf(t: Tensor<[number, 3]>): Promise<number[][]> {
  const rows: number[][] = await t.array();
  const flags: boolean[] = await t.sum(1).gt(0).array();
  return rows.filter((_, i) => flags[i]);
}
export async function read(loss: Tensor<[]>, logits: Tensor<[number, 10]>): Promise<string> {
  const [value, data] = await Promise.all([loss.item(), logits.data()]);
  const labels: Int32Array = await logits.argmax(1).data();
  const one: number = await loss.array();
  await realize(loss, logits);
  await show(logits);
  return `${value.toFixed(3)} ${one} ${data.length} ${labels[0]}`;
}
export async function nestedUnknown(t: Tensor): Promise<unknown> {
  return JSON.stringify(await t.array());
}
export async function fromRows(rows: number[][], ids: Uint8Array): Promise<Tensor> {
  const x: Tensor<[number, number]> = tensor(rows);
  const y: Tensor<[number], 'int32'> = tensor(Array.from(ids), { dtype: 'int32' });
  return x.add(y.sum());
}

// ---------------------------------------------------------------- derivatives, operators of one's own, compile

export const clipped = customOp({
  name: 'clipped',
  forward(ctx: CustomContext<{ t: Tensor }>, t: Tensor) {
    ctx.saved.t = t;
    return t.clamp(-1, 1);
  },
  backward: (ctx, g) => [g.mul(ctx.saved.t.abs().le(1))],
});
export const passed: Tensor<[3]> = clipped(tensor([1, 2, 3]));

export const affine = customOp({
  name: 'affine',
  forward(
    ctx: CustomContext<{ x: Tensor<[number, 4]>; w: Tensor<[4, 2]> }>,
    x: Tensor<[number, 4]>,
    w: Tensor<[4, 2]>,
  ) {
    Object.assign(ctx.saved, { x, w });
    return x.matmul(w);
  },
  backward: ({ saved: { x, w } }, g) => [g.matmul(w.T), x.T.matmul(g)],
});
export const mapped: Tensor<[number, 2]> = affine(rand([3, 4]), rand([4, 2]));

export function derivatives(point: Tensor<[2]>): Tensor[] {
  const f = (x: Tensor) => x.pow(2).sum();
  const slope: Tensor<[2]> = grad((x: Tensor<[2]>) => x.pow(3).sum())(point);
  const { value, grads } = valueAndGrad((a, b) => a.mul(b).sum())(point, slope);
  const { tangent } = jvp((x) => x.sin(), [point], [ones([2])]);
  const [pulled] = vjp((x) => x.cos(), point).pull(ones([2]));
  const matrix: Tensor<[2, 2]> = jacobian((x) => x.pow(2), point);
  return [value, ...grads, tangent, pulled, matrix, hessian(f, point)];
}
export async function checked(): Promise<boolean> {
  const { ok } = await checkGradient((x, y) => x.matmul(y).tanh(), [rand([2, 3]), rand([3, 2])]);
  return ok;
}
export async function compiled(): Promise<number> {
  let beta = 0;
  const weight = scalarTensor(() => beta);
  const step = compile(async (x: Tensor<[number, 4]>, y: Tensor<[number], 'int32'>) => crossEntropy(x.mul(weight), y));
  beta = 1;
  return (await step(rand([3, 4]), randint(0, 4, [3]))).item();
}
export function frozen(f: (x: Tensor) => Tensor, x: Tensor<[number, 4]>): Tensor<[number, 4]> {
  return noGrad(() => f(x).detach());
}
export function gradients(parameters: readonly Tensor[]): Tensor[] {
  return parameters.flatMap(({ grad: g }) => (g === undefined ? [] : [g.abs().max()]));
}

// ---------------------------------------------------------------- losses

export function losses(logits: Tensor<[number, 10]>, labels: Tensor<[number], 'int32'>, soft: Tensor<[number, 10]>) {
  const weights = ones([10]);
  const each: Tensor<[number]> = crossEntropy(logits, labels, { reduction: 'none', labelSmoothing: 0.1 });
  const mean: Tensor<[]> = crossEntropy(logits, soft, { weight: weights });
  return each
    .mean()
    .add(mean)
    .add(nllLoss(logits.logSoftmax(1), labels, { ignoreIndex: 0 }))
    .add(klDivLoss(logits.logSoftmax(1), soft, { reduction: 'batchMean' }))
    .add(bceWithLogits(logits, soft, { posWeight: weights }))
    .add(mseLoss(logits, soft, { reduction: 'sum' }))
    .add(huberLoss(logits, soft, { delta: 0.5 }));
}
/** What is not known of a shape fits: of a batch, of a picture, of any tensor. */
export function openLosses(any: Tensor, batch: Tensor<[number, 3, number, number]>, masks: Tensor<Shape, 'int32'>) {
  const last = mseLoss(any, batch)
    .add(mseLoss(batch, any))
    .add(bceWithLogits(batch, rand([8, 3, 32, 32])));
  const pixels: Tensor<[number, number, number], 'int32'> = zeros([8, 32, 32], { dtype: 'int32' });
  return last
    .add(crossEntropy(batch, masks))
    .add(crossEntropy(batch, pixels))
    .add(crossEntropy(any, masks))
    .add(crossEntropy(batch, batch.softmax(1)))
    .add(mseLoss(rand([5, 1]).squeeze(1), rand([5])));
}
export function choices(mask: Tensor<Shape, 'bool'>, x: Tensor<[number, 8]>, column: Tensor<[number, 1]>) {
  const masked: Tensor<[number, 8]> = where(x.gt(0), x, column);
  return [masked, where(mask, x, column), where(column.gt(0), x, 0), where(x.gt(0), 0, column)] as const;
}
export type Loss = (output: Tensor, target: Tensor) => Tensor<[]>;
export const chosenLoss = (name: string): Loss => (name === 'l2' ? mseLoss : (a, b) => a.sub(b).abs().mean());
export const activations: Record<string, (x: Tensor) => Tensor> = {
  relu: (x) => x.relu(),
  leaky: functional.leakyRelu,
  gelu: (x) => x.gelu(),
};
