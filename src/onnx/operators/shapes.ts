// Operators about shapes: what is asked of one, what gives a tensor another one, and joins and parts.

import { cat } from '../../tensor/functions.js';
import { full } from '../../tensor/creation.js';
import { type PadMode, pad } from '../../functions/padding.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import {
  type HostArray,
  allocate,
  broadcastShape,
  eachIndex,
  intsOf,
  reshaped,
  scalarOf,
  sizeOf,
} from '../host/array.js';
import { mapped } from '../host/maps.js';
import { concatenated, expanded, permuted, sliced, tiled } from '../host/movement.js';
import { type ElementType, elementTypeName, elementTypeOf, isFloatType } from '../wire/elements.js';
import { wrappedTo } from './elementwise.js';
import type { Call, Operator, Operators, Result } from './operator.js';

/** An operator that gives x another shape of the same size. */
function reshaping(
  shapeOf: (call: Call) => readonly number[],
  more: Pick<Operator, 'inputs'> & Partial<Operator>,
): Operator {
  return {
    host: (call) => reshaped(call.host(0), shapeOf(call)),
    run: (call) => call.as(call.tensor(0).reshape(shapeOf(call)), call.type(0)),
    ...more,
  };
}

/** What 0 and -1 stand for in the new shape. */
function newShape(call: Call): number[] {
  const from = call.shape(0);
  const wanted = call.opset < 5 ? [...(call.ints('shape') ?? [])] : call.numbers(1);
  const isZeroKept = call.flag('allowzero');
  const shape = wanted.map((n, i) =>
    n === 0 && !isZeroKept
      ? (from[i] ?? call.fail(`the shape [${wanted.join(', ')}] has a 0 where the input has no dimension`))
      : n,
  );
  const free = shape.indexOf(-1);
  if (free >= 0) {
    const known = sizeOf(shape.filter((_, i) => i !== free));
    shape[free] = known === 0 ? 0 : sizeOf(from) / known;
  }
  if (sizeOf(shape) !== sizeOf(from) || !shape.every((n) => Number.isInteger(n) && n >= 0))
    call.fail(`[${from.join(', ')}] does not have the shape [${wanted.join(', ')}]`);
  return shape;
}

/** Axes of an operator that has them as an attribute before `since` and as an input from then on. */
export function axesOf(call: Call, since: number, input: number, rank: number): number[] | undefined {
  const axes = call.opset >= since ? (call.has(input) ? call.numbers(input) : undefined) : call.ints('axes');
  return axes?.map((axis) => call.axis(axis, rank));
}

function squeezed(call: Call): number[] {
  const shape = call.shape(0);
  const axes = axesOf(call, 13, 1, shape.length);
  return shape.filter((n, i) => {
    const goes = axes === undefined ? n === 1 : axes.includes(i);
    if (goes && n !== 1) call.fail(`dimension ${i} of [${shape.join(', ')}] is not 1`);
    return !goes;
  });
}

function unsqueezed(call: Call): number[] {
  const shape = [...call.shape(0)];
  const count = (call.opset >= 13 ? call.numbers(1) : (call.ints('axes') ?? [])).length;
  const axes = axesOf(call, 13, 1, shape.length + count) ?? [];
  for (const axis of axes.toSorted((a, b) => a - b)) shape.splice(axis, 0, 1);
  return shape;
}

function flattened(call: Call): number[] {
  const shape = call.shape(0);
  const axis = call.int('axis', 1);
  const at = axis < 0 ? axis + shape.length : axis;
  return [sizeOf(shape.slice(0, at)), sizeOf(shape.slice(at))];
}

