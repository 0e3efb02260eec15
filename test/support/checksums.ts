// Rows of test/fixtures/shapes.json, windows.json, sequences.json and functions-*.json (made by the scripts of that name in tools/parity): inputs from a formula, and
// what PyTorch gives for them as a kind, a shape and a checksum for each output and each gradient of a float input.
import { NablaError, Tensor, arange, realize, tensor, InternalError } from 'nabla';

/** [inputs, arguments, result]; the result is '!' where PyTorch refuses. */
export type Row = readonly [inputs: string, args: readonly unknown[], result: string];

/** A call of nabla: tensors and arguments in, one tensor or several out, or a promise of them. */
export type Call = (inputs: readonly Tensor[], args: readonly never[]) => unknown;

/** A method of the first input, by name, with the other inputs and the arguments behind it. */
export function method(name: string): Call {
  return ([x, ...rest], args) => Reflect.apply(Reflect.get(x, name) as Call, x, [...rest, ...args]) as unknown;
}

/** A function with the inputs and then the arguments. */
export function plain(fn: unknown): Call {
  return (inputs, args) => Reflect.apply(fn as Call, undefined, [...inputs, ...args]) as unknown;
}

export function numbers(domain: string, size: number, k: number): number[] {
  const n = Array.from({ length: size }, (_, i) => (i * 37 + k * 29 + 11) % 97);
  if (domain === 'f') return n.map((v) => (v - 48) / 16);
  if (domain === 'p') return n.map((v) => (v + 8) / 32);
  if (domain === 't') return n.map((v) => ((v % 5) - 2) / 2);
  if (domain === 'x') return n.map((v) => oddOf(v) ?? (v - 48) / 16);
  if (domain === 'i') return n.map((v) => (v % 7) - 3);
  if (domain === 'b') return n.map((v) => Number(v % 3 === 0));
  return n.map((v) => v % Number(domain.slice(1)));
}

/** NaN and infinities. */
function oddOf(v: number): number | undefined {
  if (v % 7 === 0) return NaN;
  return v % 11 === 1 ? Infinity : v % 13 === 2 ? -Infinity : undefined;
}

function input(text: string, k: number): Tensor {
  const [domain, sizes] = text.split(':');
  const shape = sizes === '' ? [] : sizes.split(',').map(Number);
  const isFloat = 'fptx'.includes(domain);
  const data = numbers(
    domain,
    shape.reduce((a, b) => a * b, 1),
    k,
  );
  return tensor(Float64Array.from(data), {
    shape,
    dtype: isFloat ? 'float32' : domain === 'b' ? 'bool' : 'int32',
    requiresGrad: isFloat,
  }) as unknown as Tensor;
}

interface Summary {
  readonly shape: string;
  /** The elements that are not finite, and the checksum of the others. */
  readonly odd: string;
  readonly total: number;
  /** What rounding is relative to. */
  readonly scale: number;
}

const KINDS = { float32: 'f', int32: 'i', bool: 'b' };

async function summaryOf(t: Tensor): Promise<Summary> {
  const data = await t.data();
  let [total, scale] = [0, 0];
  const odd = { n: 0, p: 0, m: 0 };
  data.forEach((value, i) => {
    if (Number.isNaN(value)) odd.n++;
    else if (value === Infinity) odd.p++;
    else if (value === -Infinity) odd.m++;
    else {
      total += value * Math.cos(i + 1);
      scale += Math.abs(value);
    }
  });
  return {
    shape: `${KINDS[t.dtype]}${t.shape.join(',')}`,
    odd: Object.entries(odd)
      .map(([name, count]) => (count > 0 ? `${name}${count}` : ''))
      .join(''),
    total,
    scale,
  };
}

