// Builds dist/ from src/: declarations by TypeScript, JavaScript in chunks (bundle.mjs), everything else (assets, plain JavaScript)
// copied as it is; declarations that no entry leads to are left out. Exits non-zero when the sources do not type-check, and when
// TypeScript 5.4 could not read the declarations.
import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';
import { listSources, writeStamp } from './staleness.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const started = new Date();
const sources = listSources();

rmSync('dist', { recursive: true, force: true }); // nothing without a source is ever published
if (sources.some(isCompiled)) {
  declare();
  await bundle();
}
for (const file of sources.filter((name) => !isCompiled(name))) {
  const target = join('dist', file.slice('src'.length));
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(file, target);
}
if (sources.some(isCompiled))
  appendFileSync('dist/cli/dashboard/page.css', readFileSync('node_modules/uplot/dist/uPlot.min.css'));
mkdirSync('dist', { recursive: true });
removeInnerDeclarations();
writeStamp(sources, started);

function isCompiled(file) {
  return /(?<!\.d)\.ts$/.test(file);
}

/** Removes declarations that no entry of the package leads to: half of them, and nobody can ask for them. */
function removeInnerDeclarations() {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const waiting = Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [join(types)]));
  const needed = new Set();
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (needed.has(file) || !existsSync(file)) continue;
    needed.add(file);
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from|import|import\()\s*['"](\.[^'"]+)\.js['"]/g)) {
      waiting.push(join(dirname(file), `${name}.d.ts`));
    }
  }
  if (needed.size === 0) return; // nothing was compiled
  for (const name of readdirSync('dist', { recursive: true })) {
    const file = join('dist', name);
    if (file.endsWith('.d.ts') && !needed.has(file)) rmSync(file);
  }
  refuseNewerTypes(needed);
}

/** Typed arrays are generic from TypeScript 5.7 on: declarations that 5.4 reads, too, name none of their parameters. */
function refuseNewerTypes(files) {
  for (const file of files) {
    if (!existsSync(file)) continue;
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((text) => /\b\w+[1-9]\w*Array<|\bDataView</.test(text));
    if (line === undefined) continue;
    console.error(`${file}: TypeScript 5.4 has no generic typed arrays: ${line.trim()}`);
    process.exit(1);
  }
}

/** Type-checks, and writes the declarations. */
function declare() {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const result = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}
