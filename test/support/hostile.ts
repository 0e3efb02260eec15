// Calls with one number among their arguments exchanged for what no caller should pass. Either a nabla error names the
// function, or the result is what the reference device gives. The heap is poisoned before, so that memory that nobody wrote
// shows up.
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as nabla from 'nabla';
import { InternalError, NablaError, Tensor, disposeDevices, manualSeed, setDevice, tensor } from 'nabla';
import { CpuDevice } from '../../src/engine/device/cpu/device.js';
import { registerDevice } from '../../src/engine/engine.js';

const POISON = 12345.678;
const HOSTILE: readonly unknown[] = [
  0, -0, -1, 1.5, -1.5, NaN, Infinity, 7, 1000, 1e10, 2 ** 31, 1e300, '1', null, true, {}, [], [1.5], 1n, () => 1,
]; // prettier-ignore

export interface Case {
  /** What errors may begin with, besides the name of the case. */
  readonly also?: readonly string[];
  readonly make: () => unknown[];
  readonly call: (...args: never[]) => unknown;
}

/** All ways of exchanging one number (or an option that has one) for something else. */
function* mutations(value: unknown): Generator<unknown> {
  if (typeof value === 'number') yield* HOSTILE;
  else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++)
      for (const part of mutations(value[i])) yield value.map((old: unknown, j) => (i === j ? part : old));
    if (value.every((part) => typeof part === 'number')) yield* HOSTILE;
  } else if (typeof value === 'object' && value !== null && !(value instanceof Tensor)) {
    for (const [name, old] of Object.entries(value))
      for (const part of mutations(old)) yield { ...value, [name]: part };
  }
}

function show(value: unknown): string {
  if (value instanceof Tensor) return 'tensor';
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value).map(([k, v]) => `${k}: ${show(v)}`).join(', ')} }`; // prettier-ignore
  return Object.is(value, -0)
    ? '-0'
    : typeof value === 'bigint'
      ? `${value}n`
      : typeof value === 'string'
        ? `'${value}'`
        : String(value);
}

interface Result {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
type Outcome = { readonly error: unknown } | { readonly results: readonly Result[] };

function tensorsOf(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(tensorsOf);
  return [];
}

const LARGEST_RESULT = 1e4;

async function resultsOf(tensors: readonly Tensor[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const t of tensors) {
    results.push({ shape: t.shape, data: t.size > LARGEST_RESULT ? [] : Array.from(await t.data(), Number) });
  }
  return results;
}

/** What each of the calls comes to; all that can be computed is computed by one program. */
async function outcomes(device: string, call: Case['call'], calls: readonly (() => unknown[])[]): Promise<Outcome[]> {
  setDevice(device);
  manualSeed(1);
  const made = calls.map((make) => {
    try {
      return tensorsOf((call as (...args: unknown[]) => unknown)(...make()));
    } catch (error) {
      return { error };
    }
  });
  const small = made.flatMap((m) => (Array.isArray(m) ? m.filter((t) => t.size <= LARGEST_RESULT) : []));
  await nabla.realize(...small).catch(() => {}); // those that fail are read one by one
  const found: Outcome[] = [];
  for (const m of made) {
    if (!Array.isArray(m)) found.push(m);
    else {
      found.push(
        await resultsOf(m).then(
          (results) => ({ results }),
          (error: unknown) => ({ error }),
        ),
      );
    }
  }
  return found;
}

/** The reference device computes in float64, where 1e300 is a number. */
function isClose(a: number, exact: number): boolean {
  const b = Math.fround(exact);
  return Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-4 * (1 + Math.abs(b));
}

/** What is wrong with the outcomes of a call on both devices, if anything. */
function fault(names: readonly string[], ours: Outcome, theirs: Outcome): string | undefined {
  for (const o of [ours, theirs]) {
    if (!('error' in o)) continue;
    if (!(o.error instanceof NablaError) || o.error instanceof InternalError)
      return `not an error of its own: ${String(o.error)}`;
    const { message } = o.error;
    if (!names.some((name) => message.startsWith(`${name}:`) || message.startsWith(`${name} `)))
      return `does not name it: ${message}`;
  }
  if ('error' in ours || 'error' in theirs)
    return 'error' in ours === 'error' in theirs
      ? undefined
      : `an error on one device only: ${JSON.stringify(ours)} ${JSON.stringify(theirs)}`;
  for (const [i, { shape, data }] of ours.results.entries()) {
    const other = theirs.results[i];
    if (shape.join() !== other.shape.join()) return `shapes [${shape.join()}] and [${other.shape.join()}]`;
    if (!shape.every((n) => Number.isInteger(n) && n >= 0)) return `shape [${shape.join()}]`;
    const at = data.findIndex((value, j) => !isClose(value, other.data[j]));
    if (at >= 0) return `element ${at} is ${data[at]}, should be ${other.data[at]}`;
  }
  return undefined;
}

/** One test for each case. */
export function testHostile(cases: Readonly<Record<string, Case>>): void {
  beforeAll(() => {
    registerDevice('hostile', () => new CpuDevice({ name: 'hostile', tier: 'wasm', threads: 1 }));
    setDevice('hostile');
    const blocks = Array.from({ length: 64 }, (_, i) => tensor(new Float32Array((64 << (i % 8)) + i).fill(POISON)));
    for (const block of blocks) block[Symbol.dispose]();
  });
  afterAll(async () => {
    setDevice('cpu');
    await disposeDevices();
  });
  test.each(Object.entries(cases))(
    '%s',
    async (name, { also = [], make, call }) => {
      const calls = make().flatMap((arg, i) =>
        [...mutations(arg)].map((part) => () => make().map((other, j) => (j === i ? part : other))),
      );
      const ours = await outcomes('hostile', call, calls);
      const theirs = await outcomes('reference', call, calls);
      const faults = calls.flatMap((given, i) => {
        const wrong = fault([name, ...also], ours[i], theirs[i]);
        return wrong === undefined ? [] : [`${name}(${given().map(show).join(', ')}): ${wrong}`];
      });
      expect(faults).toEqual([]);
    },
    60_000,
  );
}
