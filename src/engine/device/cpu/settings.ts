// What the program (`configure`) and the environment say about the CPU device. A variable that is set and means nothing is refused when the device is made,
// with the values that it may have: a misspelt setting would otherwise be a slow or a different run that nobody notices.
// Input: names and texts. Output: settings; throws ArgumentError.

import { ArgumentError } from '../../ir/errors.js';
import { nodeProcess } from './native/host.js';
import type { Platform } from './platform/platform.js';

const MAX_DEFAULT_THREADS = 8;
const MAX_THREADS = 256;
const MAX_HEAP_MB = 4096; // all that a 32-bit address reaches

/** `wasm` never, `native` before the first run, `auto` in the background once a program is hot. */
export type TierMode = 'wasm' | 'native' | 'auto';

const TIERS: readonly TierMode[] = ['auto', 'wasm', 'native'];

/** All variables that nabla reads. */
export const VARIABLES = [
  'NABLA_CPU',
  'NABLA_THREADS',
  'NABLA_HEAP_MB',
  'NABLA_CC',
  'NABLA_CACHE_DIR',
  'NABLA_DATA',
  'NABLA_DEBUG',
  'NABLA_CHECK_CAPTURE',
  'NABLA_PROGRAM_MB',
  'NABLA_PROGRAM_CACHE',
] as const;

interface Choice {
  threads: number | undefined;
  heapMB: number | undefined;
}

/** What the program has chosen, already checked. */
const choice: Choice = { threads: undefined, heapMB: undefined };

/** For devices made from now on; what is left out stays. */
export function rememberChoice(options: Partial<Choice>): void {
  if ('threads' in options) choice.threads = options.threads;
  if ('heapMB' in options) choice.heapMB = options.heapMB;
}

/** An empty variable counts as none: that is how a shell takes one back for a single command. */
function variable(platform: Platform, name: (typeof VARIABLES)[number]): string | undefined {
  const value = platform.environment(name);
  return value === '' ? undefined : value;
}

export function chooseTier(option: TierMode | undefined, platform: Platform): TierMode {
  const value = option ?? variable(platform, 'NABLA_CPU') ?? 'auto';
  const tier = TIERS.find((t) => t === value);
  if (tier !== undefined) return tier;
  throw new ArgumentError(
    `cpu: '${value}' is no tier. Set NABLA_CPU to ${TIERS.join(', ')}, or leave it unset (auto).`,
  );
}

/** Whether compiled programs are kept on disk for other processes. */
export function keepsPrograms(platform: Platform): boolean {
  const value = variable(platform, 'NABLA_PROGRAM_CACHE') ?? 'on';
  if (value === 'on' || value === 'off') return value === 'on';
  throw new ArgumentError(
    `cpu: NABLA_PROGRAM_CACHE cannot be '${value}'. Set it to on or off, or leave it unset (on).`,
  );
}

export function chooseThreads(option: number | undefined, platform: Platform): number {
  const value = variable(platform, 'NABLA_THREADS');
  const threads =
    option ?? choice.threads ?? (value === undefined ? Math.min(platform.cores, MAX_DEFAULT_THREADS) : decimal(value));
  if (Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS) return threads;
  throw new ArgumentError(
    `cpu: ${option ?? value} is no number of threads. Set threads or NABLA_THREADS to 1 … ${MAX_THREADS}.`,
  );
}

/** In bytes; undefined: as much as there is. */
export function chooseHeapLimit(option: number | undefined, platform: Platform): number | undefined {
  if (option === undefined && choice.heapMB !== undefined) return choice.heapMB * 2 ** 20;
  const value = variable(platform, 'NABLA_HEAP_MB');
  if (option === undefined && value === undefined) return undefined;
  const bytes = option ?? decimal(value!) * 2 ** 20;
  if (bytes > 0 && (option !== undefined || bytes <= MAX_HEAP_MB * 2 ** 20)) return bytes;
  throw new ArgumentError(
    `cpu: ${option ?? value} is no size of a heap. Set heapBytes or NABLA_HEAP_MB to a positive number` +
      `${option === undefined ? ` of megabytes, at most ${MAX_HEAP_MB}` : ''}.`,
  );
}

/** A number as people write one; NaN for '0x10', '1e3', 'Infinity' and whatever else JavaScript would take for one. */
function decimal(text: string): number {
  return /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN;
}

/** What the native tier is told: a compiler that is there, a folder that is one. Checked without starting anything. */
export function checkNativeSettings(platform: Platform): void {
  const process = nodeProcess();
  if (process === undefined) return;
  const fs = process.getBuiltinModule('node:fs');
  const { delimiter, join, resolve } = process.getBuiltinModule('node:path');
  const compiler = variable(platform, 'NABLA_CC');
  if (compiler !== undefined) {
    const folders = /[/\\]/.test(compiler) ? [''] : (process.env['PATH'] ?? '').split(delimiter);
    if (!folders.some((folder) => isCommand(join(folder, compiler)))) {
      throw new ArgumentError(
        `cpu: there is no command '${compiler}'. Set NABLA_CC to a C compiler (cc, gcc, clang or a path, without options), or leave it unset.`,
      );
    }
  }
  const folder = variable(platform, 'NABLA_CACHE_DIR');
  if (folder !== undefined && fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new ArgumentError(`cpu: ${resolve(folder)} is no folder. Set NABLA_CACHE_DIR to one, or leave it unset.`);
  }

  function isCommand(path: string): boolean {
    try {
      fs.accessSync(path, fs.constants.X_OK);
      return fs.statSync(path).isFile();
    } catch {
      return false;
    }
  }
}

let isNamed = false;

/** Says once which variables are probably meant to be one of ours. They are not refused: they may be somebody else's. */
export function warnOfMisspeltNames(names: readonly string[], warn: (line: string) => void): void {
  if (isNamed) return;
  isNamed = true;
  for (const line of describeMisspeltNames(names)) warn(line);
}

export function describeMisspeltNames(names: readonly string[]): string[] {
  const known: readonly string[] = VARIABLES;
  return names
    .filter((name) => /^NABLA_/i.test(name) && !known.includes(name))
    .flatMap((name) => {
      const meant = known.find((k) => differsByOne(name.toUpperCase(), k) || name.toUpperCase() === k);
      return meant === undefined ? [] : [`nabla: ${name} is no setting and changes nothing. Did you mean ${meant}?`];
    });
}

/** Whether one letter more, less, other, or two neighbours exchanged, make `a` of `b`. */
export function differsByOne(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  let i = 0;
  while (i < short.length && short[i] === long[i]) i++;
  if (short.length !== long.length) return short.slice(i) === long.slice(i + 1);
  const isExchanged = short[i] === long[i + 1] && short[i + 1] === long[i];
  return short.slice(i + 1) === long.slice(i + 1) || (isExchanged && short.slice(i + 2) === long.slice(i + 2));
}
