// Ordinary programs: networks. They compile under `strict` without a cast; types only, nothing here runs.

import { type Shape, type Tensor, arange, cat, ones, rand, randn, stack, zeros } from 'nabla';
import {
  BatchNorm2d,
  Conv1d,
  Conv2d,
  ConvTranspose2d,
  Dropout,
  Embedding,
  Flatten,
  GELU,
  GRU,
  GRUCell,
  Identity,
  LSTM,
  LSTMCell,
  type Layer,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  ModuleDict,
  ModuleList,
  MultiheadAttention,
  Parallel,
  Parameter,
  ReLU,
  Residual,
  Sequential,
  SinusoidalPositions,
  Tanh,
  TransformerEncoder,
  TransformerEncoderLayer,
  Upsample,
  functional,
  init,
} from 'nabla/nn';
import { GPT, cnn, mlp, resnet18 } from 'nabla/models';

declare const n: number;
declare const flag: boolean;

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
    return this.dropout?.forward(sum) ?? sum;
  }
}

/** One kind of layer or another, decided by an option. */
export class Chosen extends Module {
  readonly norm: LayerNorm<32> | Identity;
  readonly act: ReLU | GELU | Tanh;
  readonly linear = new Linear(32, 32);
  constructor(options: { readonly norm?: boolean; readonly act?: 'relu' | 'gelu' | 'tanh' } = {}) {
    super();
    this.norm = options.norm === true ? new LayerNorm(32) : new Identity();
    this.act = options.act === 'gelu' ? new GELU() : options.act === 'tanh' ? new Tanh() : new ReLU();
  }
  forward(x: Tensor<[number, 32]>): Tensor<[number, 32]> {
    return this.act.forward(this.norm.forward(this.linear.forward(x)));
  }
}

/** A list of modules as PyTorch has it, grown in the constructor. */
export class Listed extends Module {
  readonly layers = new ModuleList<Linear<64, 64>>();
  readonly norms: ModuleList<LayerNorm<64>>;
  constructor(depth: number) {
    super();
    for (let i = 0; i < depth; i++) this.layers.append(new Linear(64, 64));
    this.norms = new ModuleList(Array.from({ length: depth }, () => new LayerNorm(64)));
  }
  forward(x: Tensor<[number, 64]>): Tensor<[number, 64]> {
    let h = x;
    for (const layer of this.layers) h = layer.forward(h).relu();
    for (let i = 0; i < this.norms.length; i++) h = this.norms.at(i).forward(h);
    return h;
  }
}

