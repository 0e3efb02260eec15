// The native tier as a user meets it, each case in a process of its own: what it computes, what it does with a damaged
// cache and with compilers that are missing, fail or are none. Where there is no C compiler these tests are skipped.
import { execFile, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativeToolchain } from '../src/engine/device/cpu/native/tier.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const toolchain = nativeToolchain();
const reason = typeof toolchain === 'string' ? toolchain : undefined;
let folder: string;

beforeAll(() => {
  const built = spawnSync(process.execPath, ['scripts/setup.mjs', '--build'], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
  folder = mkdtempSync(join(tmpdir(), 'nabla-native-'));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A small training run; prints the losses and where the device says it computes. */
const TRAIN = `
  import { readFileSync } from 'node:fs';
  import { tensor, manualSeed, compile, devices, setDevice } from 'nabla';
  import { Sequential, Conv2d, BatchNorm2d, ReLU, Flatten, Linear, crossEntropy } from 'nabla/nn';
  import { AdamW } from 'nabla/optim';
  manualSeed(0);
  const batch = Number(process.env.BATCH ?? 32);
  const model = new Sequential(new Conv2d(1, 8, 3, { padding: 1 }), new BatchNorm2d(8), new ReLU(), new Flatten(), new Linear(512, 10));
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
  const x = tensor(Float32Array.from({ length: batch * 64 }, (_, i) => Math.sin(i * 1.7)), { shape: [batch, 1, 8, 8] });
  const y = tensor(Int32Array.from({ length: batch }, (_, i) => i % 10));
  const step = compile(async (a, b) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(a), b);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const losses = [];
  for (let i = 0; i < Number(process.env.STEPS ?? 20); i++) {
    losses.push(await (await step(x, y)).item());
    if (process.env.TURNS) await new Promise((resolve) => setTimeout(resolve, 0)); // events are heard
  }
  const asksForLargePages = process.platform === 'linux' && /^VmFlags:.* hg\\b/m.test(readFileSync('/proc/self/smaps', 'utf8'));
  console.log(JSON.stringify({ losses, tier: devices()[0].details.tier, asksForLargePages }));
  process.exit(0);
`;

interface Outcome {
  readonly losses: number[];
  readonly tier: string;
  /** Is there memory in this process that is to lie in large pages? */
  readonly asksForLargePages: boolean;
  readonly stderr: string;
}

type Environment = Readonly<Record<string, string>>;

const COMMAND = ['--input-type=module', '-e', TRAIN];
const options = (environment: Environment, cache: string) => ({
  cwd: root,
  env: { ...process.env, NABLA_CACHE_DIR: join(folder, cache), NABLA_DEBUG: '1', ...environment },
});
const outcome = (stdout: string, stderr: string): Outcome => ({ ...(JSON.parse(stdout) as Outcome), stderr });

function train(environment: Environment, cache = 'cache'): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, COMMAND, {
    ...options(environment, cache),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return outcome(stdout, stderr);
}

async function trainBeside(environment: Environment, cache: string): Promise<Outcome> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, COMMAND, options(environment, cache));
  return outcome(stdout, stderr);
}

/** An executable shell script. */
function script(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o700);
  return file;
}

/** What a run that must not go on says on standard error. */
function refusal(environment: Environment, cache: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, COMMAND, {
    ...options(environment, cache),
    encoding: 'utf8',
  });
  if (status !== 1 || stdout !== '') throw new Error(`exit ${status}\n${stdout}${stderr}`);
  return stderr;
}

function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((a, i) => expect(Math.abs(a - expected[i]) / Math.max(expected[i], 0.1)).toBeLessThan(tolerance));
}

function givesLargePages(): boolean {
  const setting = '/sys/kernel/mm/transparent_hugepage/enabled';
  return existsSync(setting) && !readFileSync(setting, 'utf8').includes('[never]');
}

const libraries = (cache: string): string[] =>
  readdirSync(join(folder, cache, 'nabla-native')).filter((name) => name.endsWith('.so'));

