// Runs in the browser, which has no AsyncLocalStorage: compiled steps alone and beside each other, and steps that compute after an await.

import { compile, manualSeed, noGrad, tensor } from 'nabla';
import { BatchNorm1d, Linear, Sequential, Tanh, mseLoss } from 'nabla/nn';
import { Adam, SGD } from 'nabla/optim';

type Step = (x: ReturnType<typeof input>) => Promise<{ item(): Promise<number> }>;

const input = (i: number) =>
  tensor(
    Float32Array.from({ length: 8 }, (_, j) => Math.sin(i + j)),
    { shape: [4, 2] as const },
  );

function training(seed: number, updates: 1 | 2): { plain: Step; compiled: Step & { readonly captures: number } } {
  manualSeed(seed);
  const model = new Sequential(new Linear(2, 3), new BatchNorm1d(3), new Tanh(), new Linear(3, 1));
  const optimizers = [new Adam(model.parameters(), { lr: 0.05 }), new SGD(model.parameters(), { lr: 0.1 })];
  const plain = async (x: ReturnType<typeof input>) => {
    let loss = mseLoss(model.forward(x), model.forward(x).mul(0.5).add(1).detach());
    for (const optimizer of optimizers.slice(0, updates)) {
      optimizer.zeroGrad();
      loss = mseLoss(model.forward(x), model.forward(x).mul(0.5).add(1).detach());
      loss.backward();
      await optimizer.step();
    }
    return loss;
  };
  return { plain, compiled: compile(plain, { check: false }) };
}

async function losses(step: Step): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < 5; i++) found.push(await (await step(input(i))).item());
  return found;
}

export async function main(): Promise<Record<string, unknown>> {
  const [one, other, two] = [training(1, 1), training(2, 1), training(3, 2)];
  const results: Record<string, unknown> = {
    plain: [await losses(training(1, 1).plain), await losses(training(2, 1).plain), await losses(training(3, 2).plain)],
  };
  results['together'] = await Promise.all([losses(one.compiled), losses(other.compiled), losses(two.compiled)]);
  const alone = training(1, 1);
  results['alone'] = await losses(alone.compiled);
  results['captures'] = alone.compiled.captures;
  const w = tensor([1], { requiresGrad: true });
  const pause = () => new Promise((resolve) => setTimeout(resolve, 2));
  await Promise.all([noGrad(pause), noGrad(async () => (await pause(), await pause()))]);
  results['gradients'] = w.mul(2).requiresGrad;
  return results;
}
