// A file that grows, read as it does: what was there before is not read again.

import { type FileHandle, open } from 'node:fs/promises';

/** At once: nothing that a file holds makes the dashboard take more. */
const PART = 4 << 20;

export class Tail {
  private readonly path: string;
  private at = 0;
  private identity = '';
  /** What the last part ended with, and was not used. */
  private rest: Uint8Array = new Uint8Array(0);

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Gives what was added to `use`, which says how many bytes of it are done with: the others come again with those that follow.
   * `restart` is called before, where the file became another or shorter. True when something was read.
   */
  async read(use: (bytes: Uint8Array) => number, restart: () => void): Promise<boolean> {
    const file = await open(this.path, 'r');
    try {
      const { size, ino, dev, birthtimeMs } = await file.stat();
      const identity = `${dev}:${ino}:${birthtimeMs}`;
      if (identity !== this.identity || size < this.at) {
        if (this.at > 0) restart();
        this.at = 0;
        this.rest = new Uint8Array(0);
        this.identity = identity;
      }
      const begin = this.at;
      while (this.at < size && (await this.part(file, use)));
      return this.at > begin;
    } finally {
      await file.close();
    }
  }

  private async part(file: FileHandle, use: (bytes: Uint8Array) => number): Promise<boolean> {
    const bytes = new Uint8Array(this.rest.length + PART);
    bytes.set(this.rest);
    const { bytesRead } = await file.read(bytes, this.rest.length, PART, this.at);
    if (bytesRead === 0) return false;
    this.at += bytesRead;
    const all = bytes.subarray(0, this.rest.length + bytesRead);
    this.rest = all.slice(use(all));
    return true;
  }
}
