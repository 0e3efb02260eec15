// Operators of ONNX against the standard's own tests, a few of each operator (test/fixtures/onnx-nodes.zip), and against onnxruntime
// (onnx-cases.zip); all of the standard's where NABLA_ONNX_NODES names the folder that tools/parity/onnx_nodes.py has filled. Then the table in docs/onnx.md is checked against what has
// passed; NABLA_UPDATE_DOCS=1 writes it anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { parseNpy, parseNpz } from '../src/io/formats/npy.js';
import { parseZip } from '../src/io/formats/zip.js';
import { setDevice } from '../src/index.js';
import { loadOnnx } from '../src/onnx/index.js';
import { operatorNames } from '../src/onnx/operators/table.js';
import { type Tolerance, differenceOf, setsOf } from './support/onnx-sets.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = process.env['NABLA_ONNX_NODES'] ?? '';

afterEach(() => setDevice('cpu'));

type Range = readonly [begin: number, length: number];
interface Committed {
  readonly tests: Readonly<Record<string, Tolerance & { model: Range; arrays: Readonly<Record<string, Range>> }>>;
}

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

test.each([
  // plain loops need no compiling: of hundreds of models, that is most of the work
  ['a few of each operator, from the standard', 'onnx-nodes.zip', 'reference'],
  ['older opsets and com.microsoft, by onnxruntime', 'onnx-cases.zip', 'cpu'],
])('%s', { timeout: 120_000 }, async (_, file, device) => {
  setDevice(device);
  const archive = await parseZip(readFileSync(join(root, 'test/fixtures', file)));
  const { tests } = JSON.parse(text(archive.get('index.json'))) as Committed;
  const blob = archive.get('tests.bin') as Uint8Array;
  const part = ([begin, length]: Range): Uint8Array => blob.slice(begin, begin + length);
  const failed: string[] = [];
  for (const [name, { model: range, arrays, ...tolerance }] of Object.entries(tests)) {
    const parsed = Object.entries(arrays).map(([key, at]) => [key, parseNpy(part(at))] as const);
    for (const set of setsOf(Object.fromEntries(parsed))) {
      const why = await loadOnnx(part(range))
        .then((model) => differenceOf(model, set, tolerance))
        .catch((error: Error) => error.message);
      if (why !== undefined) failed.push(`${name}: ${why}`);
    }
  }
  expect(failed).toEqual([]);
});

// ---------------------------------------------------------------- all of them

interface Row extends Tolerance {
  readonly operators: readonly string[];
  readonly scope?: string;
}
interface Index {
  readonly onnx: string;
  readonly tests: Readonly<Record<string, Row>>;
  readonly operators: Readonly<Record<string, { readonly since: readonly number[]; readonly gone: number | null }>>;
}

/** What the standard asks for and nabla does not do, and why. */
const KNOWN: Readonly<Record<string, string>> = {
  test_resize_downsample_scales_linear_align_corners:
    'positions by the size before it is rounded; onnxruntime takes the size itself',
  test_resize_downsample_scales_cubic_align_corners: 'the same',
  test_bitcast_float64_to_int64: 'numbers beyond int32',
  test_bitcast_int64_to_float64: 'numbers beyond int32',
  test_bitcast_uint32_to_int32: 'numbers beyond int32',
};

describe.skipIf(!existsSync(join(folder, 'index.json')))(
  'all tests of the standard (skipped unless NABLA_ONNX_NODES)',
  () => {
    test('98 % pass, and the others are known', { timeout: 1_200_000 }, async () => {
      const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Index;
      const passed = new Map<string, [passed: number, all: number]>();
      const failed: string[] = [];
      let all = 0;
      for (const [name, row] of Object.entries(index.tests)) {
        if (row.scope !== undefined) continue;
        all++;
        const why = await difference(name, row).catch((error: Error) => error.message);
        if (why !== undefined && !(name in KNOWN)) failed.push(`${name}: ${why}`);
        if (row.operators.length > 1) continue;
        const counts = passed.get(row.operators[0]) ?? [0, 0];
        passed.set(row.operators[0], [counts[0] + (why === undefined ? 1 : 0), counts[1] + 1]);
      }
      expect(failed).toEqual([]);
      expect(Object.keys(KNOWN).length).toBeLessThan(0.02 * all);
      checkTable(tableOf(index, passed));
    });
  },
);

async function difference(name: string, row: Row): Promise<string | undefined> {
  const model = await loadOnnx(join(folder, `${name}.onnx`));
  for (const set of setsOf(await parseNpz(readFileSync(join(folder, `${name}.npz`))))) {
    const why = await differenceOf(model, set, row);
    if (why !== undefined) return why;
  }
  return undefined;
}

const OUT_OF_SCOPE: Readonly<Record<string, string>> = {
  ImageDecoder: 'pictures in files: `nabla/data` reads them',
  MaxRoiPool: 'RoiAlign has taken its place',
};

function tableOf(index: Index, passed: ReadonlyMap<string, readonly [number, number]>): string {
  const own = new Set(operatorNames());
  const rows = Object.entries(index.operators).map(([name, { since, gone }]) => {
    const [done, all] = passed.get(name) ?? [0, 0];
    const versions = since.join(', ') + (gone === null ? '' : ` (gone from ${gone})`);
    if (own.has(name) || name === 'Constant')
      return `| ${name} | ${versions} | ${all === 0 ? '' : `${done} of ${all}`} | |`;
    const why =
      OUT_OF_SCOPE[name] ??
      (/Sequence|Optional/.test(name)
        ? 'sequences and optional values'
        : /String|Regex/.test(name)
          ? 'texts'
          : 'training');
    return `| ${name} | ${versions} | | refused: ${why} |`;
  });
  return ['| operator | versions | tests | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const BEGIN = '<!-- operators: made by test/onnx-nodes.test.ts -->';
const END = '<!-- end of operators -->';

function checkTable(table: string): void {
  const path = join(root, 'docs/onnx.md');
  const page = readFileSync(path, 'utf8');
  const [begin, end] = [page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)];
  const normal = (markdown: string): string => markdown.replaceAll(/ +/g, ' ').replaceAll(/-+/g, '-').trim();
  if (process.env['NABLA_UPDATE_DOCS'] === '1')
    writeFileSync(path, `${page.slice(0, begin)}\n\n${table}\n\n${page.slice(end)}`);
  else expect(normal(page.slice(begin, end))).toBe(normal(table));
}
