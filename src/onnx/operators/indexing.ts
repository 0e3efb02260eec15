// Operators that read and write at positions. Positions that are known on the host become slices where they follow one another.

import { cat, embedding, where } from '../../tensor/functions.js';
import { scatter } from '../../functions/writing.js';
import { scatterReduce } from '../../functions/scatter-reduce.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type HostArray, allocate, intsOf, sizeOf, stridesOf } from '../host/array.js';
import {
  type Combine,
  fromEnd,
  gatheredElements,
  gatheredRows,
  scatteredElements,
  scatteredRows,
  taken,
} from '../host/movement.js';
import type { Call, Operators, Result } from './operator.js';

type Index = Tensor<readonly number[], 'int32'>;

/** Positions on a device, none of which counts from the end. */
function indexOf(call: Call, i: number, size: number): Index {
  const known = call.known(i);
  if (known !== undefined) {
    const out = allocate('int32', known.shape);
    for (let k = 0; k < out.data.length; k++) out.data[k] = fromEnd(known.data[k], size);
    return call.made(out).to('int32');
  }
  const index = call.tensor(i).to('int32');
  return where(index.lt(0), index.add(size), index);
}

/** start and step of positions that follow one another evenly. */
export function progressionOf({ data }: HostArray, size: number): { start: number; step: number } | undefined {
  const start = fromEnd(data[0], size);
  const step = data.length > 1 ? fromEnd(data[1], size) - start : 1;
  if (step === 0) return undefined;
  for (let i = 1; i < data.length; i++) if (fromEnd(data[i], size) !== start + i * step) return undefined;
  return { start, step };
}

function gathered(call: Call): AnyTensor {
  const x = call.tensor(0);
  const axis = call.axis(call.int('axis', 0));
  const size = x.shape[axis];
  const known = call.known(1);
  const shape = [...x.shape.slice(0, axis), ...call.shape(1), ...x.shape.slice(axis + 1)];
  if (known?.data.length === 1) {
    const at = fromEnd(known.data[0], size);
    return x.slice(axis, at, at + 1).reshape(shape);
  }
  const even = known === undefined || known.data.length === 0 ? undefined : progressionOf(known, size);
  if (even !== undefined) {
    const end = even.start + even.step * (known as HostArray).data.length;
    return x.slice(axis, even.start, end < 0 ? undefined : end, even.step).reshape(shape);
  }
  const index = indexOf(call, 1, size);
  if (axis === 0 && x.rank === 2) return embedding(x, index).reshape(shape);
  return x.indexSelect(axis, index.reshape([index.size])).reshape(shape);
}

/** The number of the row that each [.., k] points to, counted within its batch and over all. */
function rowNumbers(call: Call, shape: readonly number[], batch: number): Index {
  const rank = call.rank(1);
  const k = call.shape(1)[rank - 1];
  const count = sizeOf(call.shape(1).slice(0, -1));
  const index = call.tensor(1).to('int32').reshape([count, k]);
  let row: Tensor | undefined;
  for (let i = 0; i < k; i++) {
    const size = shape[batch + i];
    const part = index.slice(1, i, i + 1).reshape([count]);
    const at: AnyTensor = where(part.lt(0), part.add(size), part);
    row = (row === undefined ? at : row.mul(size).add(at)) as Tensor;
  }
  const perBatch = sizeOf(shape.slice(batch, batch + k));
  if (batch > 0) {
    const batches = sizeOf(shape.slice(0, batch));
    const offsets = allocate('int32', [count]);
    for (let i = 0; i < count; i++) offsets.data[i] = Math.floor((i * batches) / count) * perBatch;
    row = call.made(offsets).add(row as Tensor);
  }
  return (row as Tensor).to('int32');
}

function rowsGathered(call: Call): AnyTensor {
  const x = call.tensor(0);
  const batch = call.int('batch_dims', 0);
  const k = call.shape(1)[call.rank(1) - 1];
  const rows = sizeOf(x.shape.slice(0, batch + k));
  const width = sizeOf(x.shape.slice(batch + k));
  const table: Tensor = x.reshape([rows, width]);
  const found = embedding(table, rowNumbers(call, x.shape, batch));
  return found.reshape([...call.shape(1).slice(0, -1), ...x.shape.slice(batch + k)]);
}

