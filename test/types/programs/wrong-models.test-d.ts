// Programs with a mistake: networks, optimisers, data, the trainer. Each is refused, for what is wrong in it.

import { type Tensor, arange, ones, rand, randint, zeros } from 'nabla';
import { ArrayDataset, DataLoader, digits } from 'nabla/data';
import { compose, normalize, randomCrop } from 'nabla/data/transforms';
import { saveSafetensors } from 'nabla/io';
import { Accuracy, F1 } from 'nabla/metrics';
import {
  BatchNorm2d,
  Conv2d,
  Embedding,
  Flatten,
  GRU,
  GRUCell,
  LSTM,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  ModuleList,
  MultiheadAttention,
  Parallel,
  Parameter,
  ReLU,
  Residual,
  Sequential,
  TransformerEncoderLayer,
  bceLoss,
  bceWithLogits,
  cosineEmbeddingLoss,
  crossEntropy,
  diceLoss,
  focalLoss,
  hingeLoss,
  huberLoss,
  init,
  klDivLoss,
  l1Loss,
  mseLoss,
  nllLoss,
  ntXentLoss,
  smoothL1Loss,
  tripletMarginLoss,
} from 'nabla/nn';
import { Adam, AdamW, LRScheduler, SGD, clipGradNorm_ } from 'nabla/optim';
import { Trainer } from 'nabla/train';

class Stack extends Module {
  readonly first = new Linear(8, 32);
  readonly head = new Linear(32, 10);
  forward(x: Tensor<[number, 8]>): Tensor<[number, 10]> {
    return this.head.forward(this.first.forward(x).relu());
  }
}

declare const x: Tensor<[number, 8]>;
declare const deep: Tensor<[number, 8, number]>;
declare const ids: Tensor<[number, number], 'int32'>;
declare const image: Tensor<[2, 3, 32, 32]>;
const model = new Stack();

// ---------------------------------------------------------------- layers

// @ts-expect-error 9 features
model.forward({} as Tensor<[number, 9]>);
// @ts-expect-error three dimensions
model.forward(deep);
// @ts-expect-error integers
model.forward(ids);
// @ts-expect-error 10 classes, not 9
export const nine: Tensor<[number, 9]> = model.forward(x);
// @ts-expect-error 8 features, not 16
new Linear(16, 4).forward(x);
// @ts-expect-error the number of outputs is missing
new Linear(16);
// @ts-expect-error nested lists are no tensor
new Linear(3, 1).forward([[1, 2, 3]]);
// @ts-expect-error `bais` is no option
new Linear(3, 1, { bais: false });
// @ts-expect-error 3 channels, not 1
new Conv2d(1, 8, 3).forward(image);
// @ts-expect-error `pad` is no option
new Conv2d(3, 8, 3, { pad: 1 });
// @ts-expect-error 3 channels, not 8
new BatchNorm2d(8).forward(image);
// @ts-expect-error a matrix is no image
new BatchNorm2d(8).forward(x);
// @ts-expect-error 8 features, not 4
new LayerNorm(4).forward(x);
// @ts-expect-error `ceil_mode` is `ceilMode`
new MaxPool2d(2, { ceil_mode: true });
// @ts-expect-error halves are no indices
new Embedding(4, 2).forward(arange(0, 2, 0.5));
// @ts-expect-error floats are no tokens
new Embedding(4, 2).forward(x);
// @ts-expect-error an image is no sequence
new GRU(6, 16, { batchFirst: true }).forward({} as Tensor<[1, 3, 8, 8]>);
// @ts-expect-error 8 inputs, not 6
new LSTM(6, 16).forward({} as Tensor<[5, 2, 8]>);
// @ts-expect-error `batch_first` is `batchFirst`
new LSTM(6, 16, { batch_first: true });
// @ts-expect-error the states of an LSTM are two
new LSTM(6, 16).forward(rand([5, 2, 6]), rand([1, 2, 16]));
// @ts-expect-error the result is a pair
new GRU(6, 16).forward(rand([5, 2, 6])).relu();
// @ts-expect-error 5 inputs, not 4
new GRUCell(4, 8).forward(rand([3, 5]));
// @ts-expect-error 30 features, not 32
new MultiheadAttention(32, 4).forward(rand([2, 5, 30]), rand([2, 5, 32]), rand([2, 5, 32]));
// @ts-expect-error 30 features, not 32
new TransformerEncoderLayer(32, 4).forward(rand([2, 5, 30]));

