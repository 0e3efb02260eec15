// Runs layers on the inputs of a fixture (test/fixtures/layers-*.safetensors, made by tools/parity/layers.py) and compares outputs,
// gradients of inputs and parameters, and state with PyTorch's: to 1e-9 on the reference device, which computes in float64 as
// the fixture does, and to 1e-5 on both tiers of the CPU device, relative to the largest number of each tensor (or to 0.01).
// Natively a few cases are one program, and only with NABLA_PARITY=all: the C compiler takes minutes for all layers.
import { beforeAll, describe, expect, test } from 'vitest';
import { type AnyTensor, type Tensor, arange, realize, setDevice } from 'nabla';
import type { Module } from 'nabla/nn';
import { type Packed, expectClose, readFixture, unpack } from './pytorch.js';
import { FLOAT64, NATIVE, REFERENCE, type Tier, WASM, countNativeRuns, noNative } from './tiers.js';

/** Of the C compiler, on a machine that has other things to do; its results are cached. */
const NATIVE_TIMEOUT = 300_000;

/** As many are one program natively. */
const PROGRAM_CASES = 3;
/** Natively only on request (NABLA_PARITY=all): the C compiler takes minutes for all layers. */
const isComplete = process.env['NABLA_PARITY'] === 'all';

type Mode = 'train' | 'eval';

interface LayerCase {
  /** Those in which the layer does this. */
  readonly modes: readonly Mode[];
  readonly steps: number;
  /** Of the state dict. */
  readonly keys: readonly string[];
  readonly inputs: readonly Packed[];
  readonly before: Record<string, Packed>;
  readonly outputs: readonly Packed[];
  readonly gradInputs: readonly (Packed | null)[];
  readonly grads: Record<string, Packed>;
  /** What the passes have changed. */
  readonly after: Record<string, Packed>;
}

/** A layer, and how it is called where that is more than `forward(...inputs)`. */
export interface Subject {
  readonly layer: Module;
  readonly call?: (...inputs: never[]) => unknown;
}

/** How the layer of each case is made. */
export type Subjects = Readonly<Record<string, () => Subject | Module>>;

/** Tests of every case of a group, in every mode and on every tier; those of `isShort` in float64 with NABLA_PARITY=all alone. */
export function describeParity(group: string, subjects: Subjects, isShort = false): void {
  const { cases } = readFixture<{ cases: Record<string, LayerCase> }>(`layers-${group}.safetensors`);
  const rows = Object.entries(cases).flatMap(([name, fixture]) =>
    fixture.modes.map((mode) => ({ name, mode, fixture })),
  );
  const passOf = (name: string, mode: Mode, tier: Tier): Pass => new Pass(cases[name], subjects[name](), mode, tier);

  describe(`${group}, as PyTorch`, () => {
    test('every case has its layer, and every layer its case', () => {
      expect(Object.keys(subjects).sort()).toEqual(Object.keys(cases).sort());
    });

    describe.each([REFERENCE, WASM, ...(isShort && !isComplete ? [] : [FLOAT64])])('on $device, $dtype', (tier) => {
      test.each(rows)('$name, $mode', async ({ name, mode }) => {
        setDevice(tier.device);
        const pass = passOf(name, mode, tier);
        while (pass.step()) await realize(...pass.pending);
        await pass.compare();
      });
    });

    // One mode of each case, since the other differs in nothing that a tier sees; the compiler takes its time.
    describe.skipIf(noNative !== undefined || !isComplete)('on native', () => {
      let passes: ReadonlyMap<string, Pass>;
      const names = Object.keys(cases);
      const runs = countNativeRuns();
      beforeAll(async () => {
        passes = await together(names.map((name) => [name, () => passOf(name, cases[name].modes[0], NATIVE)]));
      }, NATIVE_TIMEOUT);

      test.each(names)('%s', (name) => passes.get(name)!.compare());

      test('nothing ran as WebAssembly instead', () => {
        expect(runs.native).toBeGreaterThan(0);
        expect(runs.instead).toBe(0);
      });
    });
  });
}

