// What somebody writes who uses the package from TypeScript: every entry of it, shapes in types, a mistake that is found.
import { type Tensor, compile, manualSeed, noGrad, tensor } from 'nabla';
import * as audio from 'nabla/audio';
import * as classic from 'nabla/classic';
import * as data from 'nabla/data';
import * as transforms from 'nabla/data/transforms';
import * as distributed from 'nabla/distributed';
import * as io from 'nabla/io';
import * as linalg from 'nabla/linalg';
import * as metrics from 'nabla/metrics';
import * as models from 'nabla/models';
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import * as onnx from 'nabla/onnx';
import { AdamW, SGD } from 'nabla/optim';
import * as rl from 'nabla/rl';
import * as text from 'nabla/text';
import * as train from 'nabla/train';
import * as vision from 'nabla/vision';

export const entries = [
  audio,
  classic,
  data,
  transforms,
  distributed,
  io,
  linalg,
  metrics,
  models,
  onnx,
  rl,
  text,
  train,
  vision,
];

export async function fit(x: Tensor<readonly [4, 2]>): Promise<number> {
  manualSeed(0);
  const y = tensor([0, 1, 1, 0], { dtype: 'int32' });
  const model = new Sequential(new Linear(2, 8), new ReLU(), new Linear(8, 2));
  for (const optimizer of [new AdamW(model.parameters(), { lr: 1e-2 }), new SGD(model.parameters(), { lr: 0.1 })]) {
    optimizer.zeroGrad();
    crossEntropy(model.forward(x), y).backward();
    await optimizer.step();
  }
  return noGrad(() => crossEntropy(model.forward(x), y)).item();
}

const network = new Sequential(
  new Conv2d(1, 8, 3, { padding: 1 }),
  new ReLU(),
  new MaxPool2d(2),
  new Flatten(),
  new Linear(8 * 4 * 4, 10),
);
const logits = network.forward(tensor(new Float32Array(2 * 64), { shape: [2, 1, 8, 8] }));
export const exact: Tensor<readonly [2, 10]> = logits;
export const predict = compile((images: Tensor<readonly [2, 1, 8, 8]>) => network.forward(images));

// @ts-expect-error the second layer takes 9 features, the first one gives 8
new Sequential(new Linear(2, 8), new ReLU(), new Linear(9, 2));