// ---------------------------------------------------------------- containers

// @ts-expect-error the neighbours do not fit
new Sequential(new Linear(8, 4), new ReLU(), new Linear(5, 2));
// @ts-expect-error 16 channels, not 32
new Sequential(new Conv2d(3, 16, 3), new BatchNorm2d(32));
const pooled = new Sequential(
  new Conv2d(3, 16, 3, { padding: 1 }),
  new MaxPool2d(4),
  new Flatten(),
  new Linear(100, 2),
);
// @ts-expect-error 8 · 8 · 16 features behind the pool, not 100
pooled.forward(image);
// @ts-expect-error layers one by one, not a list
new Sequential([new Linear(8, 4), new ReLU()]);
// @ts-expect-error a function is no layer
new Sequential(new Linear(8, 4), (t: Tensor) => t.relu());
// @ts-expect-error 4 into 5 in the body
new Residual([new Linear(8, 4), new Linear(5, 8)]);
// @ts-expect-error the body changes the shape
new Residual([new Linear(8, 4)]).forward(rand([2, 8]));
// @ts-expect-error the second branch takes 9 features
new Parallel([new Linear(8, 4), new Linear(9, 4)]).forward(rand([2, 8]));
// @ts-expect-error a list of modules
new ModuleList(new Linear(8, 4));
// @ts-expect-error only layers of this size
new ModuleList<Linear<8, 8>>().append(new Linear(8, 9));

export class Wrong extends Module {
  readonly linear = new Linear(8, 4);
  readonly weight = new Parameter(rand([5]));
  forward(t: Tensor<[number, 8]>): Tensor<[number, 8]> {
    // @ts-expect-error 4 features, not 8
    return this.linear.forward(t);
  }
  scaled(t: Tensor<[number, 8]>): Tensor {
    // @ts-expect-error 4 and 5 features
    return this.linear.forward(t).mul(this.weight);
  }
  looped(t: Tensor<[number, 8]>): Tensor {
    let h = t;
    // @ts-expect-error 4 features do not go in again
    for (let i = 0; i < 3; i++) h = this.linear.forward(h);
    return h;
  }
  misspelt(t: Tensor<[number, 8]>): Tensor {
    // @ts-expect-error there is no such layer
    return this.liner.forward(t);
  }
}
// @ts-expect-error layers are called by `forward`
model(x);
export const anyLayers = (modules: readonly { forward(t: Tensor): Tensor }[]) => modules.length;
// @ts-expect-error an optimiser is no layer
anyLayers([new Adam(model.parameters())]);
// @ts-expect-error the weight may not be the layer
init.xavierUniform_(new Linear(3, 3));

// ---------------------------------------------------------------- losses

// @ts-expect-error `ignore_index` is `ignoreIndex`
crossEntropy(model.forward(x), randint(0, 10, [3]), { reduction: 'sum', ignore_index: 0 });
// @ts-expect-error no such reduction
mseLoss(x, x, { reduction: 'average' });
// @ts-expect-error the predictions are missing
mseLoss(x);
declare const wide8: Tensor<[number, 8]>;
declare const wide9: Tensor<[number, 9]>;
// @ts-expect-error 8 and 9 columns
mseLoss(wide8, wide9);
// @ts-expect-error a column and a vector, which broadcasting would make a matrix
l1Loss(rand([32, 1]), rand([32]));
// @ts-expect-error 8 and 9 columns
smoothL1Loss(wide8, wide9, { beta: 0.5 });
// @ts-expect-error 8 and 9 columns
huberLoss(wide9, wide8);
// @ts-expect-error 31 of 32
bceLoss(rand([32]), rand([31]));
// @ts-expect-error 8 and 9 columns
bceWithLogits(wide8, wide9, { reduction: 'none' });
// @ts-expect-error 8 and 9 columns
klDivLoss(wide8.logSoftmax(1), wide9.softmax(1));
// @ts-expect-error masks of another size
diceLoss(rand([2, 16, 16]), rand([2, 16, 17]));
// @ts-expect-error 31 labels for 32 samples
crossEntropy(rand([32, 10]), zeros([31], { dtype: 'int32' }));
// @ts-expect-error probabilities of 9 classes
crossEntropy(wide8, wide9.softmax(1));
// @ts-expect-error labels in a column
nllLoss(wide8.logSoftmax(1), zeros([3, 1], { dtype: 'int32' }));
// @ts-expect-error a label for each class
hingeLoss(wide8, zeros([3, 8], { dtype: 'int32' }));
// @ts-expect-error the negative is wider
tripletMarginLoss(wide8, wide8, wide9);
// @ts-expect-error 8 and 9 columns
focalLoss(wide8, wide9);
// @ts-expect-error 8 and 9 columns
cosineEmbeddingLoss(wide8, wide9, ones([3]));
// @ts-expect-error views of 8 and 9
ntXentLoss(wide8, wide9);

