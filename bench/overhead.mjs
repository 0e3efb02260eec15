// O1: what a step costs beside its kernels. The graph of one W3 step (its size does not depend on the batch): an
// uncompiled step builds it, differentiates it and looks its program up; a compiled one replays. And the replay of a
// compiled function whose kernel does nothing worth mentioning.

import { compile, tensor } from 'nabla';
import { crossEntropy } from 'nabla/nn';
import { measure, round } from './timing.mjs';
import { WORKLOADS } from './workloads.mjs';

export async function overhead(report) {
  const { model, optimizer } = WORKLOADS.W3();
  const x = tensor(new Float32Array(2 * 3 * 8 * 8).fill(0.1), { shape: [2, 3, 8, 8] });
  const y = tensor(new Int32Array([1, 2]));
  const step = async (a, b) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(a), b);
    loss.backward();
    await optimizer.step();
    return loss;
  };
  const replayed = compile(step);
  const built = await measure(() => step(x, y), { seconds: 3, warm: 200 });
  const replay = await measure(() => replayed(x, y), { seconds: 3, warm: 200 });
  const small = compile((t) => t.add(1));
  const one = tensor([1, 2, 3, 4]);
  const nothing = await measure(() => small(one), { seconds: 2, warm: 2000 });
  report({
    workload: 'O1',
    build_ms: round(built.median - replay.median),
    replay_ms: round(nothing.median, 4),
    step_ms: round(built.median),
    replayed_ms: round(replay.median),
  });
}
