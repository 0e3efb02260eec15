import { type Tensor, compile, noGrad, tensor, zeros } from 'nabla';
import { blobs } from 'nabla/data';
import { bceWithLogits, crossEntropy } from 'nabla/nn';
import { SGD } from 'nabla/optim';

export interface Settings {
  points: number;
  /** How far the two clouds are apart. */
  distance: number;
  rate: number;
  steps: number;
  /** The score whose cost is read off the curves. */
  score: number;
  seed: number;
}

const SIZE = 40;
const REACH = 3;
const PLACES = 121;

/** Logistic regression on two clouds, ten steps of gradient descent a frame, and what its loss makes of a score. */
export async function* run(settings: Settings) {
  const { points, distance, seed } = settings;
  const centers: [number, number][] = [[-distance / 2, -distance / 4], [distance / 2, distance / 4]]; // prettier-ignore
  const set = blobs({ samples: points, noise: 0.7, centers, seed });
  const xy = Float32Array.from(set.column('x'));
  const labels = Array.from(set.column('y'), Number);
  const x = tensor(xy, { shape: [points, 2] });
  const y = tensor(labels, { shape: [points, 1] }).to('float32');

  const weight: Tensor<[2, 1]> = zeros([2, 1], { requiresGrad: true });
  const bias: Tensor<[1]> = zeros([1], { requiresGrad: true });
  const optimizer = new SGD([weight, bias], { lr: settings.rate });
  const scoreOf = (rows: Tensor<[number, 2]>): Tensor<[number, 1]> => rows.matmul(weight).add(bias);
  const step = compile(async () => {
    optimizer.zeroGrad();
    const loss = bceWithLogits(scoreOf(x), y);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const axis = (i: number) => REACH * ((2 * (i + 0.5)) / SIZE - 1);
  const grid = tensor(
    Float32Array.from({ length: 2 * SIZE * SIZE }, (_, i) => axis(i % 2 ? Math.floor(i / 2 / SIZE) : (i >> 1) % SIZE)),
    { shape: [SIZE * SIZE, 2] },
  );

  // −log p of class 1 and of class 0, by the score: softmax with two classes, one of them at zero.
  const scores = Float32Array.from({ length: PLACES }, (_, i) => -6 + (12 * i) / (PLACES - 1));
  const costs = async (label: number, at: Float32Array) => {
    const logits = tensor(at, { shape: [at.length, 1] }).mul(tensor([[0, 1]]));
    const right = tensor(
      Array.from(at, () => label),
      { dtype: 'int32' },
    );
    return Float32Array.from(await crossEntropy(logits, right, { reduction: 'none' }).data());
  };
  const curves = [await costs(0, scores), await costs(1, scores)];
  const here = Float32Array.of(settings.score);
  const now = {
    p: await tensor(here).sigmoid().item(),
    zero: (await costs(0, here))[0],
    one: (await costs(1, here))[0],
  };

  for (let done = 0; ; done++) {
    if (done % 10 === 0 || done === settings.steps) {
      const [loss, right] = await noGrad(() => {
        const scores = scoreOf(x);
        return Promise.all([
          bceWithLogits(scores, y).item(),
          scores.gt(0).to('float32').eq(y).to('float32').mean().item(),
        ]);
      });
      const [w0, w1] = await weight.data();
      yield {
        values: { step: done, loss, accuracy: right, 'p of your score': now.p, 'costs if class 1': now.one },
        xy,
        labels,
        region: Float32Array.from(await noGrad(() => scoreOf(grid).sigmoid()).data()),
        size: SIZE,
        reach: REACH,
        line: [w0, w1, await bias.item()],
        scores,
        curves,
        score: settings.score,
        now,
      };
      if (done === settings.steps) return;
    }
    for (const group of optimizer.groups) group.lr = settings.rate;
    await step();
  }
}