function orderOf(call: Call): number[] {
  const rank = call.rank(0);
  return [...(call.ints('perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i))];
}

// ---------------------------------------------------------------- parts

interface Part {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

function partsOf(call: Call): Part[] {
  const isOld = call.opset < 10;
  const starts = isOld ? [...(call.ints('starts') ?? [])] : call.numbers(1);
  const ends = isOld ? [...(call.ints('ends') ?? [])] : call.numbers(2);
  const axes = isOld ? call.ints('axes') : call.has(3) ? call.numbers(3) : undefined;
  const steps = !isOld && call.has(4) ? call.numbers(4) : undefined;
  return starts.map((start, i) => ({
    axis: call.axis(axes?.[i] ?? i),
    start,
    end: ends[i],
    step: steps?.[i] ?? 1,
  }));
}

/** As NumPy: positions beyond the ends mean the ends. */
function slicedHost(call: Call): HostArray {
  const x = call.host(0);
  const start = x.shape.map(() => 0);
  const step = x.shape.map(() => 1);
  const count = [...x.shape];
  for (const part of partsOf(call)) {
    const n = x.shape[part.axis];
    const [least, most] = part.step > 0 ? [0, n] : [-1, n - 1];
    const bound = (at: number): number => Math.min(Math.max(at < 0 ? at + n : at, least), most);
    const [from, to] = [bound(part.start), bound(part.end)];
    start[part.axis] = from;
    step[part.axis] = part.step;
    count[part.axis] = Math.max(0, Math.ceil((to - from) / part.step));
  }
  return sliced(x, start, count, step);
}

function slicedTensor(call: Call): AnyTensor {
  return partsOf(call).reduce<Tensor>(
    (x, { axis, start, end, step }) => x.slice(axis, start, end, step),
    call.tensor(0),
  );
}

/** How a dimension is divided: by sizes, or into as many equal parts as there are outputs. */
function splitSizes(call: Call, axis: number): number[] {
  const n = call.shape(0)[axis];
  if (call.opset < 13) {
    const sizes = call.ints('split');
    if (sizes !== undefined) return [...sizes];
  } else if (call.has(1)) return call.numbers(1);
  const count = call.int('num_outputs', call.outputs);
  const size = Math.ceil(n / count);
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(size, n - i * size)));
}

function splitHost(call: Call): HostArray[] {
  const x = call.host(0);
  const axis = call.axis(call.int('axis', 0));
  let at = 0;
  return splitSizes(call, axis).map((size) => {
    const start = x.shape.map((_, i) => (i === axis ? at : 0));
    at += size;
    return sliced(
      x,
      start,
      x.shape.map((n, i) => (i === axis ? size : n)),
      x.shape.map(() => 1),
    );
  });
}

// ---------------------------------------------------------------- padding

const PAD_MODES: Readonly<Record<string, PadMode>> = {
  constant: 'constant',
  reflect: 'reflect',
  edge: 'replicate',
  wrap: 'circular',
};

function padded(call: Call): AnyTensor {
  const x = call.tensor(0);
  const isOld = call.opset < 11;
  const name = call.text('mode', 'constant');
  const mode = PAD_MODES[name] ?? call.fail(`the mode '${name}' is not known`);
  const pads = isOld ? [...(call.ints('pads') ?? [])] : call.numbers(1);
  const axes = !isOld && call.has(3) ? call.numbers(3).map((axis) => call.axis(axis)) : undefined;
  const count = axes?.length ?? x.rank;
  const pairs = x.shape.map((): [number, number] => [0, 0]);
  for (let i = 0; i < count; i++) pairs[axes?.[i] ?? i] = [pads[i], pads[i + count]];
  if (x.rank === 0) return x;
  if (mode === 'constant') {
    const value = isOld ? call.float('value', 0) : call.has(2) ? call.number(2) : 0;
    if (x.dtype === ('bool' as string)) return pad(x.to('int32'), pairs, { value }).to('bool');
    return pad(x, pairs, { value });
  }
  return mirrored(x, pairs, mode);
}

/** A mirror shows at most what there is: more than that is mirrored again. */
function mirrored(x: Tensor, pairs: readonly (readonly [number, number])[], mode: PadMode): Tensor {
  if (mode === 'replicate') return pad(x, pairs, { mode });
  let y = x;
  let rest = pairs.map(([a, b]): [number, number] => [a, b]);
  for (;;) {
    const most = y.shape.map((n) => (mode === 'reflect' ? n - 1 : n));
    const now = rest.map(([a, b], i): [number, number] => [Math.min(a, most[i]), Math.min(b, most[i])]);
    y = pad(y, now, { mode });
    rest = rest.map(([a, b], i): [number, number] => [a - now[i][0], b - now[i][1]]);
    if (rest.every(([a, b]) => a <= 0 && b <= 0) || most.some((n, i) => n < 1 && (rest[i][0] > 0 || rest[i][1] > 0)))
      return y;
  }
}

// ---------------------------------------------------------------- made of numbers

function typeFrom(call: Call, attribute: string, otherwise: ElementType): ElementType {
  if (!call.hasAttribute(attribute)) return otherwise;
  return typeOf(call, call.int(attribute));
}

export function typeOf(call: Call, code: number): ElementType {
  return elementTypeOf(code) ?? call.fail(`it gives ${elementTypeName(code)}, which nabla has not`);
}

function counted(call: Call): HostArray {
  const [start, limit] = [call.number(0), call.number(1)];
  const delta = call.has(2) ? call.number(2) : 1;
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!Number.isFinite(count) || count > 2 ** 28)
    call.fail(`a range from ${start} to ${limit} by ${delta} is too long`);
  const out = allocate(call.type(0), [count]);
  for (let i = 0; i < count; i++) out.data[i] = start + i * delta;
  return out;
}

/** Larger ones are not stored where a device can repeat a number. */
const MOST_STORED = 1 << 12;

function filled(call: Call): Result {
  const value = call.array('value') ?? scalarOf('float32', 0);
  const shape = call.numbers(0);
  if (!shape.every((n) => Number.isInteger(n) && n >= 0)) call.fail(`the shape is [${shape.join(', ')}]`);
  if (sizeOf(shape) <= MOST_STORED || !isFloatType(value.type)) {
    const out = allocate(value.type, shape);
    out.data.fill(value.data[0]);
    return out;
  }
  return call.as(full(shape, value.data[0], { dtype: call.environment.dtypeOf(value.type) }), value.type);
}

function converted(call: Call, to: ElementType): Result {
  const { environment } = call;
  const from = call.type(0);
  if (from === to) return call.value(0);
  const x = call.tensor(0);
  if (to === 'int8' || to === 'int16' || to === 'uint16' || (to === 'uint8' && x.dtype !== ('uint8' as string)))
    return call.as(wrappedTo(x.to('int32') as AnyTensor as Tensor, to), to);
  return call.as(x.to(environment.dtypeOf(to)), to);
}

const toType = (x: HostArray, to: ElementType): HostArray => mapped(x, to, (value) => value);

/** Rows and columns of the last two dimensions, above or below a diagonal. */
function triangle(call: Call): AnyTensor {
  const x = call.tensor(0);
  const k = call.has(1) ? call.number(1) : 0;
  const isUpper = call.flag('upper', true);
  if (x.dtype === ('bool' as string)) {
    const counted01 = x.to('int32');
    return (isUpper ? counted01.triu(k) : counted01.tril(k)).to('bool');
  }
  return isUpper ? x.triu(k) : x.tril(k);
}

function triangleHost(call: Call): HostArray {
  const x = call.host(0);
  const k = call.has(1) ? call.number(1) : 0;
  const isUpper = call.flag('upper', true);
  const out = allocate(x.type, x.shape);
  const rank = x.shape.length;
  eachIndex(x.shape, (at, place) => {
    const distance = place[rank - 1] - place[rank - 2] - k;
    out.data[at] = (isUpper ? distance >= 0 : distance <= 0) ? x.data[at] : 0;
  });
  return out;
}

/** Blocks of channels become blocks of pixels, and back. */
function toSpace(call: Call): AnyTensor {
  const x = call.tensor(0);
  const b = call.int('blocksize');
  const [n, c, h, w] = x.shape;
  const inner = c / (b * b);
  const isColumns = call.text('mode', 'DCR') === 'CRD';
  const apart: Tensor = x.reshape(isColumns ? [n, inner, b, b, h, w] : [n, b, b, inner, h, w]);
  const order = isColumns ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
  const moved: Tensor = apart.permute(order);
  return moved.reshape([n, inner, h * b, w * b]);
}

function toDepth(call: Call): AnyTensor {
  const x = call.tensor(0);
  const b = call.int('blocksize');
  const [n, c, h, w] = x.shape;
  const apart: Tensor = x.reshape([n, c, h / b, b, w / b, b]);
  const moved: Tensor = apart.permute(call.text('mode', 'DCR') === 'CRD' ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4]);
  return moved.reshape([n, c * b * b, h / b, w / b]);
}

