// Runs a layer on the inputs of a fixture (test/fixtures/layers-*.json, made by tools/parity/layers.py) and compares outputs,
// gradients of inputs and parameters, and state with PyTorch's: to 1e-9 on the reference device, which computes in
// float64 as the fixture does, and to 1e-5 on the others, relative to the largest number of each tensor (or to 0.01).
import { expect } from 'vitest';
import { type AnyTensor, type Tensor, arange, setDevice } from 'nabla';
import type { Module } from 'nabla/nn';
import { type Packed, expectClose, readFixture, unpack } from './pytorch.js';

export interface LayerCase {
  readonly name: string;
  readonly train: boolean;
  readonly steps: number;
  readonly inputs: readonly Packed[];
  readonly before: Record<string, Packed>;
  readonly outputs: readonly Packed[];
  readonly gradInputs: readonly (Packed | null)[];
  readonly grads: Record<string, Packed>;
  /** What the passes have changed. */
  readonly after: Record<string, Packed>;
}

/** A layer, and how it is called where that is more than `forward(input)`. */
export interface Subject {
  readonly layer: Module;
  readonly call?: (...inputs: never[]) => unknown;
}

export function readCases(group: string): readonly LayerCase[] {
  return readFixture<{ cases: LayerCase[] }>(`layers-${group}.json`).cases;
}

export async function expectParity(
  device: string,
  fixture: LayerCase,
  make: (() => Subject) | undefined,
): Promise<void> {
  if (make === undefined) throw new Error(`no layer is given for the case '${fixture.name}'`);
  setDevice(device);
  const tolerance = device === 'reference' ? 1e-9 : 1e-5;
  const compare = (t: AnyTensor, expected: Packed, what: string): Promise<void> =>
    expectClose(t, expected, what, tolerance, 0.01);
  const { layer, call } = make();
  expect(Object.keys(layer.stateDict()), 'keys of the state dict').toEqual(Object.keys(fixture.before));
  layer.loadStateDict(unpackAll(fixture.before));
  layer.train(fixture.train);
  const inputs = fixture.inputs.map((x, i) => unpack(x, fixture.gradInputs[i] !== null));
  const forward =
    call ?? ((...xs: never[]) => (layer as unknown as { forward(...xs: never[]): unknown }).forward(...xs));
  for (let step = 1; step <= fixture.steps; step++) {
    layer.zeroGrad();
    for (const x of inputs) x.grad = undefined;
    const outputs = leaves(forward(...(inputs as never[])));
    const trained = outputs.filter((y) => y.requiresGrad).map((y) => weighted(y));
    trained.reduce((a, b) => a.add(b) as Tensor).backward();
    if (step < fixture.steps) {
      await Promise.all(outputs.map((y) => y.data()));
      continue;
    }
    expect(outputs).toHaveLength(fixture.outputs.length);
    for (const [i, y] of fixture.outputs.entries()) await compare(outputs[i], y, `output ${i}`);
  }
  for (const [i, gradient] of fixture.gradInputs.entries()) {
    if (gradient !== null) await compare(inputs[i].grad!, gradient, `gradient of input ${i}`);
  }
  for (const [key, parameter] of layer.namedParameters()) {
    if (key in fixture.grads) await compare(parameter.grad!, fixture.grads[key], `gradient of ${key}`);
    else expect(parameter.grad, `gradient of ${key}`).toBeUndefined();
  }
  for (const [key, t] of Object.entries(layer.stateDict())) {
    await compare(t, fixture.after[key] ?? fixture.before[key], key);
  }
}

function unpackAll(state: Record<string, Packed>): Record<string, AnyTensor> {
  return Object.fromEntries(Object.entries(state).map(([key, t]) => [key, unpack(t) as AnyTensor]));
}

function leaves(value: unknown): Tensor[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.flatMap(leaves) : [value as Tensor];
}

/** Different weights for the elements of y, so that no gradient cancels. */
function weighted(y: Tensor): Tensor {
  return y.mul((arange(y.size).to('float32') as Tensor).cos().reshape(y.shape) as Tensor).sum() as Tensor;
}
