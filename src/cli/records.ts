// Finds run folders and reads their records.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { NamedRun } from '../train/curves.js';
import { readRecordFile } from '../train/node/run-folder.js';
import { CliError, fileFault } from './errors.js';
import { printable, printableData } from './printable.js';
import { RUNS } from './run-folder.js';
import { terminalOf } from './terminal.js';

const RECORD = 'metrics.jsonl';
const DEEPEST = 4;

/** The record of a run folder, or of the file itself. Throws CliError where there is none, or one without events. */
export async function readRun(path: string): Promise<NamedRun> {
  const events = await read(isFolder(path) ? join(path, RECORD) : path);
  if (events.length === 0) {
    throw new CliError(`${path} holds no record of a run: ${RECORD} has no events (of this version) yet.`);
  }
  return { name: basename(path === '.' ? process.cwd() : path.replace(/[/\\]+$/, '')), events };
}

/** The folder below runs/ whose record is the newest: a run that goes on just now, or the last one. */
export function latestRecord(root = RUNS): string {
  const folders = existsSync(root) ? readdirSync(root).map((name) => join(root, name)) : [];
  const recorded = folders.filter((folder) => existsSync(join(folder, RECORD)));
  if (recorded.length === 0) {
    throw new CliError(`there are no runs below ${root}/ yet. Train first (nabla train digits), or name a run folder.`);
  }
  const time = (folder: string) => statSync(join(folder, RECORD)).mtimeMs;
  return recorded.reduce((a, b) => (time(b) >= time(a) ? b : a));
}

/** All run folders at and below a folder, with names relative to it; events are [] where they cannot be read. */
export async function findRuns(folder: string): Promise<NamedRun[]> {
  if (!isFolder(folder)) throw new CliError(`${folder} is a file. Name the folder that holds the runs.`);
  const runs: NamedRun[] = [];
  const visit = async (path: string, depth: number): Promise<void> => {
    const entries = readdirSync(path, { withFileTypes: true });
    const names = entries.map((entry) => entry.name);
    if (names.includes(RECORD) || names.includes('config.json')) {
      const events = names.includes(RECORD) ? await read(join(path, RECORD)) : [];
      runs.push({ name: relative(folder, path) || basename(path), events });
    }
    if (depth === 0) return;
    for (const entry of entries) {
      if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
        await visit(join(path, entry.name), depth - 1);
    }
  };
  await visit(folder, DEEPEST);
  return runs.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** The events as they may be shown, wherever the record comes from. */
async function read(path: string): Promise<NamedRun['events']> {
  try {
    const { events, damaged } = await readRecordFile(path);
    if (damaged.length > 0) {
      const which = `line${damaged.length === 1 ? '' : 's'} ${damaged.slice(0, 5).join(', ')}${damaged.length > 5 ? ', …' : ''}`;
      terminalOf(process.stderr).line(`nabla: ${printable(path)}: ${which} cannot be read and count for nothing.`);
    }
    return printableData(events);
  } catch (error) {
    throw fileFault('read', path, error);
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw fileFault('read', path, error);
  }
}
