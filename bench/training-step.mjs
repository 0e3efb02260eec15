// The step of a workload, captured: forward pass, loss, gradients, update.

import { compile } from 'nabla';
import { clipGradNorm_ } from 'nabla/optim';

export function trainingStep({ model, optimizer, loss, clip }) {
  return compile(async (input, target) => {
    optimizer.zeroGrad();
    const l = loss(model.forward(input), target);
    l.backward();
    if (clip !== undefined) clipGradNorm_(model.parameters(), clip);
    await optimizer.step();
    return l;
  });
}
