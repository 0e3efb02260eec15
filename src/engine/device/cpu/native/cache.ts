// The cache of compiled C on disk: where it is, and which of its files can be trusted. See tier.ts for how files get there; other
// libraries that are made once (that of nabla/distributed) are made by `compileLibrary`, and lie in the same place under the same rules.
// Translated programs have a folder of their own beside it (persistent/persistent-cache.ts).

import { debug } from '../../debug.js';
import { SUPERVISOR } from './supervisor.js';

/** What Node's types say of it, where they are installed: this is part of the declarations of nabla/distributed. */
export type NodeProcess = typeof globalThis extends { readonly process: infer P } ? P : never;

/**
 * The cache folder of a kind: made by nabla, or found as nabla makes it. One that others own or may write to is not used, and not
 * changed either: it may be somebody's own, for a purpose of theirs.
 */
export function cacheFolder(process: NodeProcess, kind: 'native' | 'programs' = 'native'): string {
  const fs = process.getBuiltinModule('node:fs');
  const os = process.getBuiltinModule('node:os');
  const { join, resolve } = process.getBuiltinModule('node:path');
  const chosen = process.env['NABLA_CACHE_DIR'];
  // What the setting names may hold other things: only a folder inside it is the cache.
  const folder = chosen
    ? resolve(chosen, `nabla-${kind}`)
    : join(process.env['XDG_CACHE_HOME'] || join(os.homedir(), '.cache'), 'nabla', kind);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = fs.statSync(folder);
  if (process.getuid !== undefined && uid !== process.getuid()) throw new Error(`${folder} belongs to another user`);
  if ((mode & 0o022) !== 0) throw new Error(`others may write to ${folder}; remove it, or take that from them`);
  return folder;
}

/** The file of this key, if it is there and whole. */
export function findCached(process: NodeProcess, folder: string, key: string): string | undefined {
  const fs = process.getBuiltinModule('node:fs');
  const { join } = process.getBuiltinModule('node:path');
  for (const name of fs.readdirSync(folder)) {
    if (!name.startsWith(`${key}-`) || !/-[0-9a-f]{64}\.(?:so|run)$/.test(name)) continue;
    const path = join(folder, name);
    if (isSound(process, path)) {
      fs.utimesSync(path, new Date(), new Date()); // recently used: the last to be removed
      return path;
    }
    debug(1, () => `native tier: ${path} is damaged and will be compiled again`);
    fs.rmSync(path, { force: true });
  }
  return undefined;
}

/** Whether a file's contents have the digest that its name says. */
export function isSound(process: NodeProcess, path: string): boolean {
  const fs = process.getBuiltinModule('node:fs');
  const { createHash } = process.getBuiltinModule('node:crypto');
  try {
    const digest = createHash('sha256').update(fs.readFileSync(path)).digest('hex');
    return path.includes(`-${digest}.`);
  } catch {
    return false; // another process has removed it
  }
}

/** How long a library of a few hundred lines may take to be compiled. */
const LIBRARY_TIMEOUT_MS = 60_000;

/**
 * The path of a shared library made of C source by `command`, from the cache or now. `identity` changes with all that it depends on
 * besides source and flags. Throws Error with what the compiler says.
 */
export function compileLibrary(
  process: NodeProcess,
  job: {
    readonly command: string;
    readonly flags: readonly string[];
    readonly source: string;
    readonly identity: string;
  },
): string {
  const fs = process.getBuiltinModule('node:fs');
  const { join } = process.getBuiltinModule('node:path');
  const { createHash } = process.getBuiltinModule('node:crypto');
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { command, flags, source, identity } = job;
  const folder = cacheFolder(process);
  const digest = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
  const key = digest([source, command, ...flags, identity].join('\0')).slice(0, 32);
  const cached = findCached(process, folder, key);
  if (cached !== undefined) return cached;
  const temporary = join(folder, `${key}.${process.pid}-0.tmp`);
  const [shell, ...words] = [...SUPERVISOR, temporary, command, ...flags, '-x', 'c', '-', '-o', temporary];
  try {
    const options = {
      input: source,
      encoding: 'utf8' as const,
      timeout: LIBRARY_TIMEOUT_MS,
      stdio: new Array<'pipe'>(4).fill('pipe'),
      detached: true, // see supervisor.ts
    };
    const { status, stderr, error } = spawnSync(shell, words, options);
    if (status !== 0) throw new Error(error?.message ?? (stderr.trim() || `it ends with exit ${status}`));
    const path = join(folder, `${key}-${digest(fs.readFileSync(temporary))}.so`);
    fs.chmodSync(temporary, 0o700);
    fs.renameSync(temporary, path); // publishes it, whoever else has made the same meanwhile
    return path;
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}
