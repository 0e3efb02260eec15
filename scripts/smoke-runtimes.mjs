// `npm run smoke`, first half: the packed package at work on every runtime that it promises to work on, the newest of each.
// Usage: smoke-runtimes.mjs [--report FILE] [node20 | node22 | … | bun | deno]…
// Binaries and the installed package come from the npm registry, without any script of a package being run.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installPacked } from './smoke/npm.mjs';
import { Report } from './smoke/report.mjs';
import { RUNTIMES, installRuntimes } from './smoke/runtimes.mjs';

const { values, positionals } = parseArgs({ options: { report: { type: 'string' } }, allowPositionals: true });
const names = positionals.length > 0 ? positionals : RUNTIMES;
const MOST_MILLISECONDS = 120_000;

const work = mkdtempSync(join(tmpdir(), 'nabla-smoke-'));
const app = join(work, 'app');
const command = join(app, 'node_modules', 'nabla', 'dist', 'cli', 'main.js');
const report = new Report();

try {
  const runtimes = await prepare();
  for (const runtime of runtimes) await checkRuntime(runtime);
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(report.end('runtimes', values.report));

/** What all runtimes share. Nothing can be said about any of them where this fails, so it is a failure of its own. */
async function prepare() {
  let runtimes = [];
  await report.check('the package and the runtimes can be installed from the registry', () => {
    cpSync(fileURLToPath(new URL('smoke/app', import.meta.url)), app, { recursive: true });
    installPacked(app, { 'oxc-transform': '0.151.0' }); // Node 20 knows no TypeScript
    runtimes = installRuntimes(names);
    return runtimes.map(({ name, version }) => `${name} ${version}`).join(', ');
  });
  return runtimes;
}

async function checkRuntime(runtime) {
  const { name, version } = runtime;
  console.log(`${name} (${version})`);
  const check = (title, test) => report.check(`${name}: ${title}`, test);
  const folder = join(work, name);
  mkdirSync(folder);
  const nabla = (...args) => run(runtime, [command, ...args], { cwd: folder });
  const script = async (file, environment) =>
    JSON.parse((await run(runtime, [join(app, file)], { cwd: app, environment })).stdout);

  await check('trains alike on both tiers', async () => {
    const wasm = await script('tiers.mjs', { NABLA_CPU: 'wasm' });
    const native = await script('tiers.mjs', { NABLA_CPU: 'native' });
    expect(wasm.losses.at(-1) < 0.5 * wasm.losses[0], `the loss does not fall: ${wasm.losses.join(', ')}`);
    expect(wasm.device.tier === 'WebAssembly', `NABLA_CPU=wasm runs ${wasm.device.tier}`);
    expect(native.device.tier.startsWith('native'), `NABLA_CPU=native runs ${native.device.tier}`);
    for (const key of ['simd', 'fused multiply-add', 'shared memory']) {
      expect(wasm.device[key] === true, `${key} is ${wasm.device[key]}`);
    }
    wasm.losses.forEach((loss, i) => expectClose(loss, native.losses[i], `loss ${i}`));
    expectClose(wasm.sum, native.sum, 'the sum');
    return `loss ${wasm.losses[0].toFixed(2)} to ${wasm.losses.at(-1).toFixed(2)}`;
  });
  await check('worker threads make the same batches', async () => {
    const { batches, same } = await script('workers.mjs');
    expect(batches === 5 && same, `${batches} batches, the same: ${same}`);
  });
  await check('memory comes back', async () => {
    const { steps } = await script('memory.mjs', { NABLA_HEAP_MB: '512' });
    expect(steps === 200, `${steps} steps`);
  });
  await check('nabla train digits, interrupted and resumed', async () => {
    await run(runtime, [command, 'train', 'digits', '--epochs', '3', '--out', 'run'], {
      cwd: folder,
      interruptAt: '1/3',
      exitCode: 130,
    });
    const { stdout } = await nabla('train', '--resume', 'run');
    expect(stdout.includes('3/3'), `the run did not go on:\n${stdout}`);
    expectAccuracy(stdout);
  });
  await check('nabla predict and eval', async () => {
    const { stdout } = await nabla('predict', '--test', '--weights', 'run');
    expectAccuracy(stdout);
    const evaluated = JSON.parse((await nabla('eval', 'run', '--json')).stdout.trim().split('\n').at(-1));
    expect(evaluated.accuracy > 0.9, JSON.stringify(evaluated));
  });
  await check('nabla train with a definition in TypeScript', async () => {
    const { stdout } = await nabla('train', join(app, 'run.ts'), '--out', 'own');
    expect(stdout.includes('60/60'), stdout);
  });
}

/** Runs a command to its end; throws with all it printed where it ends in another way than it should. */
function run(runtime, args, { cwd, environment = {}, interruptAt, exitCode = 0 }) {
  return new Promise((resolve, reject) => {
    const [file, ...before] = runtime.command;
    // One cache of native code for all: the first one compiles. Not the user's own.
    const env = { ...process.env, NABLA_CACHE_DIR: join(work, 'cache'), ...environment };
    for (const name of ['NODE_OPTIONS', 'NABLA_DEBUG']) delete env[name];
    const child = spawn(file, [...before, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr, isInterrupted] = ['', '', interruptAt === undefined];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      if (isInterrupted || !stdout.includes(interruptAt)) return;
      isInterrupted = true;
      child.kill('SIGINT');
    });
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    const timer = setTimeout(() => child.kill('SIGKILL'), MOST_MILLISECONDS);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === exitCode) return resolve({ stdout, stderr });
      reject(new Error(`${args.join(' ')}: ended with ${signal ?? code}, not with ${exitCode}\n${stdout}${stderr}`));
    });
  });
}

function expect(isTrue, message) {
  if (!isTrue) throw new Error(message);
}

function expectClose(a, b, what) {
  expect(Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(a)), `${what}: ${a} and ${b}`);
}

function expectAccuracy(text) {
  const accuracy = Number(/^Test accuracy ([\d.]+) %/m.exec(text)?.[1]);
  expect(accuracy > 90, `a test accuracy of ${accuracy} %:\n${text}`);
}
