// Samples as tools/parity/opinfo/samples.py writes them, and what nabla makes of one: the arguments as tensors and numbers, the call by the row of
// the operator's table, the results and gradients beside PyTorch's.

import * as nabla from 'nabla';

/** dtype of nabla, and how the bytes of a tensor are read. */
const TYPES = {
  f32: ['float32', Float32Array],
  f64: ['float64', Float64Array],
  f16: ['float16', Float32Array],
  bf16: ['bfloat16', Float32Array],
  i64: ['int32', BigInt64Array],
  i32: ['int32', Int32Array],
  i16: ['int32', Int16Array],
  i8: ['int32', Int8Array],
  u8: ['uint8', Uint8Array],
  b: ['bool', Uint8Array],
  c64: ['float32', Float32Array],
  c128: ['float64', Float64Array],
};
const DTYPES = {
  float32: 'float32',
  float64: 'float64',
  float16: 'float16',
  bfloat16: 'bfloat16',
  int64: 'int32',
  int32: 'int32',
  uint8: 'uint8',
  bool: 'bool',
};

/** What nabla does not do, or does otherwise on purpose: the reason. */
export class Difference extends Error {}
export function differs(reason) {
  throw new Difference(reason);
}

function bytesOf(text, Kind) {
  const { buffer, byteOffset, byteLength } = Buffer.from(text, 'base64');
  return new Kind(buffer.slice(byteOffset, byteOffset + byteLength));
}

const isComplex = ({ t }) => t === 'c64' || t === 'c128';
/** Complex numbers are pairs, in a last dimension of size 2. */
const shapeOf = (value) => (isComplex(value) ? [...value.s, 2] : value.s);
const isTensor = (value) => typeof value === 'object' && value !== null && 't' in value && 's' in value;

/** Numbers of a written tensor; those of int64 that int32 lacks are its ends. */
function numbersOf({ t, b }) {
  const numbers = bytesOf(b, TYPES[t][1]);
  if (t !== 'i64') return numbers;
  return Float64Array.from(numbers, (v) => Math.min(Math.max(Number(v), -(2 ** 31)), 2 ** 31 - 1));
}

const SPECIAL = {
  number: (v) => Number(v.replace('inf', 'Infinity')),
  complex: () => differs('complex numbers'),
  dtype: (v) => DTYPES[v] ?? differs(`dtype ${v}`),
  slice: (v) => ({ slice: v }),
  ellipsis: () => ({ ellipsis: true }),
};

/** A value with tensors of nabla; those whose gradient is wanted are among `leaves`. */
export function read(value, leaves) {
  if (Array.isArray(value)) return value.map((v) => read(v, leaves));
  if (isTensor(value)) {
    const made = nabla.tensor(numbersOf(value), {
      shape: shapeOf(value),
      dtype: TYPES[value.t][0],
      requiresGrad: value.g === 1,
    });
    if (value.g === 1) leaves.push(made);
    return made;
  }
  if (typeof value === 'object' && value !== null && '$' in value) return SPECIAL[value.$](value.v);
  return value ?? undefined;
}

