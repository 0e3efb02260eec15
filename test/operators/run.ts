// Runs graph nodes on a device without tensors: nodes and leaves → a function from the leaves' numbers to the results.

import type { Device, Executable, TypedArray } from '../../src/engine/device/device.js';
import { type Node, topologicalOrder } from '../../src/engine/ir/node.js';
import type { OpArgs } from '../../src/engine/ir/op.js';
import { verifyGraph } from '../../src/engine/ir/graph/verify.js';

export interface Prepared {
  readonly executable: Executable;
  run(data: readonly ArrayLike<number>[]): Promise<TypedArray[]>;
}

/** Compiles `outputs` once; `leaves` fixes the order of the data of each run. Every graph is verified on the way. */
export function prepare(device: Device, outputs: readonly Node[], leaves: readonly Node[]): Prepared {
  const order = topologicalOrder([...leaves, ...outputs]);
  verifyGraph(order);
  const copies: Node[] = [];
  for (const node of order) copies.push({ ...node, src: node.src.map((s) => copies[s.slot]), slot: copies.length });
  const copyOf = (node: Node): Node => copies[node.slot];
  const scalars = order.filter((node) => node.op === 'scalar');
  const executable = device.compile({
    nodes: copies,
    inputs: leaves.map(copyOf),
    scalars: scalars.map(copyOf),
    outputs: outputs.map((node) => ({ node: copyOf(node), assign: undefined })),
  });
  const numbers = scalars.map(({ arg }) => (arg as OpArgs['scalar']).value);
  return {
    executable,
    run: async (data) => {
      const inputs = leaves.map((node, k) => {
        const buffer = device.allocate(node.size, node.dtype, `input ${k}`);
        device.upload(buffer, data[k], node.dtype);
        return buffer;
      });
      const results = outputs.map((node, k) => device.allocate(node.size, node.dtype, `output ${k}`));
      executable.run(inputs, numbers, results);
      const read = await Promise.all(outputs.map((node, k) => device.download(results[k], node.size, node.dtype)));
      for (const buffer of [...inputs, ...results]) device.free(buffer);
      return read;
    },
  };
}

/** One run of a graph that is not needed again. */
export async function evaluateOn(
  device: Device,
  outputs: readonly Node[],
  leaves: readonly Node[] = [],
  data: readonly ArrayLike<number>[] = [],
): Promise<TypedArray[]> {
  const prepared = prepare(device, outputs, leaves);
  const results = await prepared.run(data);
  prepared.executable.dispose();
  return results;
}

/** The largest |actual − expected| / max(1, |expected|); NaN where one of them is no number. */
export function worstError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    if (!(error <= worst)) worst = error;
  }
  return worst;
}