/** Heads by name. */
export class Heads extends Module {
  readonly body = new Linear(8, 16);
  readonly heads = new ModuleDict({ mean: new Linear(16, 1), scale: new Linear(16, 1) });
  forward(x: Tensor<[number, 8]>): Record<string, Tensor> {
    const h = this.body.forward(x).tanh();
    const out: Record<string, Tensor> = {};
    for (const [name, head] of this.heads) out[name] = head.forward(h);
    return out;
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

/** Sequences of different lengths, both directions, the mean over what is there. */
export class Tagger extends Module {
  readonly words = new Embedding(1000, 24, { paddingIdx: 0 });
  readonly lstm = new LSTM(24, 32, { batchFirst: true, bidirectional: true, numLayers: 2 });
  readonly out = new Linear(64, 5);
  forward(ids: Tensor<[number, number], 'int32'>, lengths: Tensor<[number], 'int32'>): Tensor<[number, number, 5]> {
    const [output, [h, c]] = this.lstm.forward(this.words.forward(ids), undefined, { lengths });
    const last = h.add(c).mean(0);
    return this.out.forward(output).add(last.sum());
  }
}

/** A cell in a loop, with a state that is carried over. */
export class Rolled extends Module {
  readonly cell = new GRUCell(4, 8);
  readonly memory = new LSTMCell(8, 8);
  forward(x: Tensor<[number, number, 4]>): Tensor<[number, number, 8]> {
    const [batch, time] = x.shape;
    let h: Tensor<[number, 8]> = zeros([batch, 8]);
    let state: [Tensor<[number, 8]>, Tensor<[number, 8]>] = [h, h];
    const outputs: Tensor<[number, 8]>[] = [];
    for (let t = 0; t < time; t++) {
      h = this.cell.forward(x.slice(1, t, t + 1).squeeze(1), h);
      state = this.memory.forward(h, state);
      outputs.push(state[0]);
    }
    return stack(outputs, 1);
  }
}

/** Attention by hand: heads split, a causal mask, heads joined. */
export class CausalAttention extends Module {
  readonly qkv = new Linear(64, 192);
  readonly out = new Linear(64, 64);
  forward(x: Tensor<[number, number, 64]>): Tensor<[number, number, 64]> {
    const [batch, length] = x.shape;
    const [q, k, v] = this.qkv
      .forward(x)
      .chunk(3, 2)
      .map((t) => t.reshape([batch, length, 4, 16]).transpose(1, 2));
    const mask = ones([length, length]).triu(1).mul(-1e9);
    const scores = q.matmul(k.transpose(-2, -1)).mul(0.25).add(mask);
    const mixed = scores.softmax(-1).matmul(v);
    return this.out.forward(mixed.transpose(1, 2).reshape([batch, length, 64]));
  }
}

/** A block of a transformer, with the norm first. */
export class Block extends Module {
  readonly norm1 = new LayerNorm(64);
  readonly attention = new CausalAttention();
  readonly norm2 = new LayerNorm(64);
  readonly mlp = new Sequential(new Linear(64, 256), new GELU(), new Linear(256, 64), new Dropout(0.1));
  forward(x: Tensor<[number, number, 64]>): Tensor<[number, number, 64]> {
    const h = x.add(this.attention.forward(this.norm1.forward(x)));
    return h.add(this.mlp.forward(this.norm2.forward(h)));
  }
}
export const blocks = new Sequential(new Block(), new Block(), new LayerNorm(64), new Linear(64, 100));
export const logits: Tensor<[number, number, 100]> = blocks.forward(rand([2, n, 64]));

/** Patches of a picture, a token of the class, an encoder. */
export class Vit extends Module {
  readonly patches = new Conv2d(3, 48, 4, { stride: 4 });
  readonly token = new Parameter(zeros([1, 1, 48]));
  readonly positions = new Parameter(randn([1, 65, 48]).mul(0.02));
  readonly encoder = new TransformerEncoder(new TransformerEncoderLayer(48, 4), 2);
  readonly head = new Linear(48, 10);
  forward(x: Tensor<[number, 3, 32, 32]>): Tensor<[number, 10]> {
    const p = this.patches.forward(x).flatten(2).transpose(1, 2);
    const tokens = cat([this.token.expand([x.shape[0], 1, 48]), p], 1).add(this.positions);
    return this.head.forward(this.encoder.forward(tokens).slice(1, 0, 1).squeeze(1));
  }
}

/** Down and up again, with what was seen on the way. */
export class Unet extends Module {
  readonly down1 = new Conv2d(1, 16, 3, { padding: 1 });
  readonly down2 = new Conv2d(16, 32, 3, { padding: 1 });
  readonly pool = new MaxPool2d(2);
  readonly up = new ConvTranspose2d(32, 16, 2, { stride: 2 });
  readonly last = new Conv2d(32, 1, 1);
  forward(x: Tensor<[number, 1, number, number]>): Tensor<[number, 1, number, number]> {
    const a = this.down1.forward(x).relu();
    const b = this.down2.forward(this.pool.forward(a)).relu();
    return this.last.forward(cat([a, this.up.forward(b)], 1)).sigmoid();
  }
}

/** Numbers drawn in between. */
export class Vae extends Module {
  readonly encoder = new Sequential(new Flatten(), new Linear(784, 128), new ReLU());
  readonly mean = new Linear(128, 8);
  readonly logVar = new Linear(128, 8);
  readonly decoder = new Sequential(new Linear(8, 128), new ReLU(), new Linear(128, 784));
  encode(x: Tensor): { mean: Tensor<[number, 8]>; logVar: Tensor<[number, 8]> } {
    const h = this.encoder.forward(x);
    return { mean: this.mean.forward(h), logVar: this.logVar.forward(h) };
  }
  forward(x: Tensor): Tensor<[number, 784]> {
    const { mean, logVar } = this.encode(x);
    const z = mean.add(randn(mean.shape).mul(logVar.mul(0.5).exp()));
    return this.decoder.forward(z).sigmoid();
  }
}

/** Two inputs of a network, one of them looked up. */
export class Recommender extends Module {
  readonly users = new Embedding(500, 16);
  readonly items = new Embedding(900, 16);
  readonly bias = new Parameter(zeros([1]));
  forward(user: Tensor<[number], 'int32'>, item: Tensor<[number], 'int32'>): Tensor<[number]> {
    return this.users.forward(user).mul(this.items.forward(item)).sum(1).add(this.bias);
  }
}

/** Two networks against each other, and weights shared by two branches. */
export class Siamese extends Module {
  readonly tower: Sequential<[Linear<16, 32>, ReLU, Linear<32, 8>]>;
  constructor() {
    super();
    this.tower = new Sequential(new Linear(16, 32), new ReLU(), new Linear(32, 8));
  }
  forward(a: Tensor<[number, 16]>, b: Tensor<[number, 16]>): Tensor<[number]> {
    return this.tower.forward(a).sub(this.tower.forward(b)).norm(2, 1);
  }
}

/** A layer with a scale of its own, for any shape. */
export class Scale extends Module {
  readonly factor = new Parameter(ones([1]));
  forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.mul(this.factor);
  }
}
export const scaled: Tensor<[2, 2]> = new Scale().forward(rand([2, 2]));

/** A layer for widths that a type parameter holds. */
export class Gated<N extends number> extends Module {
  readonly value: Linear<N, N>;
  readonly gate: Linear<N, N>;
  constructor(width: N) {
    super();
    this.value = new Linear(width, width);
    this.gate = new Linear(width, width);
  }
  forward(x: Tensor<[number, N]>): Tensor<[number, N]> {
    return this.value.forward(x).mul(this.gate.forward(x).sigmoid()).add(x);
  }
}
export const gated: Tensor<[number, 12]> = new Gated(12).forward(rand([3, 12]));

/** An experts' mixture: a stack of outputs, weighted. */
export class Mixture extends Module {
  readonly gate = new Linear(8, 3);
  readonly experts = [new Linear(8, 4), new Linear(8, 4), new Linear(8, 4)];
  forward(x: Tensor<[number, 8]>): Tensor<[number, 4]> {
    const weights = this.gate.forward(x).softmax(1).unsqueeze(2);
    const outputs = stack(
      this.experts.map((expert) => expert.forward(x)),
      1,
    );
    return outputs.mul(weights).sum(1);
  }
}

/** What PyTorch does with `nn.Sequential(*layers)`. */
export function sequential(depth: number, width: number): Module {
  const layers: Module[] = [];
  for (let i = 0; i < depth; i++) layers.push(new Linear(width, width), new ReLU());
  if (flag) layers.push(new Dropout(0.5));
  return new Sequential(...layers, new Linear(width, 1));
}
export function convolutional(channels: readonly number[]): Tensor {
  let h: Tensor = rand([n, channels[0], 32, 32]);
  channels.slice(1).forEach((to, i) => {
    h = new BatchNorm2d(to).forward(new Conv2d(channels[i], to, 3, { padding: 'same' }).forward(h)).relu();
  });
  return h.mean([2, 3]);
}

export function images(x: Tensor): Tensor<[number, 10]> {
  const net = new Sequential(new Conv2d(3, 8, 3), new BatchNorm2d(8), new ReLU(), new MaxPool2d(2), new Flatten());
  return new Linear(net.forward(x).shape[1], 10).forward(net.forward(x));
}

export const anyLayers = (modules: readonly { forward(x: Tensor): Tensor }[], x: Tensor): Tensor =>
  modules.reduce((h, module) => module.forward(h), x);
anyLayers([new Linear(4, 4), new ReLU(), new Stack(), new Mlp([n, 2]), new Scale()], rand([n, 4]));

export const containers = new Sequential(
  new Residual([new Linear(16, 16), new ReLU()]),
  new Parallel([new Linear(16, 4), new Linear(16, 4)]),
);
export const contained: Tensor<[number, 8]> = containers.forward(rand([2, 16]));

/** Weights by hand: initialised, frozen, tied, counted. */
export function prepared(model: Module): number {
  model.apply((m) => {
    if (m instanceof Linear) init.kaimingNormal_(m.weight, { nonlinearity: 'relu' });
    if (m instanceof Conv2d && m.bias !== undefined) init.zeros_(m.bias);
  });
  for (const [name, parameter] of model.namedParameters()) if (name.startsWith('body.')) parameter.requiresGrad_(false);
  return model.parameters().reduce((sum, parameter) => sum + parameter.size, 0);
}
export function hooked(layer: Linear<number, number>): Tensor[] {
  const seen: Tensor[] = [];
  layer.registerForwardHook((_layer, _inputs, output) => void seen.push(output.detach()));
  layer.registerForwardHook((from, _inputs, output) => [from.weight.shape, output.shape]);
  return seen;
}

export function audio(x: Tensor<[number, 1, 16000]>): Tensor {
  const net = new Sequential(new Conv1d(1, 16, 80, { stride: 16 }), new ReLU(), new Conv1d(16, 32, 3));
  return functional.leakyRelu(net.forward(x), 0.1).amax(2);
}
export function enlarged(x: Tensor<[number, 3, 16, 16]>): Tensor<[number, 3, 32, 32]> {
  return new Upsample({ scaleFactor: 2 }).forward(x);
}
export function positioned(ids: Tensor<[number, number], 'int32'>) {
  return new SinusoidalPositions(32).forward(new Embedding(10, 32).forward(ids));
}
export const ready: Module[] = [resnet18(), mlp([4, 8, 3]), cnn({ channels: 1 })];
export const gpt = (options: ConstructorParameters<typeof GPT>[0]) => new GPT(options);
export const layerOf = (layer: Layer<never>): string => layer.constructor.name;
