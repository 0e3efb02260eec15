// Settings made by the program itself: in a page there are no environment variables.
// Input: options; they are what the cpu device is made with, and come before the environment. Throws ArgumentError.

import { differsByOne, rememberChoice } from './device/cpu/settings.js';
import { isMade } from './device-registry.js';
import { ArgumentError, DeviceError } from './ir/errors.js';
import { programLimitBytes } from './program-cache.js';
import { programCache } from './program-runs.js';

export interface Configuration {
  /** Threads of the cpu device, 1 to 256. Default: NABLA_THREADS, else the number of cores, at most 8. */
  readonly threads?: number | undefined;
  /** Limit of the cpu device's heap in megabytes (2²⁰ bytes), at most 4096. Default: NABLA_HEAP_MB, else 4096. */
  readonly heapMB?: number | undefined;
  /** About what compiled programs may take, in megabytes. Default: NABLA_PROGRAM_MB, else 128. */
  readonly programMB?: number | undefined;
}

const NAMES = ['threads', 'heapMB', 'programMB'] as const;
const ALLOWED = {
  threads: { isGood: (n: number) => Number.isInteger(n) && n >= 1 && n <= 256, what: 'a whole number from 1 to 256' },
  heapMB: { isGood: (n: number) => n >= 4 && n <= 4096, what: 'a number of megabytes from 4 to 4096' },
  programMB: { isGood: (n: number) => n > 0, what: 'a positive number of megabytes' },
};

/**
 * Settings of this process, page or worker; they come before the environment variables. `threads` and `heapMB` are those that
 * the cpu device is made with: call it before the first tensor, or after `disposeDevices()`. `programMB` may be changed at any
 * time. What is left out stays as it was, `undefined` takes the default back. Each worker has settings of its own.
 * Throws ArgumentError for unknown names and for values out of range, DeviceError where the device is in use already.
 *
 *     configure({ threads: 4, heapMB: 1024 });
 */
export function configure(options: Configuration): void {
  if (typeof options !== 'object' || options === null) {
    throw new ArgumentError(`configure: ${String(options)} is no settings. Pass an object such as { threads: 4 }.`);
  }
  for (const name of Object.keys(options)) checkName(name);
  for (const name of NAMES) checkValue(name, options[name]);
  if (('threads' in options || 'heapMB' in options) && isMade('cpu')) {
    throw new DeviceError(
      'configure: the cpu device is in use already. Set threads and heapMB before the first tensor is made, or after await disposeDevices().',
    );
  }
  rememberChoice(options);
  if ('programMB' in options) programCache().limitBytes = programLimitBytes(options.programMB);
}

function checkName(name: string): void {
  if (NAMES.some((known) => known === name)) return;
  const lower = name.toLowerCase();
  const meant = NAMES.find((known) => differsByOne(lower, known.toLowerCase()) || lower === known.toLowerCase());
  const advice = meant === undefined ? `Settings are ${NAMES.join(', ')}.` : `Did you mean ${meant}?`;
  throw new ArgumentError(`configure: '${name}' is no setting. ${advice}`);
}

function checkValue(name: (typeof NAMES)[number], value: unknown): void {
  const { isGood, what } = ALLOWED[name];
  if (value === undefined || (typeof value === 'number' && isGood(value))) return;
  const shown = typeof value === 'string' ? `'${value}'` : String(value);
  throw new ArgumentError(`configure: ${name} cannot be ${shown}. Pass ${what}.`);
}
