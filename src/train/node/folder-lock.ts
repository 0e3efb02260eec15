// The lock of a folder that one process at a time may write to: a file `lock` in it, which says who has it. A holder that has
// died is recognised by its process (on this machine) or by a lock that nobody has touched for minutes (on another one that
// shares the folder), and its lock is taken over. Whoever writes asks first whether the lock is still its own.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import type { FileHandle } from 'node:fs/promises';
import { NablaError } from '../../tensor/library.js';

const { randomUUID } = process.getBuiltinModule('node:crypto');
const { readFileSync, rmSync } = process.getBuiltinModule('node:fs');
const { mkdir, open, readFile, realpath, rename, rm, stat, utimes, writeFile } =
  process.getBuiltinModule('node:fs/promises');
const { hostname } = process.getBuiltinModule('node:os');
const { join } = process.getBuiltinModule('node:path');

export const LOCK = 'lock';
/** Whoever takes a dead holder's lock over has `lock.turn` meanwhile. */
const TURN = 'turn';
/** A holder touches its lock this often. */
const TOUCH_EVERY_MS = 15_000;
/** On another machine, a lock that was not touched for so long belongs to nobody. */
const ABANDONED_MS = 5 * 60_000;
/** Between making the file and writing into it. */
const UNWRITTEN_MS = 5000;

interface Holder {
  readonly token: string;
  readonly host: string;
  readonly pid: number;
  /** When the process began, as precisely as the system says; a number that is given anew has another. */
  readonly began: string;
}

export class FolderLock {
  private readonly path: string;
  private readonly token: string;
  private readonly timer: NodeJS.Timeout;

  private constructor(path: string, token: string) {
    this.path = path;
    this.token = token;
    this.timer = setInterval(() => {
      const now = new Date();
      utimes(path, now, now).catch(() => {}); // `check` tells if it is gone
    }, TOUCH_EVERY_MS);
    this.timer.unref();
    held.set(path, token);
  }

  /**
   * Takes the lock of a folder, which is made if need be. Throws NablaError if somebody has it; `what` begins the message, such
   * as `Trainer: runs/first`.
   */
  static async take(folder: string, what: string): Promise<FolderLock> {
    await mkdir(folder, { recursive: true });
    const path = join(await realpath(folder), LOCK);
    const holder: Holder = { token: randomUUID(), host: hostname(), pid: process.pid, began: beganOf(process.pid) };
    for (let attempt = 0; attempt < 10; attempt++) {
      const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return undefined;
        throw error;
      });
      if (file !== undefined) {
        await writeHolder(file, path, holder);
        return new FolderLock(path, holder.token);
      }
      const found = await look(path);
      if (found === undefined) continue; // given back a moment ago
      const reason = await inUse(found, path);
      if (reason !== undefined) throw new NablaError(`${what} is in use: ${reason}.`);
      if (await takeOver(path, found.text, holder)) return new FolderLock(path, holder.token);
      await pause(5 + 20 * Math.random()); // somebody else is at it
    }
    throw new NablaError(`${what} is in use: others take its lock again and again. Try again later.`);
  }

  /** Throws NablaError if somebody else has the lock now: after hours without a sign of life, or because it was removed. */
  async check(what: string): Promise<void> {
    if ((await look(this.path))?.holder?.token === this.token) return;
    this.forget();
    throw new NablaError(
      `${what}: the lock of the folder is not ours any more (${this.path}). Another process has taken the folder over; nothing more is written.`,
    );
  }

  async release(): Promise<void> {
    const found = await look(this.path);
    this.forget();
    if (found?.holder?.token === this.token) await rm(this.path, { force: true });
  }

  private forget(): void {
    clearInterval(this.timer);
    held.delete(this.path);
  }
}

/** Locks of this process, by their paths. */
const held = new Map<string, string>();
process.on('exit', () => {
  for (const [path, token] of held) {
    try {
      if ((JSON.parse(readFileSync(path, 'utf8')) as Holder).token === token) rmSync(path, { force: true });
    } catch {
      // it stays behind, as after a crash
    }
  }
});

async function writeHolder(file: FileHandle, path: string, holder: Holder): Promise<void> {
  try {
    await file.writeFile(`${JSON.stringify(holder)}\n`);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

interface Found {
  readonly text: string;
  /** undefined where it is not (yet) written. */
  readonly holder: Holder | undefined;
}

async function look(path: string): Promise<Found | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    return { text, holder: parseHolder(text) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Milliseconds since the lock was last touched, by the clock of the file system, which may differ from ours. */
async function ageOf(path: string): Promise<number> {
  const probe = `${path}.${randomUUID()}`;
  try {
    await writeFile(probe, '');
    const found = await stat(path).catch(() => undefined); // given back: as old as can be
    return found === undefined ? Infinity : (await stat(probe)).mtimeMs - found.mtimeMs;
  } finally {
    await rm(probe, { force: true });
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { token, host, pid, began } = (JSON.parse(text) ?? {}) as Partial<Holder>;
    const isWhole = typeof token === 'string' && typeof host === 'string' && typeof began === 'string';
    return isWhole && Number.isSafeInteger(pid) && (pid ?? 0) > 0 ? { token, host, pid: pid ?? 0, began } : undefined;
  } catch {
    return undefined;
  }
}

/** Who has the lock; undefined if its holder is dead. */
async function inUse({ holder }: Found, path: string): Promise<string | undefined> {
  if (holder === undefined)
    return (await ageOf(path)) < UNWRITTEN_MS ? 'another process is just taking it. Try again' : undefined;
  const { host, pid, token, began } = holder;
  if (host !== hostname()) {
    if ((await ageOf(path)) > ABANDONED_MS) return undefined;
    return `process ${pid} on ${JSON.stringify(host)} writes to it. If that has ended, wait five minutes or remove ${path}`;
  }
  if (pid === process.pid && began === beganOf(pid))
    return held.get(path) === token
      ? 'this process writes to it already'
      : `this process (${pid}) writes to it already`;
  return isAlive(pid) && began === beganOf(pid) ? `process ${pid} writes to it. Wait for it, or end it` : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // somebody else's
  }
}

/** When a process began: on Linux by its record in /proc and the boot it belongs to; elsewhere '', and its number decides. */
function beganOf(pid: number): string {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const ticks = status.slice(status.lastIndexOf(')') + 2).split(' ')[19]; // field 22; the name before may hold anything
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${ticks}`;
  } catch {
    return '';
  }
}

/**
 * Puts our lock in the place of a dead holder's, whose text is given. One at a time does that, or a lock that was just taken over
 * would be taken for the dead one; the lock is never missing meanwhile. False if somebody else is at it, or was.
 */
async function takeOver(path: string, text: string, holder: Holder): Promise<boolean> {
  const turn = `${path}.${TURN}`;
  const file = await open(turn, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  });
  if (file === undefined) {
    if ((await ageOf(turn)) > UNWRITTEN_MS) await rm(turn, { force: true }); // of one that died at it
    return false;
  }
  await file.close();
  const own = `${path}.${holder.token}`;
  try {
    if ((await look(path))?.text !== text) return false;
    await writeFile(own, `${JSON.stringify(holder)}\n`);
    await rename(own, path);
    return true;
  } finally {
    await rm(own, { force: true });
    await rm(turn, { force: true });
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Names that a process which dies may leave behind: the lock itself, and files of a moment beside it. */
export function isOfLock(name: string): boolean {
  return name === LOCK || name === `${LOCK}.${TURN}` || /^lock\.[0-9a-f-]{36}$/.test(name);
}
