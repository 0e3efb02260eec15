// The native tier as a user meets it, each case in a process of its own: what it computes, what it does with a damaged
// cache and with compilers that are missing, fail or are none. Where there is no C compiler these tests are skipped.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
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
  import { tensor, manualSeed, compile, devices, setDevice } from 'nabla';
  import { Sequential, Conv2d, BatchNorm2d, ReLU, Flatten, Linear, crossEntropy } from 'nabla/nn';
  import { AdamW } from 'nabla/optim';
  manualSeed(0);
  const model = new Sequential(new Conv2d(1, 8, 3, { padding: 1 }), new BatchNorm2d(8), new ReLU(), new Flatten(), new Linear(512, 10));
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
  const x = tensor(Float32Array.from({ length: 32 * 64 }, (_, i) => Math.sin(i * 1.7)), { shape: [32, 1, 8, 8] });
  const y = tensor(Int32Array.from({ length: 32 }, (_, i) => i % 10));
  const step = compile(async (a, b) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(a), b);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const losses = [];
  for (let i = 0; i < 20; i++) losses.push(await (await step(x, y)).item());
  console.log(JSON.stringify({ losses, tier: devices()[0].details.tier }));
  process.exit(0);
`;

interface Outcome {
  readonly losses: number[];
  readonly tier: string;
  readonly stderr: string;
}

function train(environment: Readonly<Record<string, string>>, cache = 'cache'): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', TRAIN], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NABLA_CACHE_DIR: join(folder, cache), NABLA_DEBUG: '1', ...environment },
  });
  if (status !== 0) throw new Error(stderr);
  return { ...(JSON.parse(stdout) as Omit<Outcome, 'stderr'>), stderr };
}

function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((a, i) => expect(Math.abs(a - expected[i]) / Math.max(expected[i], 0.1)).toBeLessThan(tolerance));
}

const libraries = (cache: string): string[] => readdirSync(join(folder, cache)).filter((name) => name.endsWith('.so'));

describe.skipIf(reason !== undefined)(`with a compiler${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let wasm: Outcome;
  beforeAll(() => {
    wasm = train({ NABLA_CPU: 'wasm' });
    expect(wasm.tier).toBe('WebAssembly');
  });

  test('the same training, natively, with one and two threads; the second time from the cache', () => {
    for (const NABLA_THREADS of ['1', '2']) {
      const native = train({ NABLA_CPU: 'native', NABLA_THREADS });
      expect(native.tier).toMatch(/^native \(/);
      expectClose(native.losses, wasm.losses, 1e-4);
    }
    const before = libraries('cache').map((name) => statSync(join(folder, 'cache', name)).ino);
    train({ NABLA_CPU: 'native', NABLA_CC: '' });
    expect(libraries('cache').map((name) => statSync(join(folder, 'cache', name)).ino)).toEqual(before);
    expect(statSync(join(folder, 'cache')).mode & 0o077).toBe(0);
  }, 120_000);

  test('a truncated and a tampered file are compiled again, never loaded', () => {
    const good = train({ NABLA_CPU: 'native' });
    const names = libraries('cache');
    expect(names.length).toBeGreaterThan(1);
    names.forEach((name, i) => {
      const file = join(folder, 'cache', name);
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

  test('a compiler that is missing, that fails, and that makes no program: WebAssembly goes on', () => {
    const script = (name: string, text: string): string => {
      const file = join(folder, name);
      writeFileSync(file, `#!/bin/sh\n${text}\n`);
      chmodSync(file, 0o700);
      return file;
    };
    const asks = 'case "$*" in *-dM*) exec cc "$@";; esac\n';
    const cases = [
      join(folder, 'nowhere'),
      script('fails', `${asks}echo 'no such machine' >&2; exit 1`),
      script('empty', `${asks}while [ "$1" != -o ]; do shift; done; : > "$2"`),
      script('silent', `${asks}exit 0`),
    ];
    for (const [i, NABLA_CC] of cases.entries()) {
      const outcome = train({ NABLA_CPU: 'native', NABLA_CC }, `cache${i}`);
      expect(outcome.losses).toEqual(wasm.losses);
      expect(outcome.stderr).toMatch(/native tier: not available, WebAssembly goes on: /);
    }
  }, 120_000);
});
