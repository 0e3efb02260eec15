// Ordinary programs, which compile without a cast, and wrong ones, which do not: what people write whose shapes are known in part,
// by number, or not at all. Types only; nothing here runs.

import {
  type AnyTensor,
  type CustomContext,
  type Tensor,
  arange,
  cat,
  conv2d,
  customOp,
  ones,
  rand,
  stack,
  tensor,
  zeros,
} from 'nabla';
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Embedding,
  Flatten,
  GRU,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  MultiheadAttention,
  Parameter,
  ReLU,
  Sequential,
  crossEntropy,
} from 'nabla/nn';
import { Adam } from 'nabla/optim';

declare const n: number;
declare const names: string[];
declare const flag: boolean;

// ---------------------------------------------------------------- right

/** A residual stack in a loop, with a variable that is assigned anew. */
export class Stack extends Module {
  readonly first = new Linear(8, 32);
  readonly blocks = Array.from({ length: 4 }, () => new Linear(32, 32));
  readonly head = new Linear(32, 10);

  forward(x: Tensor<[number, 8]>): Tensor<[number, 10]> {
    let h = this.first.forward(x);
    for (const block of this.blocks) h = block.forward(h).relu().add(h);
    return this.head.forward(h);
  }
}

/** Widths that are known when it runs. */
export class Mlp extends Module {
  readonly layers: Linear<number, number>[];
  constructor(widths: readonly number[]) {
    super();
    this.layers = widths.slice(1).map((to, i) => new Linear(widths[i], to));
  }
  forward(x: Tensor): Tensor {
    let h = x;
    for (const layer of this.layers) h = layer.forward(h).relu();
    return h;
  }
}

/** An optional layer, and one of two. */
export class Optional extends Module {
  readonly dropout = flag ? new Dropout(0.1) : undefined;
  readonly shortcut = flag ? new Conv2d(16, 16, 1) : undefined;
  readonly conv = new Conv2d(16, 16, 3, { padding: 1 });
  forward(x: Tensor<[number, 16, number, number]>): Tensor<[number, 16, number, number]> {
    const y = this.conv.forward(x);
    const past = this.shortcut === undefined ? x : this.shortcut.forward(x);
    const sum = y.add(past).relu();
    return this.dropout === undefined ? sum : this.dropout.forward(sum);
  }
}

/** Tokens by position, an attention, and weights shared with the embedding. */
export class Language extends Module {
  readonly tokens = new Embedding(100, 32);
  readonly positions = new Embedding(64, 32);
  readonly norm = new LayerNorm(32);
  readonly attention = new MultiheadAttention(32, 4);
  forward(ids: Tensor<[number, number], 'int32'>): Tensor<[number, number, 100]> {
    const [, length] = ids.shape;
    const x = this.norm.forward(this.tokens.forward(ids).add(this.positions.forward(arange(length))));
    const [y] = this.attention.forward(x, x, x);
    return y.matmul(this.tokens.weight.transpose(0, 1));
  }
}

/** The last state of a recurrent network. */
export class Last extends Module {
  readonly gru = new GRU(6, 16, { batchFirst: true });
  readonly head = new Linear(16, 2);
  forward(x: Tensor<[number, number, 6]>): Tensor<[number, 2]> {
    const [, h] = this.gru.forward(x);
    return this.head.forward(h.reshape([-1, 16]));
  }
}

export function images(x: Tensor): Tensor<[number, 10]> {
  const net = new Sequential(new Conv2d(3, 8, 3), new BatchNorm2d(8), new ReLU(), new MaxPool2d(2), new Flatten());
  return new Linear(net.forward(x).shape[1], 10).forward(net.forward(x));
}

export function grown(count: number): Tensor {
  let s: Tensor = zeros([1, 4]);
  for (let i = 0; i < count; i++) s = cat([s, s], 1);
  return s;
}

export function padded(rows: readonly Tensor<[number]>[], length: number): Tensor<[number, number]> {
  return stack(rows.map((row) => cat([row, zeros([length - row.shape[0]])])));
}

export const anyLayers = (modules: readonly { forward(x: Tensor): Tensor }[], x: Tensor): Tensor =>
  modules.reduce((h, module) => module.forward(h), x);
anyLayers([new Linear(4, 4), new ReLU(), new Stack(), new Mlp([n, 2])], rand([n, 4]));

export function standardised(x: Tensor): Tensor {
  const mean = x.mean(0, { keepdim: true });
  return x.sub(mean).div(x.std(0, { keepdim: true }).add(1e-5));
}