// ---------------------------------------------------------------- optimisers

// @ts-expect-error the model is not its parameters
new Adam(model);
// @ts-expect-error `learningRate` is `lr`
new Adam(model.parameters(), { learningRate: 0.1 });
// @ts-expect-error betas are a pair
new Adam(model.parameters(), { betas: 0.9 });
// @ts-expect-error `weight_decay` is `weightDecay`
new AdamW([{ params: model.parameters(), weight_decay: 0.1 }]);
// @ts-expect-error the rate is an option
new SGD(model.parameters(), 0.1);
// @ts-expect-error an optimiser, not its rate
new LRScheduler(0.1, (t) => t);
// @ts-expect-error the norm is missing
clipGradNorm_(model.parameters());
// @ts-expect-error parameters, not one gradient's text
clipGradNorm_('all', 1);

// ---------------------------------------------------------------- data, metrics, the trainer, files

const { train } = digits().split({ train: 0.8, validation: 0.2 });
const loader = new DataLoader(train, { batchSize: 8 });
// @ts-expect-error there is no such part
digits().split({ train: 0.8, validation: 0.2 }).test.length;
// @ts-expect-error `batch_size` is `batchSize`
new DataLoader(train, { batch_size: 8 });
// @ts-expect-error stratified by a field that does not exist
digits().split({ train: 0.8, validation: 0.2 }, { stratify: 'label' });
// @ts-expect-error the shape is missing
new ArrayDataset({ x: { data: new Float32Array(3) } });
export async function batches(): Promise<void> {
  // @ts-expect-error batches come one after the other, awaited
  for (const batch of loader) void batch;
  for await (const batch of loader) {
    // @ts-expect-error the field is `y`
    crossEntropy(new Sequential(new Flatten(), new Linear(64, 10)).forward(batch.x), batch.label);
    // @ts-expect-error pictures are no vectors of 64
    new Linear(64, 10).forward(batch.x);
  }
}
// @ts-expect-error what is normalised is a picture, not a number
compose(normalize([0.5], [0.5]), (value: number) => value);
// @ts-expect-error a size, not a text
randomCrop('8');
// @ts-expect-error metrics take output and target
new Accuracy().update(model.forward(x));
// @ts-expect-error no such average
new F1({ average: 'mean' });
// @ts-expect-error numbers of a metric are awaited
export const accuracy: number = new Accuracy().compute();
const network = new Sequential(new Flatten(), new Linear(64, 10));
const optimizer = new SGD(network.parameters(), { lr: 0.1 });
// @ts-expect-error the optimiser is missing
new Trainer({ model: network, train: loader, epochs: 1 });
// @ts-expect-error `epoch` is `epochs`
new Trainer({ model: network, optimizer, train: loader, epoch: 1 });
new Trainer({
  model: network,
  optimizer,
  train: loader,
  // @ts-expect-error the batch has no field `z`
  forward: (net, batch) => crossEntropy(net.forward(batch.x), batch.z),
  epochs: 1,
});
// @ts-expect-error a module, not its tensors
void saveSafetensors('model.safetensors', network);
