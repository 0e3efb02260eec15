// ZeRO stage 1 (Rajbhandari et al. 2020): the optimiser's state is shared out. Each process updates the parameters that are its own and
// gives their new values to the others, so that of the moments of Adam each holds its share alone.
//   gradients, averaged → update of the own parameters → all-gather of parameters
// It works with any optimiser, because optimisers leave alone what has no gradient, and make state for what they update only.

import { checkOptimizer } from '../optim/optimizer.js';
import type { OptimizerState } from '../optim/optimizer.js';
import { tensor } from '../tensor/creation.js';
import { cat } from '../tensor/functions.js';
import {
  type DType,
  type Shape,
  checkHas,
  eachRun,
  isFloat,
  overwriteMemory,
  sizeOf,
  updateAtOnce,
} from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { checkWorld } from './data-parallel.js';
import { DistributedError } from './error.js';
import { type HostArray, arrayLike, bytesOf, storedZeros } from './values.js';
import type { World } from './world.js';

/** Any optimiser of `nabla/optim`. */
export interface StatefulOptimizer {
  readonly groups: readonly (object & { lr?: number; readonly params: readonly Tensor[] })[];
  zeroGrad(): void;
  step(): Promise<void>;
  stateDict(): OptimizerState;
  loadStateDict(state: OptimizerState): void;
}

/** Parameters of one dtype, and the memory in which they travel. */
interface Shipment {
  readonly bytes: number;
  /** Elements of each process, one process after the other. */
  readonly counts: Int32Array;
  /** Of all processes: place of each parameter in `all`. */
  readonly parts: readonly { readonly index: number; readonly start: number; readonly size: number }[];
  readonly own: Tensor | undefined;
  readonly all: Tensor;
}

const ELEMENT_BYTES: Readonly<Record<string, number>> = { float64: 8, float32: 4, float16: 2, bfloat16: 2 };

/**
 * An optimiser whose state is divided among the processes: each holds that of its own parameters, about 1 / `worldSize` of it all. Updates
 * are those of the optimiser itself. Use it with averaged gradients: DataParallel, or the Trainer's `distributed`. Checkpoints of a Trainer
 * are complete, and the same as without it; elsewhere call `consolidateStateDict` before `stateDict`. PyTorch: ZeroRedundancyOptimizer.
 *
 *     const optimizer = new ZeroRedundancyOptimizer(new AdamW(model.parameters(), { lr: 1e-3 }), world);
 */
export class ZeroRedundancyOptimizer<O extends StatefulOptimizer = StatefulOptimizer> {
  /** The optimiser that does the updates. */
  readonly optimizer: O;
  readonly #world: World;
  /** The process that updates each parameter. */
  #owners: readonly number[] = [];
  #shipments: readonly Shipment[] | undefined;
  #complete: OptimizerState | undefined;

  constructor(optimizer: O, world: World) {
    checkWorld('ZeroRedundancyOptimizer', world);
    checkOptimizer('ZeroRedundancyOptimizer', optimizer);
    checkHas(
      'ZeroRedundancyOptimizer',
      'the optimiser',
      optimizer,
      ['zeroGrad', 'step', 'stateDict', 'loadStateDict'],
      'Pass one of nabla/optim: new AdamW(model.parameters(), { lr })',
    );
    this.optimizer = optimizer;
    this.#world = world;
    this.#share();
  }

  /** Groups and their hyper-parameters, which may be changed between steps. */
  get groups(): O['groups'] {
    return this.optimizer.groups;
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    this.optimizer.zeroGrad();
  }

