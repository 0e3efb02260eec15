// Resize and its older form Upsample: every dimension is a linear map that takes a few elements for each of its own. The maps are made
// here, from the standard's rules for positions and weights; tensor/axis-map.ts computes them and their gradients.

import { where } from '../../tensor/functions.js';
import { AxisMap, type AxisMaps, type Source, mapAxes } from '../../tensor/axis-map.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { allocate } from '../host/array.js';
import type { Call, Operators } from './operator.js';
import { largest, smallest } from '../../tensor/extremes.js';

/** How one dimension becomes another size. */
interface Sampling {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  readonly mode: string;
  readonly positions: string;
  readonly nearest: string;
  readonly cubic: number;
  readonly excludesOutside: boolean;
  readonly antialias: boolean;
  /** The part of the input that is read, of 0 to 1. */
  readonly region: readonly [start: number, end: number];
}

/** The position in the input of an element of the output. */
function positionOf(call: Call, x: number, s: Sampling): number {
  const { from, to, scale, region } = s;
  switch (s.positions) {
    case 'half_pixel':
      return (x + 0.5) / scale - 0.5;
    case 'half_pixel_symmetric': {
      const adjusted = to / (scale * from);
      return (from / 2) * (1 - adjusted) + (x + 0.5) / scale - 0.5;
    }
    case 'pytorch_half_pixel':
      return to > 1 ? (x + 0.5) / scale - 0.5 : 0;
    case 'align_corners':
      return to > 1 ? (x * (from - 1)) / (to - 1) : 0;
    case 'asymmetric':
      return x / scale;
    case 'tf_half_pixel_for_nn':
      return (x + 0.5) / scale;
    case 'tf_crop_and_resize': {
      const [start, end] = region;
      return to > 1
        ? start * (from - 1) + (x * (end - start) * (from - 1)) / (to - 1)
        : 0.5 * (start + end) * (from - 1);
    }
    default:
      return call.fail(`the coordinate_transformation_mode '${s.positions}' is not known`);
  }
}

function nearestTo(call: Call, x: number, rule: string, scale: number): number {
  switch (rule) {
    case 'simple': // before opset 11
      return scale < 1 ? Math.ceil(x) : Math.floor(x);
    case 'round_prefer_floor':
      return Math.ceil(x - 0.5);
    case 'round_prefer_ceil':
      return Math.floor(x + 0.5);
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    default:
      return call.fail(`the nearest_mode '${rule}' is not known`);
  }
}

