// `npm run smoke`, second half: the declarations of the packed package stand on their own (`skipLibCheck` is off) and say
// the same to old and new versions of TypeScript, under both module resolutions in use today: of a consumer, and of the
// ordinary and the wrong programs of test/types/programs, which import the package by its name.
// Usage: check-types-matrix.mjs [--report FILE] [VERSION]…
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installPacked, installTools } from './smoke/npm.mjs';
import { Report } from './smoke/report.mjs';

/** The oldest version that is promised, the last one written in TypeScript, and the newest. */
const VERSIONS = ['5.4', '5.9', '7'];
/** A program for Node, and one for a bundler with nothing set that need not be: neither has the other's globals. */
const PROJECTS = [
  { module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2023'], types: ['node'] },
  { module: 'esnext', moduleResolution: 'bundler', types: [] },
];

const { values, positionals } = parseArgs({ options: { report: { type: 'string' } }, allowPositionals: true });
const versions = positionals.length > 0 ? positionals : VERSIONS;
const work = mkdtempSync(join(tmpdir(), 'nabla-types-'));
const report = new Report();

try {
  let tools;
  await report.check('the package and the compilers can be installed from the registry', () => {
    for (const from of ['app/run.ts', 'app/network.ts', 'types/consumer.ts']) {
      cpSync(fileURLToPath(new URL(`smoke/${from}`, import.meta.url)), join(work, from.split('/')[1]));
    }
    cpSync(fileURLToPath(new URL('../test/types/programs', import.meta.url)), join(work, 'programs'), {
      recursive: true,
    });
    installPacked(work, { '@types/node': '20' });
    const packages = versions.map((version) => [`typescript-${version}`, `npm:typescript@${version}`]);
    tools = installTools('typescript', Object.fromEntries(packages));
  });
  if (tools !== undefined) {
    for (const version of versions) await Promise.all(PROJECTS.map((project) => checkTypes(tools, version, project)));
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(report.end('types', values.report));

function checkTypes(tools, version, project) {
  const tsc = join(tools, 'node_modules', `typescript-${version}`, 'bin', 'tsc');
  const { moduleResolution } = project;
  return report.check(`TypeScript ${version} under moduleResolution ${moduleResolution}`, async () => {
    const file = join(work, `tsconfig.${version}.${moduleResolution}.json`);
    const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false };
    const compilerOptions = { target: 'es2022', noEmit: true, ...strict, ...project };
    writeFileSync(file, JSON.stringify({ compilerOptions, files: ['consumer.ts', 'run.ts'], include: ['programs'] }));
    await run(process.execPath, tsc, '-p', file);
  });
}

/** Runs a command to its end; throws with all it printed unless it printed nothing and ended well. */
function run(file, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: work, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 && output === '' ? resolve() : reject(new Error(`exit ${code}\n${output}`)),
    );
  });
}
