// How good features are: a linear classifier is trained on those of some samples and asked about others, the network stays as it is.

import { SoftmaxRegression, StandardScaler, pipeline } from '../../../classic/index.js';
import { type Tensor, compile, noGrad, tensor } from '../../../index.js';
import { positionsInTurn } from '../positions.js';

interface Labelled {
  readonly length: number;
  batch(positions: ArrayLike<number>): { readonly x: Tensor; readonly y: Tensor<readonly number[], 'int32'> };
}

/** Features of all samples, row after row, and their classes. */
async function featuresOf(encode: (x: Tensor) => Tensor, samples: Labelled) {
  const step = compile((x: Tensor) => noGrad(() => encode(x)));
  const rows: Float32Array[] = [];
  const classes: number[] = [];
  for (const positions of positionsInTurn(samples.length, BATCH)) {
    const { x, y } = samples.batch(positions);
    rows.push(Float32Array.from(await (await step(x)).data()));
    for (const label of await y.data()) classes.push(label);
  }
  const all = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of rows) {
    all.set(part, at);
    at += part.length;
  }
  return { x: tensor(all, { shape: [classes.length, all.length / classes.length] }), y: classes };
}

const BATCH = 250;

/** Accuracy on `asked` of a linear classifier of the features of `known`. */
export async function linearProbe(encode: (x: Tensor) => Tensor, known: Labelled, asked: Labelled): Promise<number> {
  const [before, after] = [await featuresOf(encode, known), await featuresOf(encode, asked)];
  const model = pipeline(new StandardScaler(), new SoftmaxRegression({ c: 0.1 }));
  await model.fit(before.x, before.y);
  return await model.score(after.x, after.y);
}
