// Runs nabla on the samples of PyTorch's own operator tests that tools/parity/opinfo/samples.py has written, and says which agree.
//
//     node tools/parity/opinfo/compare.mjs FILE [operator …] [--device cpu|reference] [--tier wasm|native] [--dtype float32|float64] [--all]
//     node tools/parity/opinfo/compare.mjs FILE --docs      writes docs/operators.md
//     node tools/parity/opinfo/compare.mjs FILE --fixture   writes test/fixtures/opinfo.jsonl: small samples of each that agree

import { createReadStream, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { absentReason } from './absent.mjs';
import { CALLS } from './calls.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    device: { type: 'string', default: 'cpu' },
    tier: { type: 'string', default: 'wasm' },
    dtype: { type: 'string' },
    all: { type: 'boolean' },
    docs: { type: 'boolean' },
    fixture: { type: 'boolean' },
    json: { type: 'string' },
  },
});
process.env.NABLA_CPU = values.tier;
const { setDevice } = await import('nabla');
const { check, TOLERANCES } = await import('./samples.mjs');
const { page } = await import('./page.mjs');
setDevice(values.device);

/** Operators in the order of the file: { name, dtypes: { dtype: [samples, agreed] }, samples, agreed, rest: Map of reasons, skipped: Map }. */
const operators = new Map();
const started = performance.now();
let torch;

function operatorOf(name) {
  let found = operators.get(name);
  if (found === undefined) {
    found = {
      name,
      present: name in CALLS,
      dtypes: {},
      samples: 0,
      agreed: 0,
      random: 0,
      rest: new Map(),
      skipped: new Map(),
      ms: 0,
    };
    operators.set(name, found);
  }
  return found;
}
/** Lines of samples that agree, of each operator, variant and dtype. */
const agreeing = new Map();
const [MOST, SMALL, LARGEST] = [{ float32: 2, float64: 1 }, 1200, 4000];

/** A few short ones of each, that differ from each other; of float64 others than of float32. */
function* fixtureLines() {
  for (const [key, lines] of agreeing) {
    const small = lines.filter((line) => line.length <= SMALL);
    const dtype = key.slice(key.lastIndexOf(' ') + 1);
    const from = small.length > 0 ? small : [lines.reduce((a, b) => (a.length <= b.length ? a : b))];
    const rest = from
      .filter((line) => line.length <= LARGEST)
      .slice(dtype === 'float64' ? Math.min(1, from.length - 1) : 0);
    const step = Math.max(1, Math.ceil(rest.length / (MOST[dtype] ?? MOST.float32)));
    yield* rest.filter((_, i) => i % step === 0);
  }
}
const count = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);

async function visit(row, line) {
  const operator = operatorOf(row.op);
  if (!operator.present) return;
  if (row.skip !== undefined) return count(operator.skipped, row.skip);
  if (values.dtype !== undefined && row.dtype !== values.dtype) return;
  const start = performance.now();
  const problem = await check(CALLS[row.op], row);
  operator.ms += performance.now() - start;
  operator.samples++;
  const counts = (operator.dtypes[row.dtype] ??= [0, 0]);
  counts[0]++;
  if (row.out.some((o) => o !== null && typeof o === 'object' && 's' in o && o.b === undefined)) operator.random++;
  if (problem === undefined) {
    operator.agreed++;
    counts[1]++;
    const key = `${row.op} ${row.variant} ${row.dtype}`;
    agreeing.set(key, [...(agreeing.get(key) ?? []).slice(-100), line]);
    return undefined;
  }
  const variant = row.variant === '' ? '' : ` (${row.variant})`;
  count(operator.rest, problem.kind === 'differs' ? problem.text : `${problem.kind}: ${problem.text}`);
  if (values.all)
    process.stdout.write(`${row.op}${variant} ${row.dtype}: ${problem.kind}: ${problem.text}\n  ${shown(row)}\n`);
}

/** The arguments, with shapes in the place of tensors. */
function shown({ args, kwargs }) {
  const short = (v) =>
    Array.isArray(v) ? v.map(short) : typeof v === 'object' && v !== null && 's' in v ? `${v.t}[${v.s.join()}]` : v;
  return JSON.stringify([args.map(short), Object.fromEntries(Object.entries(kwargs).map(([k, v]) => [k, short(v)]))]);
}

const [file, ...wanted] = positionals;
for await (const line of createInterface({ input: createReadStream(file) })) {
  const row = JSON.parse(line);
  if (row.op === undefined) ({ torch } = row);
  else if (wanted.length === 0 || wanted.includes(row.op)) await visit(row, line);
}

const present = [...operators.values()].filter((o) => o.present && o.samples > 0);
const [samples, agreed] = [present.reduce((s, o) => s + o.samples, 0), present.reduce((s, o) => s + o.agreed, 0)];
const whole = present.filter((o) => o.agreed === o.samples).length;
for (const o of operators.values()) {
  if (!o.present || o.samples === 0) process.stdout.write(`${o.name.padEnd(44)} absent: ${absentReason(o.name)}\n`);
  else if (o.agreed < o.samples || wanted.length > 0) {
    process.stdout.write(`${o.name.padEnd(44)} ${o.agreed} of ${o.samples}, ${Math.round(o.ms)} ms\n`);
    for (const [reason, times] of o.rest) process.stdout.write(`    ${times} × ${reason.slice(0, 300)}\n`);
  }
}
process.stdout.write(
  `${operators.size} operators: ${present.length} there, ${whole} of them agree in every sample, ${agreed} of ${samples} samples (${((100 * agreed) / samples).toFixed(2)} %), ${Math.round((performance.now() - started) / 1000)} s\n`,
);
if (values.docs)
  writeFileSync(
    new URL('../../../docs/operators.md', import.meta.url),
    page([...operators.values()], torch, TOLERANCES),
  );
if (values.fixture) {
  const lines = [JSON.stringify({ torch, by: 'tools/parity/opinfo' }), ...fixtureLines()];
  writeFileSync(new URL('../../../test/fixtures/opinfo.jsonl', import.meta.url), `${lines.join('\n')}\n`);
}
if (values.json !== undefined)
  writeFileSync(
    values.json,
    JSON.stringify([...operators.values()], (_, v) => (v instanceof Map ? Object.fromEntries(v) : v)),
  );
process.exit(0);
