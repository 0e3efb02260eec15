// Rows of test/fixtures/opinfo-*.json (made by tools/parity/opinfo.py): samples of PyTorch's own operator tests, with what it gives for
// them and the gradients.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type FloatDType, NablaError, Tensor, setDevice, tensor } from 'nabla';
import { readFixture } from './pytorch.js';

/** Arguments and options as PyTorch has them, with tensors of nabla; a text in the place of a result says what nabla has instead. */
// oxlint-disable-next-line typescript/no-explicit-any -- arguments of some fifty signatures
export type OpInfoCall = (args: any, options: any) => unknown;
export type OpInfoCalls = Readonly<Record<string, OpInfoCall>>;

interface Written {
  readonly t: 'f' | 'i' | 'b';
  readonly s: number[];
  readonly v: (number | string | boolean)[];
}
type Row = readonly [
  op: string,
  args: unknown[],
  options: Record<string, unknown>,
  outputs: Written[],
  gradients: (Written | null)[],
];

const isWritten = (value: unknown): value is Written =>
  typeof value === 'object' && value !== null && 't' in value && 's' in value && 'v' in value;
const DTYPES = { f: 'float32', i: 'int32', b: 'bool' } as const;

/** Tensors in the place of what is written; those of real numbers have this dtype, and are among `floats`. */
function read(value: unknown, floats: Tensor[], dtype: FloatDType): unknown {
  if (Array.isArray(value)) return value.map((v) => read(v, floats, dtype));
  if (typeof value === 'string' && /^(NaN|-?Infinity)$/.test(value)) return Number(value);
  if (!isWritten(value)) return value;
  const isFloat = value.t === 'f';
  const made: unknown = tensor(Float64Array.from(value.v, Number), {
    shape: value.s,
    dtype: isFloat ? dtype : DTYPES[value.t],
    requiresGrad: isFloat,
  });
  if (isFloat) floats.push(made as Tensor);
  return made;
}

function outputsOf(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result as Tensor];
  return Object.values(result as object).flatMap(outputsOf);
}

async function difference(
  actual: Tensor,
  expected: Written,
  what: string,
  dtype: FloatDType,
): Promise<string | undefined> {
  const kind = expected.t === 'f' ? dtype : DTYPES[expected.t];
  if (actual.dtype !== kind || actual.shape.join() !== expected.s.join())
    return `${what}: ${actual.dtype} [${actual.shape.join()}] instead of ${kind} [${expected.s.join()}]`;
  const numbers = expected.v.map(Number);
  const finite = numbers.filter((v) => Number.isFinite(v));
  const scale = finite.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
  const data = await actual.data();
  const at = numbers.findIndex((e, i) => {
    const a = data[i];
    if (Number.isNaN(e) || !Number.isFinite(e)) return !Object.is(a, e);
    return !(Math.abs(a - e) <= 1e-5 * scale);
  });
  return at < 0 ? undefined : `${what}: element ${at} is ${data[at]} instead of ${numbers[at]}`;
}

async function check(
  call: OpInfoCall,
  [, args, options, outputs, gradients]: Row,
  dtype: FloatDType,
): Promise<string | undefined> {
  const floats: Tensor[] = [];
  const given = read(args, floats, dtype);
  const named = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, read(value, floats, dtype)]));
  const kind = floats.length > 0 ? dtype : 'float32'; // of whole numbers
  const result = await call(given, named);
  if (typeof result === 'string') return undefined;
  const found = outputsOf(result);
  if (found.length !== outputs.length) return `${found.length} results instead of ${outputs.length}`;
  for (const [i, out] of found.entries()) {
    const problem = await difference(out, outputs[i], `result ${i}`, kind);
    if (problem !== undefined) return problem;
  }
  if (gradients.length === 0) return undefined;
  const trained = found.filter((y) => y.requiresGrad);
  const isFlat = gradients.every((g) => g === null || g.v.every((v) => Number(v) === 0));
  if (trained.length === 0) return isFlat ? undefined : 'nothing has a gradient';
  const sums = trained.map((y) => {
    const weights = tensor(
      Float32Array.from({ length: y.size }, (_, i) => Math.cos(i + 1)),
      { shape: y.shape },
    );
    return y.mul(weights as unknown as Tensor).sum() as Tensor;
  });
  sums.reduce((a, b) => a.add(b) as Tensor).backward();
  for (const [i, expected] of gradients.entries()) {
    const { grad } = floats[i];
    if (expected === null || grad === undefined) {
      // No gradient, and a gradient of zeros, are the same.
      const isZero = expected === null || expected.v.every((v) => Number(v) === 0);
      if (grad === undefined && !isZero) return `gradient ${i}: none`;
      if (grad !== undefined && expected === null && (await grad.data()).some((v) => v !== 0))
        return `gradient ${i}: one, where PyTorch has none`;
      continue;
    }
    const problem = await difference(grad, expected, `gradient ${i}`, dtype);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * One test for each operator in float32 and in float64, on the reference device: kernels have tests of their own. `tooLarge` are operators
 * of whose samples none is small enough for the fixture.
 */
export function opinfoParity(fixture: string, calls: OpInfoCalls, tooLarge: readonly string[] = []): void {
  const file = process.env['NABLA_OPINFO'];
  const { rows } =
    file === undefined
      ? readFixture<{ rows: Row[] }>(`${fixture}.json`)
      : (JSON.parse(readFileSync(file, 'utf8')) as { rows: Row[] });
  const names = [...new Set(rows.map(([op]) => op))];
  test('every operator of the fixture is called', () => {
    expect(names.filter((name) => !(name in calls))).toEqual([]);
  });
  test.runIf(file === undefined)('every call has its samples', () => {
    expect(Object.keys(calls).filter((name) => !names.includes(name))).toEqual(tooLarge);
  });
  const called = names.filter((name) => name in calls);
  test.each(called.flatMap((name) => (['float32', 'float64'] as const).map((dtype) => [name, dtype] as const)))(
    '%s in %s',
    async (name, dtype) => {
      setDevice('reference');
      const wrong: string[] = [];
      for (const [i, row] of rows.filter(([op]) => op === name).entries()) {
        try {
          const problem = await check(calls[name], row, dtype);
          if (problem !== undefined) wrong.push(`${name} ${i}: ${problem}`);
        } catch (error) {
          const { name: kind, message } = error as Error;
          wrong.push(`${name} ${i}: ${error instanceof NablaError ? 'refused' : kind}: ${message}`);
        }
      }
      expect(wrong).toEqual([]);
    },
    300_000,
  );
}
