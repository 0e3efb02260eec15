// A batch seen as a list: the tensors and numbers in it, in order, and how they lie in it. A captured step takes such a
// list, and puts the batch together again inside.
// { x: Tensor, y: [Tensor, 3] } → values [Tensor, Tensor, 3], structure '{x:t,y:[t,n]}'
// Must not know: what the batch means.

import { ArgumentError } from '../tensor/library.js';
import { type AnyTensor, Tensor } from '../tensor/tensor.js';

export type BatchValue = AnyTensor | number;

export interface FlatBatch {
  readonly values: readonly BatchValue[];
  /** The same for batches that differ in their values only. */
  readonly structure: string;
  /** A batch of this structure with other values. */
  readonly rebuild: (values: readonly BatchValue[]) => unknown;
}

type Rebuild = (take: () => BatchValue) => unknown;

/** Throws ArgumentError for anything but tensors, numbers, arrays and plain objects. */
export function flattenBatch(batch: unknown): FlatBatch {
  const values: BatchValue[] = [];
  const { structure, rebuild } = visit(batch, 'the batch', values);
  return {
    values,
    structure,
    rebuild: (given) => {
      let at = 0;
      return rebuild(() => given[at++]);
    },
  };
}

function visit(value: unknown, path: string, values: BatchValue[]): { structure: string; rebuild: Rebuild } {
  if (value instanceof Tensor) {
    values.push(value);
    return { structure: 't', rebuild: (take) => take() };
  }
  if (typeof value === 'number') {
    values.push(value);
    return { structure: 'n', rebuild: (take) => take() };
  }
  if (value === undefined || value === null) return { structure: String(value), rebuild: () => value };
  if (Array.isArray(value)) {
    const items = value.map((item, i) => visit(item, `${path}[${i}]`, values));
    return {
      structure: `[${items.map((item) => item.structure).join()}]`,
      rebuild: (take) => items.map((item) => item.rebuild(take)),
    };
  }
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    const fields = Object.entries(value).map(([key, item]) => ({ key, ...visit(item, `${path}.${key}`, values) }));
    return {
      structure: `{${fields.map(({ key, structure }) => `${JSON.stringify(key)}:${structure}`).join()}}`,
      rebuild: (take) => Object.fromEntries(fields.map(({ key, rebuild }) => [key, rebuild(take)])),
    };
  }
  const what = typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value;
  throw new ArgumentError(
    `Trainer: ${path} is a ${what}, which a captured step cannot take in. Use tensors, numbers, arrays and plain objects of them, or compile: false.`,
  );
}

/** Samples in a batch: the first size of its first tensor that has one; 1 if there is none. */
export function countSamples(batch: unknown): number {
  if (batch instanceof Tensor) return (batch.shape as readonly number[])[0] ?? 1;
  if (typeof batch !== 'object' || batch === null) return 1;
  const first = Object.values(batch).find((v) => v instanceof Tensor && v.shape.length > 0);
  if (first !== undefined) return countSamples(first);
  const nested = Object.values(batch).find((v) => typeof v === 'object' && v !== null && !(v instanceof Tensor));
  return nested === undefined ? 1 : countSamples(nested);
}
