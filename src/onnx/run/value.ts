// A value of a graph in one run: numbers on the host, or a tensor that is yet to be computed.

import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { HostArray } from '../host/array.js';
import type { ElementType } from '../wire/elements.js';

export class Value {
  /** What the graph says it is; a device may hold it in another dtype. */
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Set when it is known here, at last by reading it. */
  host: HostArray | undefined;
  /** Set when it is on a device, at last by copying it there. */
  tensor: Tensor | undefined;
  /** It depends on nothing but the file, and is the same in every run. */
  isConstant = false;
  /** The inputs of the model that it was computed from, by their numbers. */
  readonly sources: ReadonlySet<number>;

  constructor(type: ElementType, shape: readonly number[], sources: ReadonlySet<number>) {
    this.type = type;
    this.shape = shape;
    this.sources = sources;
  }

  static ofHost(host: HostArray, sources: ReadonlySet<number> = NONE): Value {
    const value = new Value(host.type, host.shape, sources);
    value.host = host;
    return value;
  }

  static ofTensor(tensor: AnyTensor, type: ElementType, sources: ReadonlySet<number>): Value {
    const value = new Value(type, tensor.shape, sources);
    value.tensor = tensor as Tensor; // of whatever dtype: methods check it when they are called
    return value;
  }

  get rank(): number {
    return this.shape.length;
  }
}

export const NONE: ReadonlySet<number> = new Set();
