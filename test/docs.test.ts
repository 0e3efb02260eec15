// The pages of docs/ and the README: their TypeScript examples compile and print what they say. The blocks of a page are
// one program, like the cells of a notebook. `// → text` behind a console.log is what it prints (`…` stands for anything);
// a block marked `ts types` is compiled and not run. In a table whose second column is `nabla`, each cell of that column is a
// program that follows.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { setDevice } from 'nabla';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = join(root, 'test/.docs');
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);

interface Program {
  readonly page: string;
  readonly file: string;
  readonly code: string;
  readonly isRun: boolean;
}

/** The blocks of a page: one program of all that run, and one for each that is only compiled. */
function extract(page: string): Program[] {
  const text = readFileSync(join(root, page), 'utf8');
  const blocks = [...text.matchAll(/^```ts( types)?\n([\s\S]*?)^```$/gm)];
  const name = basename(page, '.md').toLowerCase();
  const run = [...blocks.filter(([, types]) => types === undefined).map(([, , code]) => code), ...cellsOf(text)];
  const compiled = blocks.filter(([, types]) => types !== undefined).map(([, , code]) => code);
  return [
    ...(run.length > 0 ? [{ page, file: join(work, `${name}.ts`), code: run.join('\n'), isRun: true }] : []),
    ...compiled.map((code, i) => ({ page, file: join(work, `${name}-types-${i}.ts`), code, isRun: false })),
  ];
}

/** What stands in the columns `nabla`: expressions and statements that depend on nothing but the blocks of the page. */
function cellsOf(text: string): string[] {
  const tables = text.matchAll(/^\|[^|\n]*\| nabla \|.*\n\|[-|]+\n((?:\|.*\n)*)/gm);
  const rows = [...tables].flatMap(([, body]) => body.trim().split('\n'));
  return rows.map((row) => `{ ${/^\|[^|]*\| `([^`|]+)` \|/.exec(row)?.[1] ?? `not one piece of code: ${row}`} }`);
}

rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
cpSync(join(root, 'test/fixtures/docs'), work, { recursive: true }); // files that examples read
const programs = pages.flatMap(extract);
const EXPECTED_ERROR = /^\s*\/\/ @ts-expect-error (.*)$/gm;
for (const { file, code } of programs) {
  writeFileSync(file, `${code.replaceAll(EXPECTED_ERROR, '// $1')}\nexport {};\n`);
}

beforeAll(() => setDevice('cpu'));
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(work, { recursive: true, force: true }));

test('examples compile, and those that should not say what the page says', () => {
  const built = spawnSync(process.execPath, ['scripts/setup.mjs', '--build'], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
  // As readers have them: the declarations of the package, which also are read in a sixth of the time.
  const paths = { nabla: ['../../dist/index.d.ts'], 'nabla/*': ['../../dist/*/index.d.ts'] };
  const compilerOptions = { noUnusedLocals: false, paths };
  const tsconfig = { extends: '../../tsconfig.json', compilerOptions, include: ['./*.ts'] };
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(tsconfig));
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '--noEmit', '-p', work], { encoding: 'utf8' });
  const errors = stdout.split(/^(?=\S+: error TS)/m).filter((text) => text !== '');
  const wanted = programs.flatMap(({ code }) => [...code.matchAll(EXPECTED_ERROR)].map(([, text]) => text));
  const missing = wanted.filter((text) => !errors.some((error) => error.includes(text)));
  const others = errors.filter((error) => !wanted.some((text) => error.includes(text)));
  expect({ missing, others }).toEqual({ missing: [], others: [] });
}, 60_000);

test.each(programs.filter(({ isRun }) => isRun))(
  '$page',
  async ({ file, code }) => {
    const printed = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line.trim());
    const lines: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
      const text = values.map((v) => (typeof v === 'string' ? v : inspect(v, { depth: null, breakLength: Infinity })));
      lines.push(text.join(' ').replaceAll(/\s+/g, ' '));
    });
    process.chdir(work); // for the files that examples write
    await import(pathToFileURL(file).href).finally(() => process.chdir(root));
    const matches = lines.map((line, i) => (printed[i] !== undefined && isLike(line, printed[i]) ? printed[i] : line));
    expect(matches).toEqual(printed);
  },
  60_000,
);

/** Whether the line is the pattern, in which `…` stands for any text. */
function isLike(line: string, pattern: string): boolean {
  const parts = pattern.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`).test(line);
}