// ---------------------------------------------------------------- writing

/** A box of positions: where it begins in each indexed dimension, and how long it is there. */
interface Box {
  readonly start: readonly number[];
  readonly count: readonly number[];
}

/** The box that rows of indices [.., k] go through in order, if they do: what `x[a:b, c:d] = y` becomes in a graph. */
export function boxOf(indices: HostArray, shape: readonly number[]): Box | undefined {
  const rank = indices.shape.length - 1;
  const k = indices.shape[rank];
  const counts = indices.shape.slice(0, -1);
  const rows = sizeOf(counts);
  if (rows === 0 || k === 0) return undefined;
  const strides = stridesOf(counts);
  const at = (row: number, i: number): number => fromEnd(indices.data[row * k + i], shape[i]);
  const start = Array.from({ length: k }, (_, i) => at(0, i));
  // each indexed dimension goes along one of the rows' dimensions, or stays where it is
  const along = start.map((first, i) => counts.findIndex((n, axis) => n > 1 && at(strides[axis], i) !== first));
  const moving = along.filter((axis) => axis >= 0);
  if (moving.some((axis, i) => i > 0 && axis <= moving[i - 1])) return undefined;
  if (counts.some((n, axis) => n > 1 && !moving.includes(axis))) return undefined;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < k; i++) {
      const step = along[i] < 0 ? 0 : Math.floor(row / strides[along[i]]) % counts[along[i]];
      if (at(row, i) !== start[i] + step) return undefined;
    }
  }
  return { start, count: along.map((axis) => (axis < 0 ? 1 : counts[axis])) };
}

/** x with `part` in the box that begins at `start`, from dimension `axis` on. */
function replaced(x: Tensor, part: Tensor, start: readonly number[], axis = 0): Tensor {
  if (axis === start.length) return part;
  const [from, to] = [start[axis], start[axis] + part.shape[axis]];
  const n = x.shape[axis];
  const middle = replaced(from === 0 && to === n ? x : x.slice(axis, from, to), part, start, axis + 1);
  const parts = [middle];
  if (from > 0) parts.unshift(x.slice(axis, 0, from));
  if (to < n) parts.push(x.slice(axis, to, n));
  return parts.length === 1 ? middle : cat(parts, axis);
}

function rowsScattered(call: Call): AnyTensor {
  const reduction = call.text('reduction', 'none');
  const x = call.tensor(0);
  const updates = call.tensor(2);
  const known = call.known(1);
  const box = reduction === 'none' && known !== undefined ? boxOf(known, x.shape) : undefined;
  if (box !== undefined)
    return replaced(x, updates.reshape([...box.count, ...x.shape.slice(box.start.length)]), box.start);
  const k = call.shape(1)[call.rank(1) - 1];
  const rows = sizeOf(x.shape.slice(0, k));
  const width = sizeOf(x.shape.slice(k));
  const index = rowNumbers(call, x.shape, 0);
  const table: Tensor = x.reshape([rows, width]);
  const wide = index.reshape([index.size, 1]).expand([index.size, width]);
  const values: Tensor = updates.reshape([index.size, width]);
  return written(call, table, 0, wide, values, reduction).reshape(x.shape);
}

const REDUCTIONS: Readonly<Record<string, 'sum' | 'prod' | 'amax' | 'amin'>> = {
  add: 'sum',
  mul: 'prod',
  max: 'amax',
  min: 'amin',
};

function written(call: Call, x: Tensor, axis: number, index: Index, values: Tensor, reduction: string): Tensor {
  if (reduction === 'none') return scatter(x, axis, index, values);
  const how = REDUCTIONS[reduction] ?? call.fail(`the reduction '${reduction}' is not known`);
  return scatterReduce(x, axis, index, values, how);
}

const COMBINE: Readonly<Record<string, Combine>> = {
  none: (_, update) => update,
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  max: Math.max,
  min: Math.min,
};