const camel = (name) => name.replaceAll(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/** What PyTorch gives as result `i` of a sample, for calls that have a choice. */
export function expectedTensor(row, i) {
  return read({ ...row.out[i], g: 0 }, []);
}

/** The names that a row's function takes apart, in PyTorch's order. */
export function parameters(call) {
  const [, names] = /^(?:async )?\(?\{([^}]*)\}/.exec(String(call)) ?? [];
  return names === undefined ? undefined : names.split(',').flatMap((n) => n.replace(/[=:].*/s, '').trim() || []);
}

/** What a row's function takes: arguments by name, of which those that it does not know are differences; or (arguments, options). */
function bound(call, args, kwargs) {
  const names = parameters(call);
  if (names === undefined)
    return [args, Object.fromEntries(Object.entries(kwargs).map(([name, value]) => [camel(name), value]))];
  const given = {};
  for (const [i, value] of args.entries()) {
    if (i >= names.length) {
      if (value !== undefined) throw new Error(`argument ${i} has no name in the row`);
    } else given[names[i]] = value;
  }
  for (const [name, value] of Object.entries(kwargs)) {
    if (value === undefined) continue;
    if (!names.includes(camel(name)) && !names.includes(name)) differs(`the option ${name}`);
    given[camel(name)] = value;
  }
  return [given];
}

function outputsOf(result) {
  if (result instanceof nabla.Tensor || typeof result !== 'object' || result === null) return [result];
  return Object.values(result).flatMap(outputsOf);
}

/** How far from PyTorch's a number may be: a part of itself, and a part of the largest of the tensor (or of 1). */
export const TOLERANCES = {
  float32: [1e-5, 2e-6],
  float64: [1e-9, 1e-10],
  float16: [2e-3, 1e-3],
  bfloat16: [1.6e-2, 8e-3],
};

function firstApart(data, expected, [relative, absolute]) {
  let scale = 1;
  for (const e of expected) if (Number.isFinite(e)) scale = Math.max(scale, Math.abs(e));
  return expected.findIndex((e, i) => {
    const a = data[i];
    if (!Number.isFinite(e)) return !Object.is(a, e);
    return !(Math.abs(a - e) <= relative * Math.abs(e) + absolute * scale);
  });
}

/** Does each number fit PyTorch's, or else the one that is computed from the same inputs in float64? */
function numbersApart(data, expected, exact, tolerance) {
  const at = firstApart(data, expected, tolerance);
  if (at < 0 || exact === undefined) return at;
  const chosen = Float64Array.from(exact, (x, i) => {
    const e = expected[i];
    return Math.abs(data[i] - x) <= Math.abs(data[i] - e) || Number.isNaN(e) ? x : e;
  });
  return firstApart(data, chosen, tolerance);
}

const ROUNDING = ['bfloat16', 'float16', 'float32', 'float64'];
/** A sample is as exact as the least exact of its tensors. */
function toleranceOf(row) {
  const kinds = new Set();
  const walk = (value) => {
    if (isTensor(value)) kinds.add(TYPES[value.t][0]);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
  };
  walk([row.args, row.kwargs, row.out]);
  return TOLERANCES[ROUNDING.find((kind) => kinds.has(kind)) ?? 'float64'];
}

async function difference(actual, expected, what, tolerance) {
  if (!isTensor(expected)) {
    const wanted = read(expected, []);
    const given = actual instanceof nabla.Tensor ? await actual.item() : actual;
    const near = typeof wanted === 'number' && Math.abs(given - wanted) <= 1e-5 * Math.max(1, Math.abs(wanted));
    return near || Object.is(given, wanted) ? undefined : `${what}: ${String(given)} instead of ${String(wanted)}`;
  }
  if (!(actual instanceof nabla.Tensor)) return `${what}: ${String(actual)} instead of a tensor`;
  const kind = TYPES[expected.t][0];
  const shape = shapeOf(expected);
  if (actual.dtype !== kind || actual.shape.join() !== shape.join())
    return `${what}: ${actual.dtype} [${actual.shape.join()}] instead of ${kind} [${shape.join()}]`;
  const data = await actual.data();
  if (expected.b === undefined) return undefined; // random
  const numbers = numbersOf(expected);
  const exact = expected.x === undefined ? undefined : bytesOf(expected.x, Float64Array);
  const at = numbersApart(
    data,
    numbers,
    exact,
    kind === 'int32' || kind === 'bool' || kind === 'uint8' ? [0, 0] : tolerance,
  );
  return at < 0 ? undefined : `${what}: element ${at} is ${data[at]} instead of ${numbers[at]}`;
}

const isZero = (expected) => expected === null || numbersOf(expected).every((v) => v === 0);

async function gradientsApart(found, leaves, expected, tolerance) {
  if (expected.length === 0) return undefined;
  const trained = found.filter((y) => y instanceof nabla.Tensor && y.requiresGrad);
  if (trained.length === 0) return expected.every(isZero) ? undefined : 'nothing has a gradient';
  const sums = trained.map((y) => {
    const weights = Float64Array.from({ length: y.size }, (_, i) => Math.cos(i + 1));
    return y.mul(nabla.tensor(weights, { shape: y.shape, dtype: y.dtype })).sum();
  });
  sums.reduce((a, b) => a.add(b)).backward();
  for (const [i, gradient] of expected.entries()) {
    const { grad } = leaves[i];
    if (grad === undefined) {
      if (!isZero(gradient)) return `gradient ${i}: none`;
    } else if (gradient === null) {
      if ((await grad.data()).some((v) => v !== 0)) return `gradient ${i}: one, where PyTorch has none`;
    } else {
      const problem = await difference(grad, gradient, `gradient ${i}`, tolerance);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

/**
 * What is wrong about a sample: undefined if nothing is; else { kind, text }. Kinds: `differs`, with the reason of the row; `refused`, an
 * error of nabla; `wrong`.
 */
export async function check(call, row) {
  const leaves = [];
  const tolerance = toleranceOf(row);
  try {
    const args = row.args.map((v) => read(v, leaves));
    const kwargs = Object.fromEntries(Object.entries(row.kwargs).map(([k, v]) => [k, read(v, leaves)]));
    const found = outputsOf(await call(...bound(call, args, kwargs), row));
    if (found.length !== row.out.length)
      return { kind: 'wrong', text: `${found.length} results instead of ${row.out.length}` };
    for (const [i, out] of found.entries()) {
      const problem = await difference(out, row.out[i], `result ${i}`, tolerance);
      if (problem !== undefined) return { kind: 'wrong', text: problem };
    }
    const problem = await gradientsApart(found, leaves, row.grads, tolerance);
    return problem === undefined ? undefined : { kind: 'wrong', text: problem };
  } catch (error) {
    if (error instanceof Difference) return { kind: 'differs', text: error.message };
    if (error instanceof nabla.NablaError) return { kind: 'refused', text: error.message };
    return { kind: 'wrong', text: error instanceof Error ? String(error.stack) : String(error) };
  }
}
