// The compiling thread with compilers that do not come back, called directly so that the time limit can be short.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ANSWER_BYTES, type CompileJob, serveCompiler } from './compile-worker.js';
import { SUPERVISOR } from './supervisor.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-compile-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Word 0 of the answer and its text. */
async function serve(job: Partial<CompileJob>): Promise<[number, string]> {
  let listener: ((job: CompileJob) => unknown) | undefined;
  serveCompiler({ on: (_, heard) => (listener = heard) }, process.getBuiltinModule, process, SUPERVISOR);
  const answer = new SharedArrayBuffer(ANSWER_BYTES);
  const limits = { timeout: 200, mostBytes: 1 << 20 };
  const files = { folder, key: 'key', suffix: '.so' };
  await listener?.({ command: 'cc', flags: [], source: '', ...limits, ...files, answer, ...job });
  const [state, length] = new Int32Array(answer, 0, 2);
  return [state, new TextDecoder().decode(new Uint8Array(answer, 8, length).slice())];
}

function script(text: string): string {
  const file = join(folder, 'script');
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o700);
  return file;
}

test.skipIf(process.platform === 'win32')('a compiler that hangs is stopped, and leaves nothing behind', async () => {
  const [state, text] = await serve({ command: script('exec sleep 60') });
  expect([state, text]).toEqual([2, 'it does not end']);
  expect(readdirSync(folder)).toEqual(['script']);
});

test.skipIf(process.platform === 'win32')('what does not end in its trial is not published', async () => {
  const program = new SharedArrayBuffer(ANSWER_BYTES);
  const path = new TextEncoder().encode(script('exec sleep 60'));
  new Uint8Array(program, 8).set(path);
  new Int32Array(program).set([1, path.length]);
  const compiler = join(folder, 'compiler');
  writeFileSync(compiler, '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done; : > "$2"\n', { mode: 0o700 });
  const [state, text] = await serve({ command: compiler, trial: { program, words: new Uint32Array(0) } });
  expect([state, text]).toEqual([2, 'what it made does not end in its trial']);
  expect(readdirSync(folder).sort()).toEqual(['compiler', 'script']);
});

test.skipIf(process.platform === 'win32')(
  'a full cache loses its own oldest files, and nobody else loses anything',
  async () => {
    const compiler = script('while [ "$1" != -o ]; do shift; done; echo code > "$2"');
    const digits = (digit: string, count: number) => digit.repeat(count);
    const put = (name: string, age: number) => {
      const file = join(folder, name);
      writeFileSync(file, 'x'.repeat(1000));
      utimesSync(file, Date.now() / 1000 - age, Date.now() / 1000 - age);
      return name;
    };
    const oldest = put(`${digits('a', 32)}-${digits('0', 64)}.so`, 3000);
    const killed = put(`${digits('b', 32)}.123-4.tmp`, 2000);
    const newest = put(`${digits('c', 32)}-${digits('0', 64)}.run`, 100);
    const foreign = ['thesis.tar', 'libc.so', `${digits('d', 32)}-notes.so`, `${digits('e', 32)}.tmp`, '.profile'];
    for (const name of foreign) put(name, 9000);
    mkdirSync(join(folder, `${digits('f', 32)}-${digits('0', 64)}.so`)); // called as one of the cache, and none
    symlinkSync('thesis.tar', join(folder, `${digits('9', 32)}-${digits('0', 64)}.so`));
    const [state] = await serve({ command: compiler, key: digits('1', 32), mostBytes: 1010 });
    expect(state).toBe(1);
    const left = readdirSync(folder);
    expect(left).toEqual(expect.arrayContaining([...foreign, newest]));
    expect(left).not.toContain(oldest);
    expect(left).not.toContain(killed);
    expect(left.length).toBe(foreign.length + 5); // the script, the new file, the newest, the folder and the link
  },
);