const combineOf = (call: Call): Combine => {
  const reduction = call.text('reduction', 'none');
  return COMBINE[reduction] ?? call.fail(`the reduction '${reduction}' is not known`);
};

function elementsScattered(call: Call): AnyTensor {
  const x = call.tensor(0);
  const axis = call.axis(call.int('axis', 0));
  const index = indexOf(call, 1, x.shape[axis]);
  return written(call, x, axis, index, call.tensor(2), call.text('reduction', 'none'));
}

const SCATTER_ELEMENTS = {
  inputs: [3, 3] as const,
  settings: [1],
  host: (call: Call) =>
    scatteredElements(call.host(0), call.host(1), call.host(2), call.axis(call.int('axis', 0)), combineOf(call)),
  run: elementsScattered,
};

/** Positions of a new dimension with `on`, the others with `off`; one out of range is none. */
function oneHot(call: Call): Result {
  const depth = call.number(1);
  const rank = call.rank(0);
  const axis = call.axis(call.int('axis', -1), rank + 1);
  const given = call.tensor(0).to('int32');
  const index = where(given.lt(0), given.add(depth), given);
  const places = allocate('int32', [depth]);
  for (let i = 0; i < depth; i++) places.data[i] = i;
  const column = call.made(places).reshape(Array.from({ length: rank + 1 }, (_, i) => (i === axis ? depth : 1)));
  const wide = [...index.shape.slice(0, axis), 1, ...index.shape.slice(axis)];
  const hit = index.reshape(wide).eq(column);
  const values = call.tensor(2);
  const [off, on] = [values.slice(0, 0, 1).reshape([]), values.slice(0, 1, 2).reshape([])];
  return call.as(where(hit, on, off), call.type(2));
}

/** The positions of what is not 0: how many there are is only known when it is read. */
function nonzero(call: Call): HostArray {
  const x = call.host(0);
  const strides = stridesOf(x.shape);
  const found: number[] = [];
  x.data.forEach((value, at) => {
    if (value !== 0) found.push(at);
  });
  const out = allocate('int64', [x.shape.length, found.length]);
  x.shape.forEach((n, axis) => {
    found.forEach((at, i) => {
      out.data[axis * found.length + i] = Math.floor(at / strides[axis]) % n;
    });
  });
  return out;
}

/** The slices along an axis, or the elements, where the condition holds. */
function compressed(call: Call): AnyTensor {
  const at: number[] = [];
  call.host(1).data.forEach((value, i) => {
    if (value !== 0) at.push(i);
  });
  const x = call.tensor(0);
  const list = call.made(intsOf(at)).to('int32').reshape([at.length]);
  if (!call.hasAttribute('axis')) return x.reshape([x.size]).indexSelect(0, list);
  return x.indexSelect(call.axis(call.int('axis')), list);
}

export const INDEXING: Operators = {
  Gather: {
    inputs: [2, 2],
    settings: [1],
    weights: [0],
    host: (call) => taken(call.host(0), call.host(1), call.axis(call.int('axis', 0))),
    run: gathered,
  },
  GatherElements: {
    inputs: [2, 2],
    settings: [1],
    host: (call) => gatheredElements(call.host(0), call.host(1), call.axis(call.int('axis', 0))),
    run: (call) => {
      const x = call.tensor(0);
      const axis = call.axis(call.int('axis', 0));
      return x.gather(axis, indexOf(call, 1, x.shape[axis]));
    },
  },
  GatherND: {
    inputs: [2, 2],
    settings: [1],
    host: (call) => gatheredRows(call.host(0), call.host(1), call.int('batch_dims', 0)),
    run: rowsGathered,
  },
  ScatterElements: SCATTER_ELEMENTS,
  Scatter: { ...SCATTER_ELEMENTS, until: 11 },
  ScatterND: {
    inputs: [3, 3],
    settings: [1],
    host: (call) => scatteredRows(call.host(0), call.host(1), call.host(2), combineOf(call)),
    run: rowsScattered,
  },
  OneHot: { inputs: [3, 3], settings: [1, 2], run: oneHot },
  NonZero: { inputs: [1, 1], host: nonzero },
  Compress: { inputs: [2, 2], settings: [1], run: compressed },
};
