// The weights of a model as tensors: made from the numbers of the file when they are first asked for, and shared by all models that
// are cut from one another.

import { Buffer, Parameter } from '../../nn/parameter.js';
import { tensor } from '../../tensor/creation.js';
import { type DType, type FloatDType, changeDevice, isPending } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { Constant } from '../graph/graph.js';
import { type ElementType, isFloatType, rowOf } from '../wire/elements.js';

type Weight = Parameter | Buffer;

interface Made {
  readonly weight: AnyTensor;
  readonly storage: unknown;
  readonly version: number;
}

export class Weights {
  device: string;
  /** What real numbers are computed in, whatever the file says; undefined for what it says. */
  private real: FloatDType | undefined;
  private readonly made = new Map<Constant, Made>();
  private isChangedNow = false;

  constructor(device: string, real: FloatDType | undefined) {
    this.device = device;
    this.real = real;
  }

  dtypeOf(type: ElementType): DType {
    return this.real !== undefined && isFloatType(type) ? this.real : rowOf(type).dtype;
  }

  setReal(dtype: FloatDType): void {
    this.real = dtype;
  }

  /** Moves what has been made, and makes the rest there. */
  async moveTo(device: string): Promise<void> {
    for (const { weight } of this.made.values()) await changeDevice(weight, device);
    this.device = device;
  }

  /** The parameter or buffer of a constant. */
  of(constant: Constant): Weight {
    const known = this.made.get(constant);
    if (known !== undefined) return known.weight as Weight;
    const { array, key, role } = constant;
    const numbers = tensor(array.data, {
      shape: array.shape,
      dtype: this.dtypeOf(array.type),
      device: this.device,
    }) as AnyTensor as Tensor;
    const weight = (role === 'parameter' ? new Parameter(numbers) : new Buffer(numbers)).named(key);
    this.made.set(constant, { weight, storage: weight.storage, version: weight.storage?.version ?? 0 });
    return weight;
  }

  /** The tensor that a constant has become, if somebody has asked for it. */
  known(constant: Constant): AnyTensor | undefined {
    return this.made.get(constant)?.weight;
  }

  /** Whether a weight is another one than in the file: from then on what is computed of it is computed in each run. */
  get isChanged(): boolean {
    if (this.isChangedNow) return true;
    for (const { weight, storage, version } of this.made.values()) {
      if (weight.storage === storage && weight.storage?.version === version && !isPending(weight)) continue;
      this.isChangedNow = true;
      return true;
    }
    return false;
  }
}
