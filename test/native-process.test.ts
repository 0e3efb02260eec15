// The compiler of the native tier ends with the process that called it, and nobody waits for it: however the process ends, and
// whatever the compiler is doing. A compiler that never ends writes to a file again and again, so that one can see it live.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
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
  folder = mkdtempSync(join(tmpdir(), 'nabla-native-process-'));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Computes until the compiler is at work (in the background), then does `end`. */
const program = (end: string): string => `
  import { existsSync } from 'node:fs';
  import { tensor } from 'nabla';
  const x = tensor(new Float32Array(1 << 20));
  while (!existsSync(process.env.SIGN)) await x.sin().sum().item();
  console.log('at work');
  ${end}
`;

/** Answers the question what it is, then does \`work\`; $out is the file that it was to write. */
function compiler(name: string, work: string): string {
  const file = join(folder, name);
  const text = `#!/bin/sh
case "$*" in *-dM*) exec cc "$@";; esac
for word; do case $last in -o) out=$word;; esac; last=$word; done
${work}
`;
  writeFileSync(file, text);
  chmodSync(file, 0o700);
  return file;
}

const HANGS = `echo part > "$out"; while :; do echo >> "$SIGN"; sleep 0.05; done`;

function start(name: string, work: string, end: string, options: { detached?: boolean } = {}): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', program(end)], {
    cwd: root,
    env: {
      ...process.env,
      NABLA_CPU: 'auto',
      NABLA_CC: compiler(name, work),
      NABLA_CACHE_DIR: join(folder, `cache-${name}`),
      SIGN: join(folder, `sign-${name}`),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });
}

/** Waits until a process has written a text. */
async function saying(child: ChildProcess, wanted: string): Promise<void> {
  for (let text = ''; !text.includes(wanted);) text += ((await once(child.stdout!, 'data')) as [Buffer])[0].toString();
}

/** Waits until the file of a compiler grows no longer. */
async function expectDeath(name: string): Promise<void> {
  const sign = join(folder, `sign-${name}`);
  const end = Date.now() + 15_000;
  for (let size = -1; Date.now() < end; await pause(1000)) {
    const now = statSync(sign).size;
    if (now === size) return;
    size = now;
  }
  expect.fail('the compiler lives on');
}

/** Files that the compiler has left in the cache, wherever in it. */
const leftovers = (name: string): string[] =>
  readdirSync(join(folder, `cache-${name}`, 'nabla-native'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);

/** What the compiler has left is removed a second after its end. */
async function expectEmpty(name: string, ending = ''): Promise<void> {
  const left = (): string[] => leftovers(name).filter((file) => file.endsWith(ending));
  for (let i = 0; i < 100 && left().length > 0; i++) await pause(100);
  expect(left()).toEqual([]);
}

describe.skipIf(reason !== undefined)(`with a compiler${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  test.concurrent.each([
    ['ends by itself', '', 0],
    ['calls process.exit', 'process.exit(7);', 7],
    ['throws', "process.on('uncaughtException', () => process.exit(8)); throw new Error('on purpose');", 8],
    ['is killed', "process.kill(process.pid, 'SIGKILL');", 'SIGKILL'],
    [
      'is interrupted',
      "process.kill(process.pid, 'SIGINT'); await new Promise(() => setInterval(() => {}, 1000));",
      'SIGINT',
    ],
    [
      'handles a signal',
      "process.on('SIGTERM', () => process.exit(9)); process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000);",
      9,
    ],
  ])(
    'a process that %s does not wait for a hanging compiler, which ends, too',
    async (how, end, outcome) => {
      const name = how.replaceAll(' ', '-');
      const child = start(name, `trap '' INT HUP; ${HANGS}`, end);
      await once(child.stdout!, 'data');
      const begin = Date.now();
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      expect(code ?? signal).toBe(outcome);
      expect(Date.now() - begin).toBeLessThan(10_000); // and not a minute
      await expectDeath(name);
      await expectEmpty(name);
    },
    60_000,
  );

  test.concurrent('a compiler that ignores signals, and its own children, end as well', async () => {
    const child = start('stubborn', `trap '' INT HUP TERM; (${HANGS}) & wait`, 'process.exit(0);');
    await once(child, 'exit');
    await expectDeath('stubborn');
    await expectEmpty('stubborn');
  }, 60_000);

  test.concurrent('Ctrl-C, which goes to all processes of a terminal, leaves the compiler to a process that goes on', async () => {
    const child = start(
      'typed',
      HANGS,
      "process.on('SIGINT', () => console.log('goes on')); console.log('ready'); setTimeout(() => process.exit(0), 3000);",
      { detached: true },
    );
    const sign = join(folder, 'sign-typed');
    await saying(child, 'ready');
    process.kill(-child.pid!, 'SIGINT');
    await saying(child, 'goes on');
    const { size } = statSync(sign);
    await pause(1000);
    expect(statSync(sign).size).toBeGreaterThan(size);
    await once(child, 'exit');
    await expectDeath('typed');
  }, 60_000);

  test.concurrent('what hangs in its trial ends with the process', async () => {
    const hang =
      '__attribute__((constructor)) static void hang(void) { for (;;) { FILE *f = fopen(getenv("SIGN"), "a"); fputs("x", f); fclose(f); struct timespec t = {0, 50000000}; nanosleep(&t, 0); } }';
    const header = join(folder, 'hang.h');
    writeFileSync(header, `#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\n${hang}\n`);
    const work = `case "$*" in *-shared*) exec cc "$@" -include ${header};; *) exec cc "$@";; esac`;
    const child = start('trial', work, '');
    const begin = once(child.stdout!, 'data').then(() => Date.now());
    await once(child, 'exit');
    expect(Date.now() - (await begin)).toBeLessThan(10_000);
    await expectDeath('trial');
    await expectEmpty('trial', '.tmp');
  }, 60_000);

  test.concurrent('a compiler that does not say what it is ends with a process that is killed while it asks', async () => {
    const sign = join(folder, 'sign-silent');
    const file = join(folder, 'silent');
    writeFileSync(file, `#!/bin/sh\nwhile :; do echo >> ${sign}; sleep 0.05; done\n`, { mode: 0o700 });
    const child = spawn(process.execPath, ['--input-type=module', '-e', program('')], {
      cwd: root,
      env: {
        ...process.env,
        NABLA_CPU: 'auto',
        NABLA_CC: file,
        NABLA_CACHE_DIR: join(folder, 'cache-silent'),
        SIGN: 'none',
      },
      stdio: 'ignore',
    });
    while (!existsSync(sign)) await pause(50);
    child.kill('SIGINT');
    await once(child, 'exit');
    await expectDeath('silent');
  }, 60_000);
});
