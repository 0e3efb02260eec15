// C1's inner process: from nothing to the end of W1's first step.

import { WORKLOADS } from './workloads.mjs';

const { model, optimizer, x, y, loss } = WORKLOADS.W1();
optimizer.zeroGrad();
const l = loss(model.forward(x), y);
l.backward();
await optimizer.step();
console.log(await l.item());
process.exit(0);