  /** One update: of the parameters of this process by the optimiser, of the others by what their processes send. */
  async step(): Promise<void> {
    const parameters = this.#parameters();
    if (parameters.length !== this.#owners.length) this.#share();
    this.#complete = undefined;
    const { rank, worldSize } = this.#world;
    if (worldSize === 1) return this.optimizer.step();
    const gradients = parameters.map((p) => p.grad);
    parameters.forEach((p, i) => {
      if (this.#owners[i] !== rank) p.grad = undefined;
    });
    try {
      await this.optimizer.step();
    } finally {
      parameters.forEach((p, i) => {
        if (this.#owners[i] !== rank) p.grad = gradients[i];
      });
    }
    await this.#ship(parameters);
  }

  /**
   * Gathers the state of all processes on process `to`, for `stateDict` there, until the next step. All processes call it. PyTorch:
   * consolidate_state_dict.
   */
  async consolidateStateDict(to = 0): Promise<void> {
    const { rank, worldSize } = this.#world;
    if (worldSize === 1) return;
    const { tensors, steps = [] } = this.optimizer.stateDict();
    const entries: Entry[] = [];
    const arrays: HostArray[] = [];
    for (const [key, t] of Object.entries(tensors)) {
      if (this.#owners[indexOf(key)] !== rank) continue;
      const data = (await t.data()) as HostArray;
      arrays.push(data);
      entries.push({ key, dtype: t.dtype, shape: t.shape, kind: data.constructor.name, bytes: data.byteLength });
    }
    const own = new Uint8Array(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0));
    let at = 0;
    for (const data of arrays) {
      own.set(bytesOf(data), at);
      at += data.byteLength;
    }
    const told = this.#world.exchange({ entries, steps }) as { entries: Entry[]; steps: number[] }[];
    const parts = this.#world.exchangeArrays(own, 'the state of the optimiser', to);
    if (rank !== to) return;
    const all: Record<string, AnyTensor> = {};
    told.forEach((one, r) => {
      let start = 0;
      for (const { key, dtype, shape, kind, bytes } of one.entries) {
        const numbers = arrayLike(SAMPLES[kind] ?? SAMPLES['Float32Array'], bytes / SAMPLES[kind].BYTES_PER_ELEMENT);
        bytesOf(numbers).set(parts[r].subarray(start, start + bytes));
        all[key] = tensor(numbers, { shape, dtype });
        start += bytes;
      }
    });
    const ordered = Object.entries(all).sort(([a], [b]) => indexOf(a) - indexOf(b));
    const { step, groups } = this.optimizer.stateDict();
    this.#complete = {
      step,
      groups,
      steps: this.#owners.map((owner, i) => told[owner].steps[i]),
      tensors: Object.fromEntries(ordered),
    };
  }

  /** The complete state after `consolidateStateDict`, on the process that it names; else hyper-parameters and the state of this process alone. */
  stateDict(): OptimizerState {
    return this.#complete ?? this.optimizer.stateDict();
  }

  /** Takes over a complete state, of which this process keeps its own part. Throws ArgumentError if it is of other parameters. */
  loadStateDict(state: OptimizerState): void {
    this.#complete = undefined;
    const { rank, worldSize } = this.#world;
    const tensors = (state as Partial<OptimizerState> | null | undefined)?.tensors;
    if (worldSize === 1 || tensors === undefined) return this.optimizer.loadStateDict(state);
    const kept = Object.entries(tensors).filter(([key]) => (this.#owners[indexOf(key)] ?? rank) === rank);
    this.optimizer.loadStateDict({ ...state, tensors: Object.fromEntries(kept) });
  }

  #parameters(): Tensor[] {
    return this.optimizer.groups.flatMap(({ params }) => [...params]);
  }

  /** The largest parameters first, each to the process that has least so far: the same on all processes. */
  #share(): void {
    const parameters = this.#parameters();
    const { worldSize } = this.#world;
    const loads = new Array<number>(worldSize).fill(0);
    const owners = new Array<number>(parameters.length).fill(0);
    const bySize = parameters.map((_, i) => i).sort((a, b) => parameters[b].size - parameters[a].size || a - b);
    for (const i of bySize) {
      const owner = loads.indexOf(Math.min(...loads));
      owners[i] = owner;
      loads[owner] += parameters[i].size;
    }
    this.#owners = owners;
    this.#shipments = undefined;
  }

  async #ship(parameters: readonly Tensor[]): Promise<void> {
    const { rank } = this.#world;
    const shipments = (this.#shipments ??= this.#pack(parameters));
    await updateAtOnce(() => {
      for (const { own, parts } of shipments) {
        const mine = parts.filter(({ index }) => this.#owners[index] === rank);
        own?.assign_(cat(mine.map(({ index, size }) => parameters[index].detach().reshape([size]))) as Tensor);
      }
    });
    eachRun(
      () => shipments.forEach((shipment) => this.#gather(shipment)),
      () => {},
    );
    await updateAtOnce(() => {
      for (const { all, parts } of shipments)
        for (const { index, start, size } of parts) {
          if (this.#owners[index] === rank) continue;
          const p = parameters[index];
          p.assign_(all.slice(0, start, start + size).reshape(p.shape) as Tensor);
        }
    });
  }

  #gather({ own, all, counts, bytes }: Shipment): void {
    let [input, out]: (Uint8Array | undefined)[] = [undefined, undefined];
    if (own !== undefined) overwriteMemory(own, (memory) => (input = memory));
    overwriteMemory(all, (memory) => (out = memory));
    if (out === undefined)
      throw new DistributedError(
        "ZeroRedundancyOptimizer: the memory of the parameters cannot be seen. Train on 'cpu'.",
        this.#world.rank,
      );
    this.#world.now({
      kind: 'allGather',
      input: input ?? new Uint8Array(1),
      out,
      count: counts[this.#world.rank] * bytes,
      counts: counts.map((n) => n * bytes),
      element: 'byte',
      label: 'parameters after an update',
    });
  }

  #pack(parameters: readonly Tensor[]): readonly Shipment[] {
    const { rank, worldSize } = this.#world;
    const dtypes = [...new Set(parameters.map(({ dtype }) => dtype as DType))];
    return dtypes.map((dtype) => {
      if (!isFloat(dtype)) throw new DistributedError(`ZeroRedundancyOptimizer: parameters of ${dtype}.`, rank);
      const counts = new Int32Array(worldSize);
      const parts: { index: number; start: number; size: number }[] = [];
      let start = 0;
      for (let r = 0; r < worldSize; r++)
        parameters.forEach((p, index) => {
          if (this.#owners[index] !== r || p.dtype !== dtype) return;
          const size = sizeOf(p.shape);
          parts.push({ index, start, size });
          start += size;
          counts[r] += size;
        });
      const stored = (size: number): Tensor => storedZeros([size], dtype, 'cpu');
      return {
        bytes: ELEMENT_BYTES[dtype],
        counts,
        parts,
        own: counts[rank] === 0 ? undefined : stored(counts[rank]),
        all: stored(start),
      };
    });
  }
}

interface Entry {
  readonly key: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly kind: string;
  readonly bytes: number;
}

const SAMPLES: Readonly<Record<string, HostArray>> = {
  Float32Array: new Float32Array(0),
  Float64Array: new Float64Array(0),
  Int32Array: new Int32Array(0),
  Uint8Array: new Uint8Array(0),
};

/** Of the parameter that a key of the state belongs to: `exp_avg.3` → 3. */
const indexOf = (key: string): number => Number(key.slice(key.lastIndexOf('.') + 1));
