// Settings from the environment: what is accepted, and that everything else is refused in words that name what may stand there.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { ArgumentError, DeviceError } from '../../ir/errors.js';
import { debugLevel } from '../debug.js';
import { CpuDevice } from './device.js';
import { refuseWebAssembly } from './native/twin.js';
import { detectPlatform } from './platform/detect-platform.js';
import type { Platform } from './platform/platform.js';
import { checkNativeSettings, chooseHeapLimit, chooseThreads, chooseTier, describeMisspeltNames } from './settings.js';

const folder = mkdtempSync(join(tmpdir(), 'nabla-settings-'));
const file = join(folder, 'file');
writeFileSync(file, '');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

const withVariables = (variables: Record<string, string>): Platform => ({
  ...detectPlatform(),
  cores: 16,
  environment: (name) => variables[name],
});

/** Refused by ArgumentError, with the value and what to do. */
function expectRefused(work: () => unknown, ...parts: string[]): void {
  expect(work).toThrow(ArgumentError);
  for (const part of parts) expect(work).toThrow(part);
}

describe('NABLA_CPU', () => {
  const tier = (value: string) => chooseTier(undefined, withVariables({ NABLA_CPU: value }));
  test('auto, wasm, native; empty is unset; an option comes first', () => {
    expect(['auto', 'wasm', 'native', ''].map(tier)).toEqual(['auto', 'wasm', 'native', 'auto']);
    expect(chooseTier(undefined, withVariables({}))).toBe('auto');
    expect(chooseTier('wasm', withVariables({ NABLA_CPU: 'native' }))).toBe('wasm');
  });
  test.each(['WASM', 'Native', 'wasm ', 'webassembly', 'cpu', '1', 'constructor'])("'%s' is refused", (value) =>
    expectRefused(() => tier(value), `cpu: '${value}' is no tier. Set NABLA_CPU to auto, wasm, native`),
  );
});

describe('NABLA_THREADS', () => {
  const threads = (value: string) => chooseThreads(undefined, withVariables({ NABLA_THREADS: value }));
  test('1 to 256; empty is unset: the cores, at most 8', () => {
    expect(['1', '256', ''].map(threads)).toEqual([1, 256, 8]);
  });
  test.each(['0', '257', '-1', '1.5', 'two', '0x2', '1e1', 'all', 'NaN', 'Infinity'])("'%s' is refused", (value) =>
    expectRefused(
      () => threads(value),
      `cpu: ${value} is no number of threads. Set threads or NABLA_THREADS to 1 … 256.`,
    ),
  );
});

describe('NABLA_HEAP_MB', () => {
  const limit = (value: string) => chooseHeapLimit(undefined, withVariables({ NABLA_HEAP_MB: value }));
  test('megabytes; empty is unset', () => {
    expect(['64', '0.5', '4096', ''].map(limit)).toEqual([64 << 20, 1 << 19, 2 ** 32, undefined]);
  });
  test.each(['0', '-64', '5000', '512MB', '1e3', 'Infinity', 'NaN'])("'%s' is refused", (value) =>
    expectRefused(() => limit(value), `cpu: ${value} is no size of a heap.`, 'NABLA_HEAP_MB', 'at most 4096.'),
  );
});

describe('NABLA_DEBUG', () => {
  test('0 to 4; empty is unset', () => {
    for (const [text, level] of [
      ['', 0],
      ['0', 0],
      ['2', 2],
      ['4', 4],
    ] as const) {
      vi.stubEnv('NABLA_DEBUG', text);
      expect(debugLevel()).toBe(level);
    }
  });
  test.each(['yes', 'true', '5', '-1', '1.5', ' '])("'%s' is refused, each time", (text) => {
    vi.stubEnv('NABLA_DEBUG', text);
    for (let i = 0; i < 2; i++)
      expectRefused(debugLevel, `debug: '${text}' is no level. Set NABLA_DEBUG to 0, 1, 2, 3 or 4`);
  });
});

describe('NABLA_CC and NABLA_CACHE_DIR', () => {
  const check = (variables: Record<string, string>) => checkNativeSettings(withVariables(variables));
  test('a command by name or path, a folder that is there or will be', () => {
    check({});
    check({ NABLA_CC: '', NABLA_CACHE_DIR: '' });
    check({ NABLA_CC: process.execPath, NABLA_CACHE_DIR: folder });
    check({ NABLA_CACHE_DIR: join(folder, 'later', 'still') });
    vi.stubEnv('PATH', join(process.execPath, '..'));
    check({ NABLA_CC: 'node' });
  });
  test.each(['gccc', '/nowhere/cc', 'cc -O3', file, folder])("'%s' is no command", (NABLA_CC) =>
    expectRefused(() => check({ NABLA_CC }), `cpu: there is no command '${NABLA_CC}'. Set NABLA_CC to a C compiler`),
  );
  test('a file is no cache folder', () =>
    expectRefused(() => check({ NABLA_CACHE_DIR: file }), `cpu: ${file} is no folder. Set NABLA_CACHE_DIR to one`));
});

test('a device is not made with settings that mean nothing, and none of its threads is started', () => {
  vi.stubEnv('NABLA_CPU', 'WASM');
  expectRefused(() => new CpuDevice(), "cpu: 'WASM' is no tier.");
  vi.stubEnv('NABLA_CPU', 'native');
  vi.stubEnv('NABLA_CC', 'gccc');
  expectRefused(() => new CpuDevice(), "there is no command 'gccc'");
  vi.stubEnv('NABLA_CPU', 'wasm'); // asks no compiler, so whatever is said about one is of no matter
  expect(new CpuDevice({ threads: 1 }).details()['tier']).toBe('WebAssembly');
});

test('native code alone is refused with its reason', () => {
  expect(refuseWebAssembly('there is no C compiler')).toBeInstanceOf(DeviceError);
  expect(refuseWebAssembly('there is no C compiler').message).toMatch(
    /^cpu: NABLA_CPU=native wants native code alone, and there is no C compiler\. Install gcc or clang .* or set NABLA_CPU to auto/,
  );
});

test('names that are one letter off are named, others are nobody’s business', () => {
  const names = [
    'NABLA_CPU',
    'NABLA_THREAD',
    'NABLA_TRHEADS',
    'NABLA_DEBUGG',
    'nabla_cpu',
    'NABLA_PROJECT',
    'PATH',
    'NABLA_',
  ];
  expect(describeMisspeltNames(names)).toEqual([
    'nabla: NABLA_THREAD is no setting and changes nothing. Did you mean NABLA_THREADS?',
    'nabla: NABLA_TRHEADS is no setting and changes nothing. Did you mean NABLA_THREADS?',
    'nabla: NABLA_DEBUGG is no setting and changes nothing. Did you mean NABLA_DEBUG?',
    'nabla: nabla_cpu is no setting and changes nothing. Did you mean NABLA_CPU?',
  ]);
});