/** Cuts and pads around the centre until the axes have the given sizes. */
function centred(call: Call): AnyTensor {
  const x = call.tensor(0);
  const axes = call.ints('axes')?.map((axis) => call.axis(axis)) ?? x.shape.map((_, i) => i);
  const sizes = call.numbers(1);
  const pairs = x.shape.map((): [number, number] => [0, 0]);
  axes.forEach((axis, i) => {
    const more = sizes[i] - x.shape[axis];
    const before = more >= 0 ? Math.floor(more / 2) : -Math.floor(-more / 2);
    pairs[axis] = [before, more - before];
  });
  return pad(x, pairs);
}

function expandedShape(call: Call): number[] {
  const [from, to] = [call.shape(0), call.numbers(1)];
  return broadcastShape(from, to) ?? call.fail(`[${from.join(', ')}] does not broadcast to [${to.join(', ')}]`);
}

/** The last positions of each sequence first; what lies behind a sequence stays. */
function sequencesReversed(call: Call): AnyTensor {
  const x = call.tensor(0);
  const [batch, time] = [call.int('batch_axis', 1), call.int('time_axis', 0)];
  const length = x.shape[time];
  const lengths = call.numbers(1);
  const at = allocate('int32', [lengths.length, length]);
  lengths.forEach((n, row) => {
    for (let t = 0; t < length; t++) at.data[row * length + t] = t < n ? n - 1 - t : t;
  });
  const order = call.made(batch < time ? at : permuted(at, [1, 0]));
  const shape = x.shape.map((n, i) => (i === batch || i === time ? n : 1));
  const index = order.to('int32').reshape(shape).expand(x.shape);
  return x.gather(time, index);
}