describe.skipIf(reason !== undefined)(`with a compiler${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let wasm: Outcome;
  beforeAll(() => {
    wasm = train({ NABLA_CPU: 'wasm' });
    expect(wasm.tier).toBe('WebAssembly');
  });

  test.skipIf(!givesLargePages())('the heap of native code is to lie in large pages, if the system gives them', () => {
    expect(wasm.asksForLargePages).toBe(false);
    expect(train({ NABLA_CPU: 'native' }).asksForLargePages).toBe(true);
  });

  test('the same training, natively, with one and two threads; the second time from the cache', () => {
    for (const NABLA_THREADS of ['1', '2']) {
      const native = train({ NABLA_CPU: 'native', NABLA_THREADS });
      expect(native.tier).toMatch(/^native \(/);
      expectClose(native.losses, wasm.losses, 1e-4);
    }
    const before = libraries('cache').map((name) => statSync(join(folder, 'cache', 'nabla-native', name)).ino);
    train({ NABLA_CPU: 'native', NABLA_CC: '' });
    expect(libraries('cache').map((name) => statSync(join(folder, 'cache', 'nabla-native', name)).ino)).toEqual(before);
    expect(statSync(join(folder, 'cache', 'nabla-native')).mode & 0o077).toBe(0);
  }, 120_000);

  test('a folder that was there keeps its files and its mode; one that others may write to is not used', () => {
    const chosen = join(folder, 'own');
    mkdirSync(chosen, { mode: 0o755 });
    chmodSync(chosen, 0o755);
    writeFileSync(join(chosen, 'thesis.tar'), 'years');
    const { tier } = train({ NABLA_CPU: 'native' }, 'own');
    expect(tier).toMatch(/^native \(/);
    expect(readdirSync(chosen).toSorted()).toEqual(['nabla-native', 'nabla-programs', 'thesis.tar']);
    expect(statSync(chosen).mode & 0o777).toBe(0o755);
    chmodSync(join(chosen, 'nabla-native'), 0o777);
    expect(refusal({ NABLA_CPU: 'native' }, 'own')).toMatch(/DeviceError: cpu: .*others may write to .*nabla-native/);
    expect(statSync(join(chosen, 'nabla-native')).mode & 0o777).toBe(0o777);
  }, 120_000);

  test('a truncated and a tampered file are compiled again, never loaded', () => {
    const good = train({ NABLA_CPU: 'native' });
    const names = libraries('cache');
    expect(names.length).toBeGreaterThan(1);
    names.forEach((name, i) => {
      const file = join(folder, 'cache', 'nabla-native', name);
      if (i % 2 === 0) truncateSync(file, 100);
      else {
        const bytes = readFileSync(file);
        bytes[bytes.length >> 1] ^= 1;
        writeFileSync(file, bytes);
      }
    });
    const again = train({ NABLA_CPU: 'native' });
    expect(again.stderr).toMatch(/is damaged and will be compiled again/);
    expect(again.losses).toEqual(good.losses);
    expect(libraries('cache').sort()).toEqual(names.sort());
  }, 120_000);

  const asks = 'case "$*" in *-dM*) exec cc "$@";; esac\n';

  test('a compiler that is missing, that fails, and that makes no program: native code alone is refused with the reason', () => {
    const crash = join(folder, 'crash.h');
    writeFileSync(crash, '__attribute__((constructor)) static void crash(void) { __builtin_trap(); }');
    const cases: [string, RegExp][] = [
      [join(folder, 'nowhere'), /ArgumentError: cpu: there is no command '.*nowhere'/],
      [
        script('no-compiler', 'exit 3'),
        /DeviceError: cpu: NABLA_CPU=native .* there is no C compiler \(.*no-compiler: exit 3\)/,
      ],
      [script('fails', `${asks}echo 'no such machine' >&2; exit 1`), /DeviceError: cpu: .* no such machine/],
      [script('empty', `${asks}while [ "$1" != -o ]; do shift; done; : > "$2"`), /DeviceError: cpu: /],
      [script('silent', `${asks}exit 0`), /DeviceError: cpu: /],
      [
        script('foreign', `${asks}case "$*" in *-shared*) exec cc "$@" -include ${crash};; *) exec cc "$@";; esac`),
        /DeviceError: cpu: .* ends with SIG\w+ in its trial/,
      ],
    ];
    for (const [i, [NABLA_CC, reason]] of cases.entries()) {
      expect(refusal({ NABLA_CPU: 'native', NABLA_CC }, `cache${i}`)).toMatch(reason);
    }
  }, 120_000);

  test('a program that crashes does so in its trial, and is refused where native code alone is wanted', () => {
    const NABLA_CC = script('crashing', `${asks}sed 's/^  (void)table/  __builtin_trap(); (void)table/' | cc "$@"`);
    expect(refusal({ NABLA_CPU: 'native', NABLA_CC }, 'cache-crashing')).toMatch(
      /DeviceError: cpu: .* the compiler failed: what it made ends with SIG\w+ in its trial/,
    );
    expect(readdirSync(join(folder, 'cache-crashing', 'nabla-native')).filter((name) => name.endsWith('.tmp'))).toEqual(
      [],
    );
  }, 120_000);

  test('where native code is only welcome, WebAssembly goes on without it', () => {
    const settings = { NABLA_THREADS: '1', BATCH: '512', STEPS: '400' };
    const expected = train({ NABLA_CPU: 'wasm', ...settings });
    const NABLA_CC = script('failing', `${asks}echo 'no such machine' >&2; exit 1`);
    const { losses, stderr } = train({ NABLA_CPU: 'auto', NABLA_CC, ...settings }, 'cache-failing');
    expect(losses).toEqual(expected.losses);
    expect(stderr).toMatch(/native tier: not available: .*no such machine/);
  }, 120_000);

  test('a compiling thread that is ended: WebAssembly goes on, and the reason is said', () => {
    const settings = { NABLA_THREADS: '1', BATCH: '512', STEPS: '60', TURNS: '1' };
    const NODE_OPTIONS = `--import=data:text/javascript,process.on('worker',(w)=>w.terminate())`;
    const { losses, stderr } = train({ NABLA_CPU: 'auto', NODE_OPTIONS, ...settings }, 'cache-ended');
    expect(losses).toEqual(train({ NABLA_CPU: 'wasm', ...settings }).losses);
    expect(stderr).toMatch(
      /native tier: not available: the threads cannot be compiled: .*the compiling thread has ended/,
    );
  }, 120_000);

  test('several processes fill one cache at once', async () => {
    const outcomes = await Promise.all([1, 2, 3].map(() => trainBeside({ NABLA_CPU: 'native' }, 'cache-shared')));
    for (const { tier, losses } of outcomes) {
      expect(tier).toMatch(/^native \(/);
      expect(losses).toEqual(outcomes[0].losses);
    }
    const keys = libraries('cache-shared').map((name) => name.split('-')[0]);
    expect(new Set(keys).size).toBe(keys.length);
    expect(readdirSync(join(folder, 'cache-shared', 'nabla-native')).filter((name) => name.endsWith('.tmp'))).toEqual(
      [],
    );
  }, 120_000);

  test('the native tier takes over between two steps of a training, on the same curve', () => {
    const settings = { NABLA_THREADS: '1', BATCH: '512', STEPS: '60' };
    train({ NABLA_CPU: 'native', ...settings }); // fills the cache
    const expected = train({ NABLA_CPU: 'wasm', ...settings });
    const { losses, stderr } = train({ NABLA_CPU: 'auto', ...settings });
    const runs = Number(/takes a program over after (\d+) runs/.exec(stderr)?.[1]);
    expect(runs).toBeGreaterThan(0);
    expect(runs).toBeLessThan(60);
    expectClose(losses, expected.losses, 1e-5);
  }, 120_000);
});
