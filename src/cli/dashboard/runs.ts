// All runs below a folder, found and looked at again and again: those that come, grow and go.

import { readdir } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import type { RunList } from './api.js';
import { LiveRun, RECORD, isEventFile } from './run.js';

const DEEPEST = 4;
/** Files at a time. */
const AT_ONCE = 16;

export class LiveRuns {
  private readonly root: string;
  private readonly runs = new Map<string, LiveRun>();
  private next = 1;
  private version = 0;
  private refreshing: Promise<void> | undefined;

  constructor(folder: string) {
    this.root = resolve(folder);
  }

  /** Those who ask at the same time wait for the same look. */
  refresh(): Promise<void> {
    this.refreshing ??= this.look().finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  private async look(): Promise<void> {
    const found = await this.find();
    let changed = false;
    for (const path of this.runs.keys()) {
      if (found.has(path)) continue;
      this.runs.delete(path);
      changed = true;
    }
    for (const path of found) {
      if (this.runs.has(path)) continue;
      const name = relative(this.root, path).split(sep).join('/') || basename(this.root);
      this.runs.set(path, new LiveRun(this.next++, name, path));
    }
    const waiting = [...this.runs.values()];
    const work = async (): Promise<void> => {
      for (let run = waiting.pop(); run !== undefined; run = waiting.pop()) if (await run.refresh()) changed = true;
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (changed) this.version++;
  }

  /** Folders that hold a record or event files. Links to folders are not followed: they may lead out of this one. */
  private async find(): Promise<Set<string>> {
    const found = new Set<string>();
    const visit = async (path: string, depth: number): Promise<void> => {
      const entries = await readdir(path, { withFileTypes: true }).catch(() => []); // gone, or not ours to read
      if (entries.some((entry) => entry.isFile() && (entry.name === RECORD || isEventFile(entry.name))))
        found.add(path);
      if (depth === 0) return;
      for (const entry of entries) {
        if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
          await visit(join(path, entry.name), depth - 1);
      }
    };
    await visit(this.root, DEEPEST);
    return found;
  }

  run(id: number): LiveRun | undefined {
    return [...this.runs.values()].find((run) => run.id === id);
  }

  /** `known`: the version that the page has; it is given no rows if there is nothing new. */
  list(known: number): RunList {
    const rows = known === this.version ? [] : [...this.runs.values()].map((run) => run.row());
    const runs = rows.toSorted(
      (a, b) => b.started.localeCompare(a.started) || a.name.localeCompare(b.name, 'en', { numeric: true }),
    );
    return { folder: this.root, version: this.version, runs };
  }
}
