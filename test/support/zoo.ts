// Networks filled by a rule and compared with digests of what PyTorch computed from the same numbers (test/fixtures/zoo.json, made by
// tools/parity/zoo.py, which states the rule). Nothing is trained or downloaded.
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { type AnyTensor, type FloatDType, type Shape, type Tensor, tensor } from 'nabla';
import type { Module } from 'nabla/nn';

export interface Digest {
  readonly shape: readonly number[];
  readonly first: readonly number[];
  readonly mean: number;
  readonly std: number;
  readonly max: number;
  readonly proj: number;
  /** How far PyTorch's own float32 is from these numbers, which are float64, relative to `max`. */
  readonly noise: number;
}

export interface Step {
  readonly loss: number;
  readonly grads: Readonly<Record<string, Digest>>;
  readonly loss_after: number;
  readonly logits_after: Digest;
  /** Of the losses. */
  readonly noise: number;
}

export interface Row {
  readonly gain: number;
  readonly input: readonly number[];
  readonly parameters: number;
  /** How many, and the SHA-256 of lines `key [shape]`. */
  readonly keys: { readonly count: number; readonly sha256: string };
  readonly outputs: Readonly<Record<string, Digest>>;
  readonly train?: Step;
  /** Of the detector. */
  readonly boxes?: number[][];
}

/** Number i of a stream, in [0, 1): it depends on the seed and i alone. */
function hash(seed: number, i: number): number {
  let x = (Math.imul(i, 0x9e3779b1) + Math.imul(seed, 0x85ebca77)) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return ((x ^ (x >>> 16)) >>> 0) / 4294967296;
}

export function u01(seed: number, n: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) out[i] = hash(seed, i);
  return out;
}

/** middle + scale · (2u − 1), computed in float64. */
function spread(seed: number, n: number, middle: number, scale: number): Float32Array {
  const out = new Float32Array(n);
  for (let i = 0; i < n; i++) out[i] = middle + scale * (2 * hash(seed, i) - 1);
  return out;
}

/** Images in [−1, 1). */
export function images(shape: readonly number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(spread(1, size, 0, 1), { shape });
}

/** Whole numbers below `classes`. */
export function labels(count: number, classes: number): Tensor<[number], 'int32'> {
  return tensor(Int32Array.from(u01(2, count), (u) => Math.floor(u * classes)));
}

/** Lines `key [shape]` of a state dict, in its order. */
export function keyLines(model: Module): string[] {
  return Object.entries(model.stateDict()).map(([key, { shape }]) => `${key} [${shape.join(', ')}]`);
}

export function sha256(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

/**
 * Fills the state by the rule: scales near 1, biases and means near 0, weights with deviation gain / √fan. Integers stay. A tensor with
 * several keys gets what its first one says.
 */
export function fill(model: Module, gain: number): void {
  const state: Record<string, AnyTensor> = {};
  const seen = new Set<AnyTensor>();
  Object.entries(model.stateDict()).forEach(([key, t], i) => {
    const { shape, size, dtype } = t;
    if (dtype === 'int32' || seen.has(t)) return;
    seen.add(t);
    state[key] = tensor(spread(1000 + i, size, ...middleAndScale(key, shape, size, gain)), { shape });
  });
  model.loadStateDict(state, { strict: false });
}

function middleAndScale(key: string, shape: Shape, size: number, gain: number): [middle: number, scale: number] {
  if (key.endsWith('running_mean')) return [0, 0.1];
  if (key.endsWith('running_var')) return [1, 0.5];
  if (shape.length <= 1) return key.endsWith('weight') ? [1, 0.25] : [0, 0.1];
  return [0, gain * Math.sqrt(3 / (size / shape[0]))];
}

/** What float32 may differ by: PyTorch's own error, some times over, for another order of sums. */
export function toleranceOf(dtype: FloatDType, noise: number): number {
  return dtype === 'float64' ? 1e-9 : Math.max(1e-5, 5 * noise);
}

/** After a step: the rate of the optimiser is a float32 number, 2e-8 beside 0.01. */
export function toleranceAfter(dtype: FloatDType, noise: number): number {
  return dtype === 'float64' ? 1e-7 : toleranceOf(dtype, noise);
}

/** Compares with a digest; differences are relative to its largest number. */
export async function expectDigest(t: AnyTensor, wanted: Digest, what: string, tolerance: number): Promise<void> {
  expect(t.shape, `${what}: shape`).toEqual(wanted.shape);
  const data = Float64Array.from((await t.data()) as ArrayLike<number>);
  const mean = data.reduce((a, b) => a + b, 0) / data.length;
  const weights = u01(7, data.length);
  const found = {
    first: [...data.subarray(0, wanted.first.length)],
    mean,
    std: Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length),
    max: data.reduce((a, x) => Math.max(a, Math.abs(x)), 0),
    proj: data.reduce((sum, x, i) => sum + x * weights[i], 0),
  };
  const off = (a: number, b: number): number => Math.abs(a - b) / wanted.max;
  const faults = {
    first: Math.max(...found.first.map((x, i) => off(x, wanted.first[i]))),
    mean: off(found.mean, wanted.mean),
    std: off(found.std, wanted.std),
    max: off(found.max, wanted.max),
    // errors of single elements add up, at most as their number, on average as its root
    proj: off(found.proj, wanted.proj) / Math.sqrt(data.length),
  };
  const wrong = Object.entries(faults).filter(([, fault]) => !(fault <= tolerance));
  expect(wrong, `${what}: differences`).toEqual([]);
}
