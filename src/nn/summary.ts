// A table of a model: for each call of a module its output, the parameters it owns, the arithmetic it does itself and the memory
// of its output. Nothing is computed: shapes and the graph are enough.

import { rand } from '../tensor/creation.js';
import { getRandomState, setRandomState } from '../tensor/random.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { ArgumentError, type Shape, formatShape } from '../tensor/library.js';
import { WorkCounter } from '../tensor/work.js';
import { type AnyTensor, Tensor } from '../tensor/tensor.js';
import { addHook } from './hooks.js';
import { largest } from '../tensor/extremes.js';

export interface SummaryRow {
  /** Path of the module, '' for the model itself. */
  readonly path: string;
  /** The module with its arguments, as it prints itself. */
  readonly module: string;
  /** How deep the call lies in other calls. */
  readonly depth: number;
  /** Shapes of the outputs. */
  readonly outputs: readonly Shape[];
  /** Parameters that the module holds itself, without those of its parts; 0 where a second call shares them. */
  readonly parameters: number;
  /** Multiply-adds of matrix products and convolutions in the module itself, without its parts. */
  readonly multiplyAdds: number;
  /** Memory of the outputs, in bytes; 0 for a module that hands on the output of a part. */
  readonly bytes: number;
}

/** What `summary` finds; prints itself as a table. */
export class Summary {
  readonly rows: readonly SummaryRow[];
  readonly parameters: number;
  readonly trainable: number;
  readonly inputBytes: number;

  constructor(rows: readonly SummaryRow[], module: Summarised, inputs: readonly AnyTensor[]) {
    this.rows = rows;
    const all = module.parameters();
    this.parameters = all.reduce((sum, p) => sum + p.size, 0);
    this.trainable = all.reduce((sum, p) => sum + (p.requiresGrad ? p.size : 0), 0);
    this.inputBytes = inputs.reduce((sum, x) => sum + bytesOf(x), 0);
  }

  /** Of one forward pass. */
  get multiplyAdds(): number {
    return this.rows.reduce((sum, row) => sum + row.multiplyAdds, 0);
  }

  /** Memory of all outputs of one forward pass, in bytes: what training keeps for the backward pass at most. */
  get activationBytes(): number {
    return this.rows.reduce((sum, row) => sum + row.bytes, 0);
  }

