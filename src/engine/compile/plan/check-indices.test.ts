// Where the compiler checks indices: before anything that was given is overwritten, and at no cost where a reader comes first.
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type Tensor, disposeDevices, noGrad, realize, setDevice, tensor } from 'nabla';
import { BatchNorm1d, Embedding, Linear } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import { CpuDevice } from '../../device/cpu/device.js';
import type { Graph } from '../../device/device.js';
import { registerDevice } from '../../engine.js';
import type { Program } from '../../loop/loop.js';

let last: Program | undefined;

class Noting extends CpuDevice {
  override compile(graph: Graph): ReturnType<CpuDevice['compile']> {
    const executable = super.compile(graph);
    last = (executable as unknown as { compiled: { program: Program } }).compiled.program;
    return executable;
  }
}

for (const fuse of [true, false]) {
  const name = `noting-${fuse}`;
  registerDevice(name, () => new Noting({ name, fuse, threads: 2, tier: 'wasm', verify: true }));
}
afterAll(() => disposeDevices());

const ints = (...numbers: number[]) => tensor(Int32Array.from(numbers), { shape: [numbers.length] });

/** Names of the kernels, and whether a run may end between two stages. */
function program() {
  const { kernels, stages } = last as Program;
  return {
    checks: kernels.filter((k) => k.name === 'checkIndex').length,
    ends: stages.findIndex((s) => s.isLastCheck),
  };
}

describe.each([true, false])('fused: %s', (fuse) => {
  beforeEach(() => {
    setDevice(`noting-${fuse}`);
    last = undefined;
  });

  test('a look-up that everything follows from needs no kernel of its own', async () => {
    const table = new Embedding(10, 4);
    const optimizer = new SGD(table.parameters(), { lr: 1 });
    const x = table.forward(ints(1, 2, 1)) as Tensor;
    x.square().sum().backward();
    await optimizer.step();
    expect(program().checks).toBe(0);
    expect(program().ends).toBeGreaterThanOrEqual(0);
  });

  test('statistics are written before the loss looks at its labels: one kernel, once for both readers', async () => {
    const [norm, head] = [new BatchNorm1d(4), new Linear(4, 3)];
    await realize(...norm.buffers(), ...norm.parameters(), ...head.parameters());
    const optimizer = new SGD([...norm.parameters(), ...head.parameters()], { lr: 1 });
    const x = tensor([
      [1, 2, 3, 4],
      [2, 1, 0, 5],
    ]);
    const logits = head.forward(norm.forward(x) as never) as unknown as Tensor;
    const labels = ints(0, 2);
    const picked = logits.gather(1, labels.unsqueeze(1) as never).keep();
    logits.logSoftmax(1).gather(1, labels.unsqueeze(1)).mean().backward();
    await optimizer.step();
    expect(program()).toEqual({ checks: 1, ends: 0 });
    expect(picked.shape).toEqual([2, 1]);
  });

  test('a program that overwrites nothing, or whose indices cannot be wrong, does not end early', async () => {
    const w = tensor([3, 1, 2]);
    await w.indexSelect(0, ints(0, 1)).data();
    expect(program()).toEqual({ checks: 0, ends: -1 });
    noGrad(() => w.assign_(w.indexSelect(0, w.argsort(0) as never) as never));
    await realize();
    expect(program()).toEqual({ checks: 0, ends: -1 });
    expect(await w.array()).toEqual([1, 2, 3]);
  });

  test.each([1, 3, 200])('what is computed first, is large or is read in part is checked (%i)', async (count) => {
    const state = tensor(new Float32Array(count).fill(1));
    const ids = tensor(
      Int32Array.from({ length: 2 * count * 40 }, (_, i) => i % count),
      { shape: [2 * count, 40] },
    );
    const from = (shift: number) =>
      noGrad(() => {
        const index = ids.slice(0, 0, count).slice(1, 7, 8).reshape([count]).add(shift);
        state.assign_(state.mul(2).indexSelect(0, index as never) as never);
      });
    from(count);
    await expect(realize()).rejects.toThrow(/out of range/);
    expect(await state.array()).toEqual(Array.from({ length: count }, () => 1));
    from(0);
    await realize();
    expect(await state.array()).toEqual(Array.from({ length: count }, () => 2));
  });
});
