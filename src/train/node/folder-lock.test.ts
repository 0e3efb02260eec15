// One writer to a folder: refusals, locks of dead processes, and what happens to a holder who was taken for dead.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NablaError } from '../../tensor/library.js';
import { FolderLock, isOfLock } from './folder-lock.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const take = () => FolderLock.take(folder, 'Trainer: runs/a');
const held = () =>
  JSON.parse(readFileSync(path, 'utf8')) as { token: string; pid: number; host: string; began: string };

test('a folder has one holder, and is free again when that gives it back', async () => {
  const lock = await take();
  await expect(take()).rejects.toThrow(/^Trainer: runs\/a is in use: this process writes to it already\.$/);
  await expect(take()).rejects.toBeInstanceOf(NablaError);
  await lock.check('x');
  await lock.release();
  expect(readdirSync(folder)).toEqual([]);
  const again = await take();
  await again.release();
});

test('of many that ask at once, one gets it, also where a dead one left a lock', async () => {
  for (const leftBehind of [undefined, '{"token":"t","host":"', '']) {
    if (leftBehind !== undefined) {
      writeFileSync(path, leftBehind);
      utimesSync(path, 1, 1);
    }
    const results = await Promise.allSettled(Array.from({ length: 8 }, take));
    const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(locks).toHaveLength(1);
    await locks[0].check('x');
    await locks[0].release();
    expect(readdirSync(folder)).toEqual([]);
  }
});

test('the lock of a process that was killed is taken over, that of one that lives is not', async () => {
  const child: ChildProcess = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const mine = await take();
  const { began } = held();
  await mine.release();
  const stat = process.platform === 'linux' ? readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ')[21] : '';
  const theirs = { token: 't', host: hostname(), pid: child.pid, began: began.replace(/\d+$/, stat) };
  writeFileSync(path, JSON.stringify(theirs));
  await expect(take()).rejects.toThrow(new RegExp(`in use: process ${child.pid} writes to it`));
  if (process.platform === 'linux') {
    // another process that got the same number
    writeFileSync(path, JSON.stringify({ ...theirs, began: began.replace(/\d+$/, '1') }));
    await (await take()).release();
    writeFileSync(
      path,
      JSON.stringify({ ...theirs, pid: process.pid, began: 'before this container was started anew' }),
    );
    await (await take()).release();
  }
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  writeFileSync(path, JSON.stringify(theirs));
  const lock = await take();
  expect(held().pid).toBe(process.pid);
  await lock.release();
});

test('who was killed while taking over is succeeded in turn', async () => {
  const dead = (token: string) => JSON.stringify({ token, host: hostname(), pid: 2 ** 22 - 1, began: 'before' });
  writeFileSync(path, dead('a'));
  writeFileSync(`${path}.after.a`, dead('b'));
  writeFileSync(`${path}.after.b`, dead('c'));
  const results = await Promise.allSettled(Array.from({ length: 4 }, take));
  const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  expect(locks).toHaveLength(1);
  expect(readdirSync(folder).every(isOfLock)).toBe(true);
  await locks[0].release();
  expect(readdirSync(folder)).toEqual([]);
});

test('a token that would lead to another folder is none', async () => {
  writeFileSync(path, JSON.stringify({ token: '../../x', host: hostname(), pid: 2 ** 22 - 1, began: 'before' }));
  await expect(take()).rejects.toThrow('another process is just taking it');
});

test('on another machine, a sign of life within minutes counts', async () => {
  writeFileSync(path, JSON.stringify({ token: 't', host: 'else\u001bwhere', pid: 7, began: '' }));
  await expect(take()).rejects.toThrow(/process 7 on "else\\u001bwhere" writes to it.*remove .*lock/);
  utimesSync(path, Date.now() / 1000 - 600, Date.now() / 1000 - 600);
  const lock = await take();
  await lock.release();
});

test('who was taken for dead notices before writing, and does not take the lock away from its new holder', async () => {
  const lock = await take();
  writeFileSync(path, JSON.stringify({ ...held(), token: 'other' }));
  await expect(lock.check('Trainer: runs/a')).rejects.toThrow(/not ours any more.*nothing more is written/);
  await lock.release();
  expect(existsSync(path)).toBe(true);
});

const built = new URL('../../../dist/internals.js', import.meta.url);

test.skipIf(!existsSync(built))('the process takes its locks with it when it ends (needs npm run build)', () => {
  const code = `const { FolderLock } = await import(${JSON.stringify(built.href)}); await FolderLock.take(${JSON.stringify(folder)}, 'x'); process.exit(0);`;
  expect(spawnSync(process.execPath, ['--input-type=module', '-e', code]).status).toBe(0);
  expect(readdirSync(folder)).toEqual([]);
});

test('names of the lock', () => {
  const id = '0b0e7e7a-9a3c-4a53-8f49-0d3b7ee2a6a1';
  expect(['lock', `lock.${id}`, `lock.after.${id}`, `lock.after.${id}.${id}`].every(isOfLock)).toBe(true);
  expect(['lock.txt', 'locks', 'my.lock'].some(isOfLock)).toBe(false);
});