function difference(actual: Summary, expected: string, tolerance: number): string | undefined {
  const [, shape, total, odd] = /^(.*):(-?[\d.e+-]+)(.*)$/.exec(expected) ?? [];
  const same = actual.shape === shape && actual.odd === odd;
  if (same && Math.abs(actual.total - Number(total)) <= tolerance * Math.max(1, actual.scale)) return undefined;
  return `${actual.shape}:${actual.total}${actual.odd} instead of ${expected}`;
}

function outputsOf(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result as Tensor];
  if (Array.isArray(result)) return result.flatMap(outputsOf);
  return Object.values(result as object).flatMap(outputsOf);
}

/** The outputs of a call and the gradients of its float inputs, not computed yet. */
async function call(compute: Call, [inputs, args]: Row): Promise<(Tensor | undefined)[]> {
  const xs = inputs === '' ? [] : inputs.split(' ').map(input);
  const outputs = outputsOf(await compute(xs, args as readonly never[]));
  const trained = outputs.filter((y) => y.requiresGrad);
  if (trained.length === 0) return outputs;
  const sums = trained.map((y) => y.mul(arange(y.size).add(1).cos().reshape(y.shape) as Tensor).sum());
  (sums as Tensor[]).reduce((a, b) => a.add(b) as Tensor).backward();
  return [...outputs, ...xs.filter((x) => x.requiresGrad).map((x) => x.grad)];
}

const title = (name: string, [inputs, args]: Row): string => `${name}(${inputs}; ${JSON.stringify(args).slice(1, -1)})`;

/**
 * What is wrong with the rows of one operator, a line each; computed together, or one by one where one of them fails. `isLenient`: a
 * result without elements is right where PyTorch refuses.
 */
export async function differences(
  name: string,
  compute: Call,
  rows: readonly Row[],
  tolerance: number,
  isLenient = false,
): Promise<string[]> {
  const wrong: string[] = [];
  const pending: { row: Row; tensors: (Tensor | undefined)[] }[] = [];
  for (const row of rows) {
    try {
      pending.push({ row, tensors: await call(compute, row) });
    } catch (error) {
      note(row, error);
    }
  }
  function note(row: Row, error: unknown): void {
    const isClear = error instanceof NablaError && !(error instanceof InternalError);
    const { message, name: kind } = error as Error;
    if (!isClear) wrong.push(`${title(name, row)}: ${kind}: ${message}`);
    else if (row[2] !== '!') wrong.push(`${title(name, row)}: refused: ${message}; PyTorch gives ${row[2]}`);
  }
  const known = (tensors: (Tensor | undefined)[]): Tensor[] => tensors.filter((t) => t !== undefined);
  try {
    await realize(...pending.flatMap(({ tensors }) => known(tensors)));
  } catch {
    // one by one below
  }
  for (const { row, tensors } of pending) {
    try {
      const summaries = await Promise.all(tensors.map((t) => (t === undefined ? undefined : summaryOf(t))));
      if (row[2] === '!') {
        if (isLenient && tensors[0]?.size === 0) continue;
        const given = summaries.map((s) => (s === undefined ? '-' : `${s.shape}:${s.total}${s.odd}`)).join(' ');
        wrong.push(`${title(name, row)}: gives ${given}; PyTorch refuses`);
        continue;
      }
      const expected = row[2] === '' ? [] : row[2].split(' ');
      const problems = expected.map((text, i) => {
        const actual = summaries[i];
        if (text === '-') return actual === undefined || actual.total === 0 ? undefined : `a gradient instead of none`;
        // A gradient of zeros may be none.
        if (actual === undefined) return i > 0 && text.endsWith(':0') ? undefined : `nothing instead of ${text}`;
        return difference(actual, text, tolerance);
      });
      if (summaries.length > expected.length)
        problems.push(`${summaries.length} tensors instead of ${expected.length}`);
      const problem = problems.find((text) => text !== undefined);
      if (problem !== undefined) wrong.push(`${title(name, row)}: ${problem}`);
    } catch (error) {
      note(row, error);
    }
  }
  return wrong;
}
