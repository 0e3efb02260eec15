// The networks of W4 to W7 and I1; parameters come in the order of the PyTorch runner that they are compared with.

import { arange, cat, maxPool2d, ones, stack, where, zeros } from 'nabla';
import {
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Embedding,
  LayerNorm,
  Linear,
  Module,
  Parameter,
  ReLU,
  Sequential,
} from 'nabla/nn';

class BasicBlock extends Module {
  constructor(from, to, stride) {
    super();
    this.conv1 = new Conv2d(from, to, 3, { stride, padding: 1, bias: false });
    this.norm1 = new BatchNorm2d(to);
    this.conv2 = new Conv2d(to, to, 3, { padding: 1, bias: false });
    this.norm2 = new BatchNorm2d(to);
    if (stride !== 1 || from !== to) {
      this.conv3 = new Conv2d(from, to, 1, { stride, bias: false });
      this.norm3 = new BatchNorm2d(to);
    }
  }

  forward(x) {
    const y = this.norm2.forward(this.conv2.forward(this.norm1.forward(this.conv1.forward(x)).relu()));
    return y.add(this.conv3 === undefined ? x : this.norm3.forward(this.conv3.forward(x))).relu();
  }
}

/** With a 3×3 stem for small images, or with ImageNet's. */
export class ResNet18 extends Module {
  constructor({ imagenet = false, classes = 10 } = {}) {
    super();
    this.imagenet = imagenet;
    this.stem = imagenet
      ? new Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false })
      : new Conv2d(3, 64, 3, { padding: 1, bias: false });
    this.norm = new BatchNorm2d(64);
    const blocks = [];
    let from = 64;
    for (const [to, stride] of [
      [64, 1],
      [128, 2],
      [256, 2],
      [512, 2],
    ]) {
      blocks.push(new BasicBlock(from, to, stride), new BasicBlock(to, to, 1));
      from = to;
    }
    this.blocks = new Sequential(...blocks);
    this.classifier = new Linear(512, classes);
  }

  forward(x) {
    let y = this.norm.forward(this.stem.forward(x)).relu();
    if (this.imagenet) y = maxPool2d(y, 3, { stride: 2, padding: 1 });
    y = this.blocks.forward(y);
    return this.classifier.forward(y.mean([2, 3]));
  }
}

/** Batch first, one layer. */
export class LSTM extends Module {
  constructor(inputs, hidden) {
    super();
    this.hidden = hidden;
    this.weightIh = new Parameter(zeros([4 * hidden, inputs]));
    this.weightHh = new Parameter(zeros([4 * hidden, hidden]));
    this.biasIh = new Parameter(zeros([4 * hidden]));
    this.biasHh = new Parameter(zeros([4 * hidden]));
  }

  forward(x) {
    const [batch, steps] = x.shape;
    const gates = x.matmul(this.weightIh.transpose(0, 1)).add(this.biasIh).add(this.biasHh);
    const recurrent = this.weightHh.transpose(0, 1);
    let [h, c] = [zeros([batch, this.hidden]), zeros([batch, this.hidden])];
    const outputs = [];
    for (let t = 0; t < steps; t++) {
      const [i, f, g, o] = gates.index(null, t).add(h.matmul(recurrent)).chunk(4, 1);
      c = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
      h = o.sigmoid().mul(c.tanh());
      outputs.push(h);
    }
    return stack(outputs, 1);
  }
}

export class CharLSTM extends Module {
  constructor() {
    super();
    this.embedding = new Embedding(65, 64);
    this.lstm = new LSTM(64, 256);
    this.head = new Linear(256, 65);
  }

  forward(x) {
    return this.head.forward(this.lstm.forward(this.embedding.forward(x)));
  }
}

class GPTBlock extends Module {
  constructor(width, heads) {
    super();
    this.heads = heads;
    this.norm1 = new LayerNorm(width, { bias: false });
    this.qkv = new Linear(width, 3 * width, { bias: false });
    this.project = new Linear(width, width, { bias: false });
    this.norm2 = new LayerNorm(width, { bias: false });
    this.expand = new Linear(width, 4 * width, { bias: false });
    this.contract = new Linear(4 * width, width, { bias: false });
  }

  forward(x) {
    const [batch, length, width] = x.shape;
    const size = width / this.heads;
    const heads = (t) => t.reshape([batch, length, this.heads, size]).transpose(1, 2);
    const [q, k, v] = this.qkv.forward(this.norm1.forward(x)).chunk(3, 2).map(heads);
    const past = ones([length, length]).tril().gt(0);
    const scores = where(past, q.matmul(k.transpose(-2, -1)).mul(1 / Math.sqrt(size)), -Infinity);
    const mixed = scores.softmax(-1).matmul(v).transpose(1, 2).reshape([batch, length, width]);
    const y = x.add(this.project.forward(mixed));
    return y.add(this.contract.forward(this.expand.forward(this.norm2.forward(y)).gelu()));
  }
}

export class GPT extends Module {
  constructor({ vocabulary = 65, width = 128, heads = 4, layers = 4, context = 64 } = {}) {
    super();
    this.tokens = new Embedding(vocabulary, width);
    this.positions = new Embedding(context, width);
    this.blocks = new Sequential(...Array.from({ length: layers }, () => new GPTBlock(width, heads)));
    this.norm = new LayerNorm(width, { bias: false });
  }

  forward(x) {
    let y = this.tokens.forward(x).add(this.positions.forward(arange(x.shape[1])));
    y = this.blocks.forward(y);
    return this.norm.forward(y).matmul(this.tokens.weight.transpose(0, 1));
  }
}

const double = (from, to) =>
  new Sequential(
    new Conv2d(from, to, 3, { padding: 1 }),
    new ReLU(),
    new Conv2d(to, to, 3, { padding: 1 }),
    new ReLU(),
  );

/** Twice the size, half the channels. */
const up = (from, to) => new ConvTranspose2d(from, to, 2, { stride: 2 });

export class UNet extends Module {
  constructor(base = 16) {
    super();
    this.down1 = double(1, base);
    this.down2 = double(base, 2 * base);
    this.down3 = double(2 * base, 4 * base);
    this.middle = double(4 * base, 8 * base);
    this.up3 = up(8 * base, 4 * base);
    this.merge3 = double(8 * base, 4 * base);
    this.up2 = up(4 * base, 2 * base);
    this.merge2 = double(4 * base, 2 * base);
    this.up1 = up(2 * base, base);
    this.merge1 = double(2 * base, base);
    this.head = new Conv2d(base, 1, 1);
  }

  forward(x) {
    const a = this.down1.forward(x);
    const b = this.down2.forward(maxPool2d(a, 2));
    const c = this.down3.forward(maxPool2d(b, 2));
    let y = this.middle.forward(maxPool2d(c, 2));
    y = this.merge3.forward(cat([c, this.up3.forward(y)], 1));
    y = this.merge2.forward(cat([b, this.up2.forward(y)], 1));
    y = this.merge1.forward(cat([a, this.up1.forward(y)], 1));
    return this.head.forward(y);
  }
}
