// Applies transforms to the samples of a batch, one sample after the other, each with random numbers of its own, and puts
// what comes out into arrays again. The arrays that came in are used where shapes stay as they were.
// Batch of arrays in, batch of arrays out. Must not know: tensors, datasets, the order of training.

import { HostRandom } from '../tensor/host-random.js';
import { ArgumentError, type Shape, formatShape, sameShape, sizeOf } from '../tensor/library.js';
import type { Field, FieldData, Fields, HostBatch, SampleRandom } from './fields.js';
import { SampleError } from './sample-error.js';
import { isInt32Array, isUint8Array } from '../tensor/typed-arrays.js';

/** One change of a sample: it may work in place and returns the sample that goes on. */
export interface SampleStep {
  /** The one field that it changes; undefined: any of them. */
  readonly field?: string;
  /** Whether it belongs to the data; otherwise it is only there to vary them in training. */
  readonly always: boolean;
  apply(sample: Fields, random: HostRandom): Fields;
}

interface Target {
  readonly data: FieldData;
  readonly shape: Shape;
  readonly size: number;
}

export function applySteps(
  steps: readonly SampleStep[],
  raw: HostBatch<Fields>,
  positions: ArrayLike<number>,
  randomOf: SampleRandom | undefined,
): HostBatch<Fields> {
  const active = randomOf === undefined ? steps.filter((step) => step.always) : steps;
  if (active.length === 0) return raw;
  const rawFields = Object.entries(raw).map(([name, { data, shape }]) => {
    const item = shape.slice(1);
    return { name, data, shape: item, size: sizeOf(item) };
  });
  const targets = new Map<string, Target>();
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i];
    try {
      const random = randomOf === undefined ? new HostRandom(0, 0, position) : randomOf(position);
      let sample: Fields = Object.fromEntries(
        rawFields.map(({ name, data, shape, size }) => [
          name,
          { data: data.subarray(i * size, (i + 1) * size), shape },
        ]),
      );
      for (const step of active) sample = step.apply(sample, random);
      if (i === 0) {
        for (const [name, field] of Object.entries(sample))
          targets.set(name, targetOf(field, raw[name], positions.length));
      }
      store(sample, targets, i);
    } catch (error) {
      throw error instanceof SampleError ? error : new SampleError(position, error);
    }
  }
  return Object.fromEntries(
    [...targets].map(([name, { data, shape }]) => [name, { data, shape: [positions.length, ...shape] }]),
  ) as HostBatch<Fields>;
}

/** An array of zeros of the kind of `like`. */
export function allocate<D extends FieldData>(like: D, length: number): D {
  if (isInt32Array(like)) return new Int32Array(length) as D;
  return (isUint8Array(like) ? new Uint8Array(length) : new Float32Array(length)) as D;
}

/** Where a field goes, as the first sample has it: into the array that it came from, if it still fits. */
function targetOf(field: Field, raw: Field | undefined, count: number): Target {
  const { data, shape } = field;
  const size = sizeOf(shape);
  const fits = raw !== undefined && raw.data.constructor === data.constructor && sameShape(raw.shape.slice(1), shape);
  return { data: fits ? raw.data : allocate(data, count * size), shape, size };
}

function store(sample: Fields, targets: ReadonlyMap<string, Target>, i: number): void {
  const names = Object.keys(sample);
  if (names.length !== targets.size || !names.every((name) => targets.has(name))) {
    throw new ArgumentError(
      `transform: fields ${names.join(', ')}, but the first sample has ${[...targets.keys()].join(', ')}. Give every sample the same.`,
    );
  }
  for (const [name, { data, shape, size }] of targets) {
    const field = sample[name];
    if (!sameShape(field.shape, shape) || field.data.constructor !== data.constructor) {
      throw new ArgumentError(
        `transform: field ${name} is ${describe(field)}, but ${describe({ data, shape })} in the batch's first sample. Crop or resize to one shape.`,
      );
    }
    if (field.data.length !== size) {
      throw new ArgumentError(`transform: field ${name} has ${field.data.length} numbers for ${formatShape(shape)}.`);
    }
  }
  // A transform may have exchanged two fields: what lies where another field is about to go is saved first.
  const buffers = new Set(Array.from(targets.values(), ({ data }) => data.buffer));
  const values = Array.from(targets, ([name, { data }]) => {
    const { data: value } = sample[name];
    return value.buffer !== data.buffer && buffers.has(value.buffer) ? value.slice() : value;
  });
  let field = 0;
  for (const { data, size } of targets.values()) {
    const value = values[field++];
    const at = data.byteOffset + i * size * data.BYTES_PER_ELEMENT;
    if (value.buffer !== data.buffer || value.byteOffset !== at) data.set(value, i * size);
  }
}

const describe = ({ data, shape }: Field): string => `${data.constructor.name} ${formatShape(shape)}`;