export const SHAPES: Operators = {
  Shape: {
    inputs: [1, 1],
    run: (call) => shapeOf(call),
    host: (call) => shapeOf(call),
  },
  Size: {
    inputs: [1, 1],
    run: (call) => scalarOf('int64', sizeOf(call.shape(0))),
  },
  Identity: { inputs: [1, 1], run: (call) => call.value(0) },
  Reshape: reshaping(newShape, { inputs: [1, 2], settings: [1] }),
  Squeeze: reshaping(squeezed, { inputs: [1, 2], settings: [1] }),
  Unsqueeze: reshaping(unsqueezed, { inputs: [1, 2], settings: [1] }),
  Flatten: reshaping(flattened, { inputs: [1, 1] }),
  Transpose: {
    inputs: [1, 1],
    host: (call) => permuted(call.host(0), orderOf(call)),
    run: (call) => call.tensor(0).permute(orderOf(call)),
  },
  Concat: {
    inputs: [1, Infinity],
    host: (call) =>
      concatenated(
        call.values.map((_, i) => call.host(i)),
        call.axis(call.int('axis')),
      ),
    run: (call) => {
      const parts = call.tensors().filter((part) => part.size > 0);
      if (parts.length === 0) return call.value(0);
      return cat(parts, call.axis(call.int('axis')));
    },
  },
  Split: {
    inputs: [1, 2],
    settings: [1],
    host: splitHost,
    run: (call) => {
      const axis = call.axis(call.int('axis', 0));
      return call.tensor(0).split(splitSizes(call, axis), axis);
    },
  },
  Slice: { inputs: [1, 5], settings: [1, 2, 3, 4], host: slicedHost, run: slicedTensor },
  Expand: {
    inputs: [2, 2],
    settings: [1],
    host: (call) => {
      const shape = expandedShape(call);
      return sizeOf(shape) > MOST_STORED && isFloatType(call.type(0)) ? undefined : expanded(call.host(0), shape);
    },
    run: (call) => call.tensor(0).expand(expandedShape(call)),
  },
  Tile: {
    inputs: [2, 2],
    settings: [1],
    host: (call) => tiled(call.host(0), call.numbers(1)),
    run: (call) => call.tensor(0).repeat(call.numbers(1)),
  },
  Pad: { inputs: [1, 4], settings: [1, 2, 3], run: padded },
  ConstantOfShape: { inputs: [1, 1], settings: [0], host: filled },
  Range: { inputs: [3, 3], settings: [0, 1, 2], host: counted },
  EyeLike: {
    inputs: [1, 1],
    run: (call) => {
      const [rows, columns] = call.shape(0);
      const type = typeFrom(call, 'dtype', call.type(0));
      const k = call.int('k', 0);
      const out = allocate(type, [rows, columns]);
      for (let i = 0; i < rows; i++) if (i + k >= 0 && i + k < columns) out.data[i * columns + i + k] = 1;
      return out;
    },
  },
  Cast: {
    inputs: [1, 1],
    host: (call) => toType(call.host(0), typeOf(call, call.int('to'))),
    run: (call) => converted(call, typeOf(call, call.int('to'))),
  },
  CastLike: {
    inputs: [2, 2],
    settings: [1],
    run: (call) => {
      const known = call.known(0);
      return known === undefined ? converted(call, call.type(1)) : toType(known, call.type(1));
    },
  },
  Trilu: {
    inputs: [1, 2],
    settings: [1],
    host: triangleHost,
    run: triangle,
  },
  DepthToSpace: { inputs: [1, 1], run: toSpace },
  SpaceToDepth: { inputs: [1, 1], run: toDepth },
  CenterCropPad: { inputs: [2, 2], settings: [1], run: centred },
  ReverseSequence: { inputs: [2, 2], settings: [1], run: sequencesReversed },
};

function shapeOf(call: Call): HostArray {
  const shape = call.shape(0);
  const rank = shape.length;
  const bound = (at: number): number => Math.min(Math.max(at < 0 ? at + rank : at, 0), rank);
  return intsOf(shape.slice(bound(call.int('start', 0)), bound(call.int('end', rank))));
}

/** The same under other names. */
export const RESHAPED = {
  trilu: SHAPES['Trilu'],
  range: { ...SHAPES['Range'], inputs: [2, 3] as const },
  pad: SHAPES['Pad'],
  expandDims: reshaping(
    (call) => {
      const shape = [...call.shape(0)];
      shape.splice(call.axis(call.number(1), shape.length + 1), 0, 1);
      return shape;
    },
    { inputs: [2, 2], settings: [1] },
  ),
};
