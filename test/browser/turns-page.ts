// Runs in the browser: a training loop as in the README. Reports how often the page got its turn meanwhile: frames drawn,
// timers, clicks.

import { tensor } from 'nabla';
import { Linear, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import { SGD } from 'nabla/optim';

const WANTED = 5;
const MOST_STEPS = 50_000;

export async function main(): Promise<Record<string, number>> {
  const x = tensor(new Float32Array(64 * 64), { shape: [64, 64] });
  const y = tensor(new Int32Array(64), { shape: [64] });
  const model = new Sequential(new Linear(64, 64), new ReLU(), new Linear(64, 10));
  const optimizer = new SGD(model.parameters(), { lr: 0.01 });
  const seen = { frames: 0, timers: 0, intervals: 0 };
  const isSeen = (): boolean => Object.values(seen).every((count) => count >= WANTED);
  const onFrame = (): void => {
    seen.frames++;
    requestAnimationFrame(onFrame);
  };
  const onTimer = (): void => {
    seen.timers++;
    setTimeout(onTimer, 0);
  };
  if (typeof requestAnimationFrame === 'undefined') seen.frames = WANTED;
  else requestAnimationFrame(onFrame);
  setTimeout(onTimer, 0);
  setInterval(() => seen.intervals++, 1);

  const start = performance.now();
  let steps = 0;
  for (; steps < MOST_STEPS && !isSeen(); steps++) {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x as never), y);
    loss.backward();
    await optimizer.step();
  }
  return { ...seen, steps, most: MOST_STEPS, milliseconds: performance.now() - start };
}
