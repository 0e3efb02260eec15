// What the Trainer needs of several processes. It is loaded by the Trainer when it is given a world.

import type { Module } from '../nn/module.js';
import { tensor } from '../tensor/creation.js';
import type { DType, Shape } from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { DataParallel } from './data-parallel.js';
import { GradientReducer } from './reducer.js';
import { broadcastInPlace, makeEqual } from './replicas.js';
import { type HostArray, arrayLike, bytesOf } from './values.js';
import type { World } from './world.js';

type Groups = readonly { readonly params: readonly Tensor[] }[];
type NamedTensors = Readonly<Record<string, AnyTensor>>;

interface Described {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

export class TrainingGroup {
  readonly rank: number;
  readonly size: number;
  private readonly world: World;
  private readonly model: Module;
  private readonly reducer: GradientReducer;

  constructor(world: World, model: Module, groups: Groups) {
    this.world = world;
    this.rank = world.rank;
    this.size = world.worldSize;
    this.model = model;
    const names = new Map<Tensor, string>(model.namedParameters().map(([name, p]) => [p as Tensor, name]));
    const updated = groups.flatMap(({ params }) => [...params]);
    const named = updated.map((p, i) => [names.get(p) ?? `${i} of the optimiser`, p] as const);
    this.reducer = new GradientReducer(world, named);
  }

  begin(facts: Readonly<Record<string, string>>): void {
    this.world.agree('Trainer', facts);
    makeEqual(this.world, this.model, 'Trainer');
    this.reducer.agree('Trainer');
    const own = new Set<AnyTensor>(Object.values(this.model.stateDict()));
    broadcastInPlace(this.world, this.reducer.parameters.filter((p) => !own.has(p)) as AnyTensor[], 'Trainer');
  }

  standIn(isStandIn: boolean): void {
    this.world.standsIn = isStandIn;
  }

  async average(): Promise<void> {
    if (this.size === 1) return;
    await this.reducer.reduce();
    if (this.model instanceof DataParallel) this.model.reducer.isAveraged = true;
  }

  sum(numbers: readonly number[]): number[] {
    const sums = Float64Array.from(numbers);
    this.world.combine(sums, 'sum', 'sums of an update');
    return [...sums];
  }

  least(number: number): number {
    const least = Float64Array.of(number);
    this.world.combine(least, 'min', 'the number of batches');
    return least[0];
  }

  exchange(numbers: readonly number[]): number[][] {
    return this.world
      .exchangeArrays(Float64Array.from(numbers), 'what metrics have collected')
      .map((part) => [...part]);
  }

  tell<T>(value: T): T {
    return this.world.tell(value);
  }

  async tellTensors(tensors: NamedTensors): Promise<NamedTensors> {
    const described: Described[] = Object.entries(tensors).map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
    const result: Record<string, AnyTensor> = {};
    for (const { name, dtype, shape } of this.world.tell(described)) {
      const size = shape.reduce((a, b) => a * b, 1);
      const numbers = this.rank === 0 ? ((await tensors[name].data()) as HostArray) : arrayLike(arrayOf(dtype), size);
      const bytes = bytesOf(numbers);
      const PART = 1 << 30;
      for (let at = 0; at < bytes.length; at += PART) {
        const out = bytes.subarray(at, at + PART);
        this.world.now({ kind: 'broadcast', out, count: out.length, element: 'byte', root: 0, label: `state ${name}` });
      }
      result[name] = this.rank === 0 ? tensors[name] : tensor(numbers, { shape, dtype });
    }
    return result;
  }

  get secondsWaited(): number {
    return this.world.secondsWaited;
  }
}

/** An array of the kind that `data()` gives for a dtype. */
function arrayOf(dtype: DType): HostArray {
  if (dtype === 'float64') return new Float64Array(0);
  if (dtype === 'int32') return new Int32Array(0);
  return dtype === 'uint8' || dtype === 'bool' ? new Uint8Array(0) : new Float32Array(0);
}