export async function trained(model: Stack, batches: AsyncIterable<{ x: Tensor; y: Tensor<number[], 'int32'> }>) {
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  for await (const { x, y } of batches) {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x), y);
    loss.backward();
    await optimizer.step();
  }
}

export async function rowsOf(t: Tensor<[number, 3]>): Promise<number[][]> {
  const rows: number[][] = await t.array();
  const flags: boolean[] = await t.sum(1).gt(0).array();
  return rows.filter((_, i) => flags[i]);
}

/** A layer with a scale of its own, for any shape. */
export class Scale extends Module {
  readonly factor = new Parameter(ones([1]));
  forward(x: Tensor): Tensor {
    return x.mul(this.factor);
  }
}
export const scaled: Tensor<[2, 2]> = new Scale().forward(
  tensor([
    [1, 2],
    [3, 4],
  ]),
);

export const clipped = customOp({
  name: 'clipped',
  forward(ctx: CustomContext<{ t: Tensor }>, t: Tensor) {
    ctx.saved.t = t;
    return t.clamp(-1, 1);
  },
  backward: (ctx, g) => [g.mul(ctx.saved.t.abs().le(1))],
});
export const passed: Tensor<[3]> = clipped(tensor([1, 2, 3]));

export function pyramids(
  x: Tensor<[number, 3, number, number]>,
  kernels: readonly Tensor<[8, 3, 3, 3]>[],
): AnyTensor[] {
  return kernels.map((kernel) => conv2d(x, kernel, { padding: 1 }));
}

export const byName: Record<string, Tensor> = Object.fromEntries(names.map((name) => [name, rand([n])]));
export const table: Tensor<[number, 3]> = rand([n, 3]);
export let current: Tensor<[4, 5]> = zeros([4, 5]);
current = rand([n, 5]);
current = grown(2);
export const whole: Tensor<[number], 'int32'> = arange(5);
export const halves: Tensor<[number]> = arange(0, 2, 0.5);
export const counted: Tensor<[number], 'int32'> = arange(n);

new Linear(8, 4).registerForwardHook((layer, _inputs, output) => [layer.weight.shape, output.shape]);

// ---------------------------------------------------------------- wrong

declare const x: Tensor<[number, 8]>;
declare const deep: Tensor<[number, 8, number]>;
declare const ids: Tensor<[number, number], 'int32'>;
const model = new Stack();

// @ts-expect-error 9 features
model.forward({} as Tensor<[number, 9]>);
// @ts-expect-error three dimensions
model.forward(deep);
// @ts-expect-error integers
model.forward(ids);
// @ts-expect-error 10 classes, not 9
export const nine: Tensor<[number, 9]> = model.forward(x);
// @ts-expect-error 8 and 9 columns
x.add({} as Tensor<[number, 9]>);
// @ts-expect-error 8 and 9 inside
x.matmul({} as Tensor<[9, 2]>);
// @ts-expect-error no dimension 2
x.sum(2);
// @ts-expect-error 8 columns into 9
current = {} as Tensor<[4, 9]>;
// @ts-expect-error a matrix into a vector
export const vector: Tensor<[8]> = x;
// @ts-expect-error rows of a matrix are no numbers
export const flat: Promise<number[]> = x.array();
// @ts-expect-error truth values
export const truths: Promise<number[]> = {} as ReturnType<Tensor<[3], 'bool'>['array']>;
// @ts-expect-error halves are no indices
new Embedding(4, 2).forward(arange(0, 2, 0.5));
// @ts-expect-error floats are no tokens
new Language().forward(x);
// @ts-expect-error 6 channels, not 16
new Optional().forward({} as Tensor<[number, 6, number, number]>);
// @ts-expect-error an image is no sequence
new Last().forward({} as Tensor<[1, 3, 8, 8]>);
// @ts-expect-error the neighbours do not fit
new Sequential(new Linear(8, 4), new ReLU(), new Linear(5, 2));
// @ts-expect-error 8 and 4 columns
cat([x, {} as Tensor<[number, 4]>], 0);
// @ts-expect-error different shapes
stack([{} as Tensor<[2]>, {} as Tensor<[3]>]);
// @ts-expect-error no such layer
anyLayers([new Adam(model.parameters())], x);
// @ts-expect-error takes one tensor
clipped(x, x);
customOp({
  name: 'wrong',
  forward: (_: CustomContext<{ t: Tensor }>, t: Tensor) => t,
  // @ts-expect-error nothing of that name was saved
  backward: (ctx) => [ctx.saved.u],
});
// @ts-expect-error ragged
tensor([[1, 2], [3]]);
// @ts-expect-error the model is not its parameters
new Adam(model);
