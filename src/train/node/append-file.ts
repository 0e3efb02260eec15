// A file that only grows: records are collected and written together, whole ones only, so that a crash loses the last few
// and leaves at most one that is cut off. Writing is synchronous and rare: order and bounded memory come for free.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import { writeFileAtomic } from '../../io/node/files.js';
import { appendWholeSync } from './append-whole.js';

const { closeSync, fsyncSync, mkdirSync, openSync, readFileSync } = process.getBuiltinModule('node:fs');
const { hostname } = process.getBuiltinModule('node:os');
const { dirname, join, resolve } = process.getBuiltinModule('node:path');

export interface AppendFileOptions {
  /** Bytes that may wait. Default 64 KiB. */
  readonly bufferBytes?: number;
  /** After so many seconds the next record takes the waiting ones with it to the file. Default 2. */
  readonly flushSeconds?: number;
}

export class AppendFile {
  readonly path: string;
  private readonly absolute: string;
  private file: number | undefined;
  private waiting: Uint8Array[] = [];
  private bytes = 0;
  private written = performance.now();
  private readonly bufferBytes: number;
  private readonly flushSeconds: number;

  /** Opens the file, and makes it and its folder where needed. */
  constructor(path: string, { bufferBytes = 1 << 16, flushSeconds = 2 }: AppendFileOptions = {}) {
    this.path = path;
    this.bufferBytes = bufferBytes;
    this.flushSeconds = flushSeconds;
    this.absolute = resolve(path);
    mkdirSync(dirname(this.absolute), { recursive: true });
    this.file = openSync(this.absolute, 'a');
  }

  append(record: Uint8Array | string): void {
    const bytes = typeof record === 'string' ? Buffer.from(record) : record;
    this.waiting.push(bytes);
    this.bytes += bytes.length;
    if (this.bytes >= this.bufferBytes || performance.now() - this.written > 1000 * this.flushSeconds) this.write();
  }

  /** Everything is in the file, and the file on the disk. */
  flush(): void {
    this.write();
    if (this.file !== undefined) fsyncSync(this.file);
  }

  close(): void {
    if (this.file === undefined) return;
    try {
      this.write();
    } finally {
      closeSync(this.file);
      this.file = undefined;
    }
  }

  private write(): void {
    this.written = performance.now();
    if (this.bytes === 0) return;
    const all = Buffer.concat(this.waiting);
    this.file ??= openSync(this.absolute, 'a');
    appendWholeSync(this.file, all); // what cannot be written waits for the next time
    this.waiting = [];
    this.bytes = 0;
  }
}

let eventFiles = 0;

/** A new file for TensorBoard in the folder: no two of one process, or of one second, have the same name. */
export function createEventFile(folder: string, suffix: string, flushSeconds: number | undefined): AppendFile {
  const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0');
  const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${eventFiles++}${suffix}`;
  return new AppendFile(join(folder, name), flushSeconds === undefined ? {} : { flushSeconds });
}

/** Replaces the lines of a file, all or nothing, and goes on behind them. */
export async function continueFile(path: string, lines: readonly string[]): Promise<AppendFile> {
  mkdirSync(dirname(path), { recursive: true });
  await writeFileAtomic(path, lines.map((line) => `${line}\n`).join(''));
  return new AppendFile(path);
}

/** The whole lines of a file: one that was cut off at the end is not among them. [] if there is no file. */
export function readLines(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === 'ENOENT') return [];
    throw error;
  }
  return text.split('\n').slice(0, -1);
}