  toString(): string {
    const head = ['module', 'output', 'parameters', 'multiply-adds', 'memory'];
    const cells = this.rows.map((row) => [
      `${'  '.repeat(row.depth)}${row.path === '' ? '' : `${row.path.split('.').pop()}: `}${row.module}`,
      row.outputs.map(formatShape).join(' '),
      row.parameters === 0 ? '' : grouped(row.parameters),
      row.multiplyAdds === 0 ? '' : grouped(row.multiplyAdds),
      row.bytes === 0 ? '' : sizeText(row.bytes),
    ]);
    const total = ['total', '', grouped(this.parameters), grouped(this.multiplyAdds), sizeText(this.activationBytes)];
    const widths = head.map((title, i) => largest([title, total[i], ...cells.map((c) => c[i])].map((t) => t.length)));
    const line = (row: readonly string[]): string =>
      row
        .map((text, i) => (i < 2 ? text.padEnd(widths[i]) : text.padStart(widths[i])))
        .join('  ')
        .trimEnd();
    const rule = '─'.repeat(widths.reduce((a, b) => a + b + 2, -2));
    const memory = `memory: parameters ${sizeText(this.parameters * 4)}, input ${sizeText(this.inputBytes)}, outputs ${sizeText(this.activationBytes)}`;
    const frozen = this.parameters - this.trainable;
    return [
      line(head),
      rule,
      ...cells.map(line),
      rule,
      line(total),
      `${grouped(this.trainable)} parameters are trained, ${grouped(frozen)} are not; ${memory}`,
    ].join('\n');
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

const bytesOf = (t: AnyTensor): number => t.size * (t.dtype === 'bool' ? 1 : 4);
const grouped = (n: number): string => `${n}`.replaceAll(/\B(?=(\d{3})+$)/g, ' ');

/** 1234567 → '1.2 MB'. */
function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}

function tensorsIn(value: unknown): AnyTensor[] {
  if (value instanceof Tensor) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  const isRecord = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isRecord ? Object.values(value).flatMap(tensorsIn) : [];
}

interface Open {
  readonly inputs: readonly AnyTensor[];
  readonly place: number;
  /** Multiply-adds between the calls of its parts. */
  work: number;
  readonly results: AnyTensor[];
}

type Callable = Summarised & { forward(...inputs: unknown[]): unknown };

/** A module, as far as a summary is concerned. */
interface Summarised {
  training: boolean;
  parameters(): readonly AnyTensor[];
  buffers(): readonly AnyTensor[];
  namedModules(): readonly (readonly [string, Summarised])[];
  eval(): unknown;
  toString(): string;
}

/**
 * Sends the inputs through the model in evaluation mode and without gradients, and writes down every call of a module. An input is a tensor, or the
 * shape of one.
 */
export function summarise(module: Summarised, given: readonly (AnyTensor | Shape)[]): Summary {
  if (given.length === 0) throw new ArgumentError('summary: there is no input. Give a tensor, or its shape.');
  const random = getRandomState();
  const inputs = given.map((x) => (x instanceof Tensor ? x : rand(x as Shape)));
  setRandomState(random);
  const parts = module.namedModules();
  const modes = parts.map(([, part]) => part.training);
  const rows: SummaryRow[] = [];
  const open: Open[] = [];
  const counted = new Set<unknown>();
  const work = new WorkCounter();
  work.count([...inputs, ...module.parameters(), ...module.buffers()]); // what is there before the first call
  const handles = parts
    .filter(([, part]) => 'forward' in part && typeof part.forward === 'function')
    .flatMap(([path, part]) => [
      addHook(part, 'before', (_module, args) => {
        const from = tensorsIn(args);
        const before = work.count(from);
        const outer = open.at(-1);
        if (outer !== undefined) outer.work += before;
        open.push({ inputs: from, place: rows.length, work: 0, results: [] });
        rows.push({
          path,
          module: title(part),
          depth: open.length - 1,
          outputs: [],
          parameters: 0,
          multiplyAdds: 0,
          bytes: 0,
        });
      }),
      addHook(part, 'after', (_module, _args, output) => {
        const { inputs: from, place, work: between, results } = open.pop() as Open;
        const to = tensorsIn(output);
        const own = ownParameters(part).filter((p) => !counted.has(p) && counted.add(p));
        const fresh = to.filter((t) => !results.some((r) => r.node === t.node) && !from.some((x) => x.node === t.node));
        rows[place] = {
          ...rows[place],
          outputs: to.map(({ shape }) => shape),
          parameters: own.reduce((sum, p) => sum + p.size, 0),
          multiplyAdds: between + work.count(to),
          bytes: fresh.reduce((sum, t) => sum + bytesOf(t), 0),
        };
        for (const t of to) open.at(-1)?.results.push(t);
      }),
    ]);
  try {
    module.eval();
    withoutGrad(() => (module as Callable).forward(...inputs));
  } finally {
    for (const handle of handles) handle.remove();
    parts.forEach(([, part], i) => (part.training = modes[i]));
  }
  return new Summary(rows, module, inputs);
}

/** The head of what the module prints. */
function title(module: Summarised): string {
  const [head] = module.toString().split('\n');
  return head.endsWith('(') ? head.slice(0, -1) : head.replace(/\(\)$/, '');
}

/** Those that belong to no module inside it. */
function ownParameters(module: Summarised): readonly AnyTensor[] {
  const inner = new Set(
    module
      .namedModules()
      .slice(1)
      .flatMap(([, part]) => part.parameters()),
  );
  return module.parameters().filter((p) => !inner.has(p));
}