/** All passes step by step, each step of a few as one program. */
async function together(makers: readonly (readonly [string, () => Pass])[]): Promise<ReadonlyMap<string, Pass>> {
  setDevice('native');
  const passes = makers.map(([name, make]) => [name, make()] as const);
  for (let from = 0; from < passes.length; from += PROGRAM_CASES) {
    const some = passes.slice(from, from + PROGRAM_CASES).map(([, pass]) => pass);
    for (;;) {
      const going = some.filter((pass) => pass.step());
      if (going.length === 0) break;
      await realize(...going.flatMap((pass) => pass.pending));
    }
  }
  return new Map(passes);
}

/** The forward and backward passes of one layer. */
class Pass {
  private readonly fixture: LayerCase;
  private readonly tier: Tier;
  private readonly layer: Module;
  private readonly call: (...inputs: never[]) => unknown;
  private readonly inputs: readonly Tensor[];
  private outputs: Tensor[] = [];
  private steps = 0;

  constructor(fixture: LayerCase, subject: Subject | Module, mode: Mode, tier: Tier) {
    const { layer, call } = 'layer' in subject ? (subject as Subject) : { layer: subject, call: undefined };
    this.fixture = fixture;
    this.tier = tier;
    this.layer = layer;
    this.call = call ?? ((...xs) => (layer as unknown as { forward(...inputs: never[]): unknown }).forward(...xs));
    expect(Object.keys(layer.stateDict()), 'keys of the state dict').toEqual(fixture.keys);
    if (tier.dtype !== undefined) layer.to(tier.dtype);
    layer.loadStateDict(
      Object.fromEntries(fixture.keys.map((key) => [key, unpack(fixture.before[key], false, tier.dtype) as AnyTensor])),
    );
    layer.train(mode === 'train');
    this.inputs = fixture.inputs.map((x, i) => unpack(x, fixture.gradInputs[i] !== null, tier.dtype));
  }

  /** The next forward and backward pass, to be computed; false if there is none left. */
  step(): boolean {
    if (this.steps === this.fixture.steps) return false; // also when asked again
    this.steps++;
    this.layer.zeroGrad();
    for (const x of this.inputs) x.grad = undefined;
    this.outputs = leaves(this.call(...(this.inputs as never[])));
    const trained = this.outputs.filter((y) => y.requiresGrad).map((y) => weighted(y));
    trained.reduce((a, b) => a.add(b) as Tensor).backward();
    return true;
  }

  /** What has to be computed of this step. */
  get pending(): AnyTensor[] {
    const gradients = [...this.inputs, ...this.layer.parameters()].map(({ grad }) => grad as AnyTensor | undefined);
    return [...this.outputs, ...gradients.filter((g) => g !== undefined)] as AnyTensor[];
  }

  async compare(): Promise<void> {
    const { fixture, layer, outputs, inputs } = this;
    const { tolerance } = this.tier;
    const close = (t: AnyTensor, expected: Packed, what: string): Promise<void> =>
      expectClose(t, expected, what, tolerance, 0.01);
    expect(outputs).toHaveLength(fixture.outputs.length);
    for (const [i, y] of fixture.outputs.entries()) await close(outputs[i], y, `output ${i}`);
    for (const [i, gradient] of fixture.gradInputs.entries()) {
      if (gradient !== null) await close(inputs[i].grad!, gradient, `gradient of input ${i}`);
    }
    for (const [key, parameter] of layer.namedParameters()) {
      if (key in fixture.grads) await close(parameter.grad!, fixture.grads[key], `gradient of ${key}`);
      else expect(parameter.grad, `gradient of ${key}`).toBeUndefined();
    }
    for (const [key, t] of Object.entries(layer.stateDict())) {
      await close(t, fixture.after[key] ?? fixture.before[key], key);
    }
  }
}

function leaves(value: unknown): Tensor[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.flatMap(leaves) : [value as Tensor];
}

/** Different weights for the elements of y, so that no gradient cancels. */
export function weighted(y: Tensor): Tensor {
  return y.mul((arange(y.size).to(y.dtype) as Tensor).cos().reshape(y.shape) as Tensor).sum() as Tensor;
}
