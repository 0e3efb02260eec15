// The network of tune.ts, in a worker: it classifies pictures, and learns new classes from a few of them. Only its last layer learns: what
// the layers below say of a picture is computed once.

import { type Tensor, cat, compile, noGrad, tensor } from 'nabla';
import { readImage } from 'nabla/data';
import { loadWeights } from 'nabla/io';
import { type MobileNetV2, type MobileNetV2Options, mobilenetV2 } from 'nabla/models';
import { Linear, crossEntropy } from 'nabla/nn';
import { AdamW } from 'nabla/optim';
import { type Prediction, classNames, imagePreprocessing, topK } from 'nabla/vision';

/** What the page asks for. */
export type Task =
  | { readonly load: string; readonly options?: MobileNetV2Options }
  | { readonly classify: Blob }
  | { readonly learn: readonly { readonly picture: Blob; readonly label: string }[] };

/** What it hears: how far it is, and the result. */
export type Answer =
  | { readonly progress: string }
  | { readonly done: readonly Prediction[] }
  | { readonly failed: string };

const STEPS = 100;
const preprocess = imagePreprocessing('imagenet');
let network: MobileNetV2 = mobilenetV2();
let labels: readonly string[] = [];
let head: Linear<number, number> | undefined;
const say = (answer: Answer): void => postMessage(answer);

/** A picture → the 1280 features that the last layer gets. */
let features = compile((x: Tensor) => noGrad((): Tensor => network.features.forward(x).mean([2, 3])));

async function load(address: string, options: MobileNetV2Options): Promise<void> {
  network = mobilenetV2(options);
  await loadWeights(network, address, {
    onProgress: ({ received, total = NaN }) =>
      say({ progress: `${Math.round((100 * received) / total)} % of the weights` }),
  });
  network.eval();
  features = compile((x: Tensor) => noGrad((): Tensor => network.features.forward(x).mean([2, 3])));
  labels = network.classes === 1000 ? await classNames('imagenet') : [];
  head = undefined;
}

async function classify(picture: Blob): Promise<Prediction[]> {
  const known = await features(await preprocess(await readImage(picture)));
  const logits: Tensor = noGrad(() => (head ?? network.classifier).forward(known));
  return topK(logits, { k: 3, ...(labels.length > 0 && { names: labels }) });
}

async function learn(examples: readonly { readonly picture: Blob; readonly label: string }[]): Promise<void> {
  const rows: Tensor[] = [];
  for (const [i, { picture }] of examples.entries()) {
    rows.push(await features(await preprocess(await readImage(picture))));
    say({ progress: `${i + 1} of ${examples.length} pictures` });
  }
  const x: Tensor = cat(rows, 0);
  labels = [...new Set(examples.map(({ label }) => label))];
  const y = tensor(Int32Array.from(examples, ({ label }) => labels.indexOf(label)));
  const fresh = new Linear<number, number>(x.shape[1], labels.length);
  const optimizer = new AdamW(fresh.parameters(), { lr: 0.01 });
  const step = compile(async () => {
    optimizer.zeroGrad();
    const loss = crossEntropy(fresh.forward(x), y);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  for (let i = 1; i <= STEPS; i++) {
    const loss = await step();
    if (i % 20 === 0) say({ progress: `step ${i} of ${STEPS}, loss ${(await loss.item()).toFixed(3)}` });
  }
  head = fresh;
}

async function answer(task: Task): Promise<readonly Prediction[]> {
  if ('load' in task) await load(task.load, task.options ?? {});
  else if ('learn' in task) await learn(task.learn);
  else return classify(task.classify);
  return [];
}

addEventListener('message', ({ data }: MessageEvent<Task>) => {
  answer(data).then(
    (done) => say({ done }),
    (error: unknown) => say({ failed: String(error) }),
  );
});
