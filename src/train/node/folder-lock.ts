// The lock of a folder that one process at a time may write to: a file `lock` in it, which says who has it. A holder that has
// died is recognised by its process (on this machine) or by a lock that nobody has touched for minutes (on another one that
// shares the folder), and its lock is taken over. Whoever writes asks first whether the lock is still its own.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import { NablaError } from '../../tensor/library.js';

const { randomUUID } = process.getBuiltinModule('node:crypto');
const { readFileSync, rmSync } = process.getBuiltinModule('node:fs');
const { link, mkdir, readFile, realpath, rename, rm, stat, utimes, writeFile } =
  process.getBuiltinModule('node:fs/promises');
const { hostname } = process.getBuiltinModule('node:os');
const { join } = process.getBuiltinModule('node:path');

export const LOCK = 'lock';
/** `lock.after.TOKEN` names who takes over from the dead holder TOKEN: one of all that want to. */
const AFTER = 'after';
/** A holder touches its lock this often. */
const TOUCH_EVERY_MS = 15_000;
/** On another machine, a lock that was not touched for so long belongs to nobody. */
const ABANDONED_MS = 5 * 60_000;
/** Between making a file and writing into it, where a file system cannot do both at once. */
const UNWRITTEN_MS = 5000;
/** A take-over lasts milliseconds; who finds one going on waits for so long. */
const PATIENCE_MS = UNWRITTEN_MS + 1000;

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
    for (const start = performance.now(); performance.now() - start < PATIENCE_MS;) {
      if (await createWhole(path, holder)) return new FolderLock(path, holder.token);
      const found = await look(path);
      if (found === undefined) continue; // given back a moment ago
      const reason = await inUse(found, path);
      if (reason !== undefined) throw new NablaError(`${what} is in use: ${reason}.`);
      if (await takeOver(path, found, holder)) return new FolderLock(path, holder.token);
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

/**
 * Makes a file that names us, unless it is there (false). It is never seen without its text, however suddenly this process
 * ends: a link to a file that was written before.
 */
async function createWhole(path: string, holder: Holder): Promise<boolean> {
  const text = `${JSON.stringify(holder)}\n`;
  const own = `${path}.${randomUUID()}`;
  try {
    await writeFile(own, text);
    await link(own, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw error;
      return writeFile(path, text, { flag: 'wx' }); // a file system without links
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(own, { force: true });
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
    // the token becomes part of a file's name
    const isWhole =
      typeof token === 'string' && /^[\w-]{1,64}$/.test(token) && typeof host === 'string' && typeof began === 'string';
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
 * Puts our lock in the place of a dead holder's, which was found. One alone succeeds a holder, or a lock that was just taken over
 * would be taken for the dead one; the lock is never missing meanwhile. Who dies while taking over is succeeded in turn.
 * False if somebody else is at it, or was.
 */
async function takeOver(path: string, { text, holder: dead }: Found, holder: Holder): Promise<boolean> {
  const claims: string[] = [];
  for (let before = dead?.token ?? 'unwritten'; ;) {
    const claim = `${path}.${AFTER}.${before}`;
    claims.push(claim);
    if (await createWhole(claim, holder)) break;
    const other = await look(claim);
    if (other === undefined || (await inUse(other, claim)) !== undefined) return false;
    if (other.holder === undefined) {
      await rm(claim, { force: true }); // of one that died between making and writing it
      return false;
    }
    before = other.holder.token;
  }
  if ((await look(path))?.text !== text) {
    await rm(claims[claims.length - 1], { force: true });
    return false;
  }
  const own = `${path}.${holder.token}`;
  try {
    await writeFile(own, `${JSON.stringify(holder)}\n`);
    await rename(own, path);
    return true;
  } finally {
    for (const leftover of [own, ...claims]) await rm(leftover, { force: true });
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Names that a process which dies may leave behind: the lock itself, and files of a moment beside it. */
export function isOfLock(name: string): boolean {
  return name === LOCK || /^lock\.(?:after\.[\w-]{1,64}|[0-9a-f-]{36})(?:\.[0-9a-f-]{36})?$/.test(name);
}
