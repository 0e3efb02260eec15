// The C compiler and what it compiles for. One question to the compiler (its predefined macros) says which vector
// instructions there are, and identifies compiler, version and processor for the cache.
// Input: the environment. Output: a Toolchain, or the reason why there is none.

import { CPU_TARGETS, type Target } from '../../../loop/target.js';
import { SUPERVISOR } from './supervisor.js';

export interface Toolchain {
  readonly command: string;
  readonly flags: readonly string[];
  readonly target: Target;
  /** Changes with the compiler, its version and the processor. */
  readonly identity: string;
}

/** How long anything that the compiler does may take. */
export const COMPILER_TIMEOUT_MS = 60_000;
/** How long it may take to say what it is, which the caller waits for. */
const QUESTION_TIMEOUT_MS = 3000;

// Chosen one by one. Not -ffast-math: NaN and infinity keep their meaning, sums keep their order.
const FLAGS = [
  '-O2',
  '-march=native',
  '-std=gnu11',
  '-fPIC',
  '-shared',
  '-fwrapv', // integers wrap, as in WebAssembly
  '-fno-strict-aliasing', // an arena holds floats, then integers
  '-fno-math-errno', // sqrt is one instruction
  '-fno-trapping-math', // both sides of a selection may be computed
  '-fno-gcse', // the emitter has shared what can be; more of it takes the registers of accumulators
  '-ffp-contract=off', // x − n·m rounds twice, as in WebAssembly: where one rounding is meant, the emitter says fma
];

export function findToolchain(process: NodeJS.Process): Toolchain | string {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const wanted = process.env['NABLA_CC'];
  const candidates = wanted === undefined || wanted === '' ? ['cc', 'gcc', 'clang'] : [wanted];
  const options = {
    input: '',
    encoding: 'utf8' as const,
    timeout: QUESTION_TIMEOUT_MS,
    stdio: new Array<'pipe'>(4).fill('pipe'),
    detached: true, // see supervisor.ts
  };
  let reason = '';
  for (const command of candidates) {
    const [shell, ...words] = [...SUPERVISOR, '', command, ...FLAGS, '-dM', '-E', '-x', 'c', '-'];
    const { status, stdout, stderr, error } = spawnSync(shell, words, options);
    if (status === 0 && stdout.includes('__VERSION__')) {
      const has = (macro: string) => stdout.includes(`#define ${macro} `);
      const found = CPU_TARGETS.find(({ macros }) => macros.every(has));
      if (found !== undefined) {
        const target = { ...found, l2Bytes: secondLevelCache(process) ?? found.l2Bytes };
        return { command, flags: [...FLAGS, ...(found.flags ?? [])], target, identity: `${command}\n${stdout}` };
      }
      reason = `${command} compiles for a processor without vectors`;
    } else reason = `${command}: ${error?.message ?? (stderr.trim().split('\n')[0] || `exit ${status}`)}`;
  }
  return reason;
}

/** Bytes of the first core's second-level cache, where the system says so: Linux does. */
function secondLevelCache(process: NodeJS.Process): number | undefined {
  const fs = process.getBuiltinModule('node:fs');
  try {
    const text = fs.readFileSync('/sys/devices/system/cpu/cpu0/cache/index2/size', 'utf8');
    const kibibytes = /^(\d+)K$/.exec(text.trim())?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) << 10;
  } catch {
    return undefined; // another system
  }
}
