// `npm run recipes`: runs every recipe (rows.mjs) with several seeds, one after the other, and writes one table of their figures and times.
//   npm run recipes -- [RECIPE …] [--seeds 0,1,2] [--out runs/recipes] [--list]
// A recipe brings those along whose runs it begins with (a judge of pictures, an encoder). It may be ended at any time and goes on where it was: runs
// that are complete stay, one that was broken off is resumed. The table is <out>/table.md. Data are looked for in NABLA_DATA. Exit code 1 where a run has failed.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { transformSync } from 'esbuild';
import { figuresIn, folderOf, resultOf, table } from './recipes/results.mjs';
import { ROWS } from './recipes/rows.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { rows, seeds, out } = readArguments();
let ended; // the signal that ends everything

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (ended = signal)); // the run under way gets it, too, and ends well

const failed = [];
for (const seed of seeds) {
  for (const row of rows) {
    if (ended === undefined && resultOf(out, row, seed) === undefined && !(await run(row, seed)) && ended === undefined)
      failed.push(`${row.name} with seed ${seed}`);
    writeTable();
  }
}
console.log(`\n${readFileSync(join(out, 'table.md'), 'utf8')}\n${join(out, 'table.md')}`);
if (failed.length > 0) console.error(`npm run recipes: failed: ${failed.join(', ')}.`);
if (ended !== undefined) console.error('npm run recipes: ended; the same command goes on.');
process.exitCode = ended !== undefined ? 130 : failed.length > 0 ? 1 : 0;

function readArguments() {
  const fault = (text) => {
    console.error(`npm run recipes: ${text}`);
    process.exit(2);
  };
  const options = { seeds: { type: 'string' }, out: { type: 'string' }, list: { type: 'boolean' } };
  let parsed;
  try {
    parsed = parseArgs({ options, allowPositionals: true });
  } catch (error) {
    fault(error.message);
  }
  const { values, positionals } = parsed;
  const names = ROWS.map(({ name }) => name);
  if (values.list === true) {
    console.log(names.join('\n'));
    process.exit(0);
  }
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) fault(`there is no recipe '${unknown}'. Use ${names.join(', ')}.`);
  const seeds = (values.seeds ?? '0,1,2').split(',');
  const wrong = seeds.find((seed) => !/^\d{1,9}$/.test(seed));
  if (wrong !== undefined) fault(`--seeds: '${wrong}' is no whole number. Use a list such as 0,1,2.`);
  const chosen = new Set(positionals.length === 0 ? names : positionals);
  for (const name of chosen)
    // grows as it is walked
    for (const needed of Object.values(ROWS.find((row) => row.name === name).needs ?? {})) chosen.add(needed);
  const rows = ROWS.filter(({ name }) => chosen.has(name));
  return { rows, seeds, out: resolve(values.out ?? join(root, 'runs/recipes')) };
}

/** Whether it ended well. */
async function run(row, seed) {
  const folder = folderOf(out, row, seed);
  console.log(`\n== ${row.name}, seed ${seed}: ${folder}`);
  mkdirSync(folder, { recursive: true });
  const isDone = row.program === undefined ? await train(row, seed, folder) : await runProgram(row, seed, folder);
  return isDone && resultOf(out, row, seed) !== undefined;
}

async function train({ preset, set = {}, needs = {} }, seed, folder) {
  const others = Object.entries(needs).map(([setting, name]) => [setting, folderOf(out, { name }, seed)]);
  const nabla = join(root, 'dist/cli/main.js');
  const settings = [...Object.entries(set), ...others].flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const isBegun = existsSync(join(folder, 'checkpoint.safetensors'));
  if (!isBegun) {
    rmSync(folder, { recursive: true }); // a run that has not come to its first checkpoint begins again
    mkdirSync(folder);
  }
  const what = isBegun ? ['--resume', folder] : [preset, '--seed', seed, '--out', folder, ...settings];
  return (await start([nabla, 'train', ...what], root)) === 0;
}

/** Programs are TypeScript, whose types Node 20 does not take away: a copy without them lies in the package, whose name it imports. */
async function runProgram(row, seed, folder) {
  const copy = join(root, 'runs/programs', basename(row.program).replace(/\.ts$/, '.mjs'));
  mkdirSync(join(root, 'runs/programs'), { recursive: true });
  writeFileSync(copy, transformSync(readFileSync(join(root, row.program), 'utf8'), { loader: 'ts' }).code);
  const begin = performance.now();
  let text = '';
  const code = await start([copy, ...(row.arguments ?? []), seed], folder, (part) => (text += part));
  writeFileSync(join(folder, 'output.txt'), text);
  if (code !== 0) return false;
  const result = { values: figuresIn(row, text), seconds: (performance.now() - begin) / 1000 };
  writeFileSync(join(folder, 'result.json'), `${JSON.stringify(result)}\n`);
  return true;
}

/** Runs Node; gives the exit code. */
function start(command, cwd, listen) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, command, { cwd, stdio: ['ignore', listen ? 'pipe' : 'inherit', 'inherit'] });
    child.stdout?.on('data', (part) => {
      process.stdout.write(part);
      listen(String(part));
    });
    child.on('error', fail);
    child.on('close', (code) => done(code ?? 1));
  });
}

function writeTable() {
  mkdirSync(out, { recursive: true });
  const text = table(rows, seeds, (row, seed) => resultOf(out, row, seed));
  writeFileSync(join(out, 'table.md.part'), `${text}\n`);
  renameSync(join(out, 'table.md.part'), join(out, 'table.md'));
}
