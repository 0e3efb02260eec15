// The persistent cache: what graphs have become in other processes, in files. A command that starts anew, a server, the next worker
// then neither plans nor lowers nor prints what has been compiled before, which is most of the time to a first result.
//
// A file is called as the digest of all that its contents depend on (the graph's text, the options, the sources of the engine), and
// begins with the digest of the rest; one that does not match is removed and never read. Files appear by renaming, so processes may
// share the folder, which is nabla's own (native/cache.ts). Whatever goes wrong means compiling, with one line at NABLA_DEBUG=1.
// Input: keys and plain data. Output: the data. It must not know what they are.

import { debug } from '../../debug.js';
import { cacheFolder } from '../native/cache.js';

/** A digest of the engine's sources, which the build puts in; code that nobody has built (a watch, a bundler's own way) keeps nothing. */
declare const NABLA_ENGINE_DIGEST: string | undefined;

const DIGEST_BYTES = 32;
/** A program takes some tens of kilobytes. What is larger than this is none of ours, or takes longer to read than to make. */
const MOST_BYTES = 32 << 20;
const FILE = /^[0-9a-f]{64}\.program$/;
const TEMPORARY = /^[0-9a-f]{64}\.\d+-\d+\.tmp$/;
/** A writer that has not renamed its file after so long was killed. */
const ABANDONED_MS = 60 * 60 * 1000;

export interface PersistentCacheOptions {
  /** Bytes that the files may take together; those used longest ago go first. */
  readonly limitBytes?: number;
  /** What the contents depend on besides what each key says. */
  readonly identity?: string | undefined;
}

export class PersistentCache {
  private readonly process: NodeJS.Process;
  private readonly folder: string;
  private readonly identity: string;
  private readonly limitBytes: number;
  private written = 0;
  private hasTrimmed = false;
  private isBroken = false;

  private constructor(process: NodeJS.Process, folder: string, identity: string, limitBytes: number) {
    this.process = process;
    this.folder = folder;
    this.identity = identity;
    this.limitBytes = limitBytes;
  }

  /** Undefined where there is no folder to trust, or nothing that says what the engine is. */
  static open(process: NodeJS.Process | undefined, options: PersistentCacheOptions = {}): PersistentCache | undefined {
    const { limitBytes = 128 << 20, identity = builtEngine() } = options;
    if (process === undefined || identity === undefined || process.platform === 'win32') return undefined;
    try {
      return new PersistentCache(process, cacheFolder(process, 'programs'), identity, limitBytes);
    } catch (error) {
      debug(1, () => `programs are not kept: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** The name of what depends on these texts. */
  key(...parts: readonly string[]): string {
    const { createHash } = this.process.getBuiltinModule('node:crypto');
    const hash = createHash('sha256');
    for (const part of [this.identity, this.process.versions.v8, ...parts]) hash.update(`${part.length}:${part}`);
    return hash.digest('hex');
  }

  find(key: string): unknown {
    const fs = this.process.getBuiltinModule('node:fs');
    const path = this.pathOf(key);
    try {
      if (this.isBroken || fs.statSync(path).size > MOST_BYTES) return undefined;
      const bytes = fs.readFileSync(path);
      const contents = bytes.subarray(DIGEST_BYTES);
      if (isEqual(this.digest(contents), bytes.subarray(0, DIGEST_BYTES))) {
        const now = new Date();
        fs.utimesSync(path, now, now); // recently used: the last to be removed
        return this.process.getBuiltinModule('node:v8').deserialize(contents);
      }
      debug(1, () => `${path} is damaged and will be made again`);
      fs.rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.giveUp(error);
    }
    return undefined;
  }

  /** Keeps plain data: numbers, texts, lists, objects, bytes. */
  store(key: string, value: unknown): void {
    if (this.isBroken) return;
    const fs = this.process.getBuiltinModule('node:fs');
    const { threadId } = this.process.getBuiltinModule('node:worker_threads');
    const temporary = `${this.pathOf(key).slice(0, -'.program'.length)}.${this.process.pid}-${threadId}.tmp`;
    try {
      const contents = this.process.getBuiltinModule('node:v8').serialize(value);
      if (contents.length + DIGEST_BYTES > MOST_BYTES) return;
      fs.writeFileSync(temporary, joined(this.digest(contents), contents), { mode: 0o600 });
      fs.renameSync(temporary, this.pathOf(key));
      this.written += contents.length;
      if (!this.hasTrimmed || this.written > this.limitBytes / 8) this.trim();
    } catch (error) {
      this.giveUp(error);
      fs.rmSync(temporary, { force: true });
    }
  }

  private giveUp(error: unknown): void {
    this.isBroken = true;
    debug(1, () => `programs are not kept any more: ${(error as Error).message}`);
  }

  private pathOf(key: string): string {
    return this.process.getBuiltinModule('node:path').join(this.folder, `${key}.program`);
  }

  private digest(bytes: Uint8Array): Uint8Array {
    return this.process.getBuiltinModule('node:crypto').createHash('sha256').update(bytes).digest();
  }

  /** Removes what was used longest ago, and what killed processes have left. Only files that are called as the cache's own. */
  private trim(): void {
    this.hasTrimmed = true;
    this.written = 0;
    const fs = this.process.getBuiltinModule('node:fs');
    const { join } = this.process.getBuiltinModule('node:path');
    const files: { path: string; size: number; time: number }[] = [];
    let total = 0;
    for (const name of fs.readdirSync(this.folder)) {
      const path = join(this.folder, name);
      const found = fs.statSync(path, { throwIfNoEntry: false });
      if (found === undefined) continue;
      if (TEMPORARY.test(name) && Date.now() - found.mtimeMs > ABANDONED_MS) fs.rmSync(path, { force: true });
      if (!FILE.test(name)) continue;
      files.push({ path, size: found.size, time: found.mtimeMs });
      total += found.size;
    }
    for (const { path, size } of files.sort((a, b) => a.time - b.time)) {
      if (total <= this.limitBytes) return;
      fs.rmSync(path, { force: true });
      total -= size;
    }
  }
}

function builtEngine(): string | undefined {
  return typeof NABLA_ENGINE_DIGEST === 'undefined' ? undefined : NABLA_ENGINE_DIGEST;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
