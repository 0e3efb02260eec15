// Runs in the browser: steps are given without waiting for them, and one in their midst has a label out of range.

import { IndexError, compile, getRandomState, manualSeed, tensor } from 'nabla';
import { BatchNorm1d, Dropout, Linear, Sequential, crossEntropy } from 'nabla/nn';
import { Adam, WeightAverage } from 'nabla/optim';

type Outcome = number | string;

async function train(labels: readonly number[], isCaptured: boolean): Promise<Record<string, unknown>> {
  manualSeed(4);
  const model = new Sequential(new Linear(4, 8), new BatchNorm1d(8), new Dropout(0.2), new Linear(8, 3));
  const optimizer = new Adam(model.parameters(), { lr: 0.05 });
  const average = new WeightAverage(model.parameters(), { decay: 0.9 });
  const body = async (x: ReturnType<typeof batch>['x'], y: ReturnType<typeof batch>['y']) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x) as never, y);
    loss.backward();
    await optimizer.step();
    return loss;
  };
  const step = isCaptured ? (compile(body as never) as unknown as typeof body) : body;
  const batch = (label: number) => ({
    x: tensor(
      Float32Array.from({ length: 32 }, (_, i) => Math.sin(i + label)),
      { shape: [8, 4] as const },
    ),
    y: tensor(Int32Array.from([0, 1, 2, 0, 1, 2, 0, label]), { shape: [8] as const }),
  });
  const reads: Promise<Outcome>[] = [];
  const give = async (label: number) => {
    const { x, y } = batch(label);
    const loss = await step(x, y);
    await average.update();
    reads.push(
      loss.item().catch((error: unknown) => (error instanceof IndexError ? error.message : `other: ${String(error)}`)),
    );
  };
  for (const label of labels.slice(0, 2)) await give(label);
  // Without waiting: the page must not learn of the failure before the last of them is given.
  await Promise.all(labels.slice(2).map(give));
  const losses = await Promise.all(reads);
  const counts = [optimizer.stepCount, average.count, getRandomState().draws];
  for (const label of [1, 0]) await give(label);
  const later = (await Promise.all(reads)).slice(labels.length);
  const weights = await Promise.all(
    Object.values({ ...model.stateDict(), ...optimizer.stateDict().tensors }).map(async (t) => [...(await t.data())]),
  );
  return { losses, counts, later, weights };
}

export async function main(): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  for (const isCaptured of [false, true]) {
    const kind = isCaptured ? 'captured' : 'eager';
    results[kind] = await train([2, 1, 3, 0, 2], isCaptured);
    results[`${kind}, clean`] = await train([2, 1], isCaptured);
  }
  return results;
}