/** How much an element at a distance counts: the tent, or the cubic of Keys (1981). */
function weightAt(distance: number, { mode, cubic: a }: Sampling): number {
  const d = Math.abs(distance);
  if (mode === 'linear') return Math.max(0, 1 - d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

function sourcesOf(call: Call, s: Sampling): Source[][] {
  const clamp = (at: number): number => Math.min(Math.max(at, 0), s.from - 1);
  const isCropped = s.positions === 'tf_crop_and_resize';
  return Array.from({ length: s.to }, (_, i): Source[] => {
    const x = positionOf(call, i, s);
    if (isCropped && (x < 0 || x > s.from - 1)) return [];
    if (s.mode === 'nearest') return [[clamp(nearestTo(call, x, s.nearest, s.scale)), 1]];
    const reach = s.mode === 'linear' ? 1 : 2;
    const scale = s.antialias ? Math.min(s.scale, 1) : 1;
    const base = Math.ceil(x) - 1;
    const first = Math.floor(-reach / scale) + 1;
    const found: [number, number][] = [];
    for (let k = first; k <= 1 - first; k++) {
      const at = base + k;
      const isOutside = at < 0 || at >= s.from;
      const weight = isOutside && s.excludesOutside ? 0 : weightAt((at - x) * scale, s);
      found.push([clamp(at), weight]);
    }
    const total = found.reduce((sum, [, weight]) => sum + weight, 0);
    const isWhole = !s.antialias && !s.excludesOutside;
    const joined = new Map<number, number>();
    for (const [at, weight] of found)
      if (weight !== 0) joined.set(at, (joined.get(at) ?? 0) + (isWhole ? weight : weight / total));
    return [...joined];
  });
}

/** Maps of late: a network asks for the same ones in every run. */
const recent = new Map<string, AxisMap>();
const MOST_RECENT = 64;

function mapOf(call: Call, sampling: Sampling): AxisMap {
  const key = Object.values(sampling).join(' ');
  const known = recent.get(key);
  if (known !== undefined) return known;
  const map = new AxisMap(sampling.from, sourcesOf(call, sampling));
  if (recent.size >= MOST_RECENT) recent.clear();
  recent.set(key, map);
  return map;
}

/** Is every element there equally often, in its order? */
const repeatsEach = ({ from, to, sources }: AxisMap): boolean =>
  to % from === 0 && sources.every((list, i) => list.length === 1 && list[0][0] === Math.floor((i * from) / to));

/** Each element as a block of equal ones. */
function repeated(x: Tensor, factors: readonly number[]): AnyTensor {
  const apart: Tensor = x.reshape(x.shape.flatMap((n, i) => (factors[i] === 1 ? [n] : [n, 1])));
  const wide: Tensor = apart.expand(x.shape.flatMap((n, i) => (factors[i] === 1 ? [n] : [n, factors[i]])));
  return wide.reshape(x.shape.map((n, i) => n * factors[i]));
}

interface Target {
  readonly sizes: readonly number[];
  readonly scales: readonly number[];
}

function targetOf(call: Call, axes: readonly number[]): Target {
  const shape = call.shape(0);
  const from = axes.map((axis) => shape[axis]);
  const isGiven = (i: number): boolean => call.has(i) && (call.shape(i)[0] ?? 0) > 0;
  const scaleInput = call.opset < 11 ? 1 : 2;
  if (call.opset >= 11 && isGiven(3)) {
    let sizes = call.numbers(3);
    let scales = sizes.map((n, i) => n / from[i]);
    const policy = call.text('keep_aspect_ratio_policy', 'stretch');
    if (policy !== 'stretch') {
      const scale = policy === 'not_larger' ? smallest(scales) : largest(scales);
      sizes = from.map((n) => Math.floor(scale * n + 0.5));
      scales = from.map(() => scale);
    }
    return { sizes, scales };
  }
  const scales = call.hasAttribute('scales') ? [...(call.floats('scales') ?? [])] : call.numbers(scaleInput);
  return { sizes: from.map((n, i) => Math.floor(n * scales[i])), scales };
}

function resized(call: Call, isOld: boolean): AnyTensor {
  const x = call.tensor(0);
  const axes = call.ints('axes')?.map((axis) => call.axis(axis)) ?? x.shape.map((_, i) => i);
  const { sizes, scales } = targetOf(call, axes);
  const mode = call.text('mode', 'nearest');
  const positions = call.text('coordinate_transformation_mode', call.opset < 11 || isOld ? 'asymmetric' : 'half_pixel');
  const roi = positions === 'tf_crop_and_resize' && call.has(1) ? call.numbers(1) : undefined;
  const wanted = mode === 'bilinear' || mode === 'trilinear' ? 'linear' : mode;
  if (!['nearest', 'linear', 'cubic'].includes(wanted)) call.fail(`the mode '${mode}' is not known`);
  const maps: [number, AxisMap][] = [];
  axes.forEach((axis, i) => {
    const from = x.shape[axis];
    const region: [number, number] = [roi?.[i] ?? 0, roi?.[i + axes.length] ?? 1];
    const isSame = from === sizes[i] && scales[i] === 1 && region[0] === 0 && region[1] === 1;
    if (isSame) return;
    const map = mapOf(call, {
      from,
      to: sizes[i],
      scale: scales[i],
      mode: wanted,
      positions,
      nearest: call.text('nearest_mode', isOld ? 'floor' : call.opset < 11 ? 'simple' : 'round_prefer_floor'),
      cubic: call.float('cubic_coeff_a', -0.75),
      excludesOutside: call.flag('exclude_outside'),
      antialias: call.flag('antialias'),
      region,
    });
    maps.push([axis, map]);
  });
  if (maps.length === 0) return x;
  if (wanted === 'nearest' && maps.every(([, map]) => repeatsEach(map))) {
    const factors = x.shape.map(() => 1);
    for (const [axis, map] of maps) factors[axis] = map.to / map.from;
    return repeated(x, factors);
  }
  const isWhole = !x.dtype.includes('float');
  const done = mapAxes('resize', isWhole && wanted !== 'nearest' ? x.to('float32') : x, maps);
  return withOutside(call, isWhole ? (done.to(x.dtype) as AnyTensor as Tensor) : done, maps);
}

/** What lies outside of a cropped input. */
function withOutside(call: Call, y: Tensor, maps: AxisMaps): AnyTensor {
  const value = call.float('extrapolation_value', 0);
  if (value === 0) return y;
  return maps.reduce<Tensor>((all, [axis, { sources }]) => {
    if (sources.every((list) => list.length > 0)) return all;
    const inside = allocate(
      'bool',
      all.shape.map((_, i) => (i === axis ? sources.length : 1)),
    );
    sources.forEach((list, i) => (inside.data[i] = list.length > 0 ? 1 : 0));
    return where(call.made(inside).to('bool'), all, value);
  }, y);
}

export const RESIZE: Operators = {
  Resize: { inputs: [1, 4], settings: [1, 2, 3], run: (call) => resized(call, false) },
  Upsample: { inputs: [1, 2], settings: [1], until: 10, run: (call) => resized(call, true) },
};
