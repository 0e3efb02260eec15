// Files in Node: written whole or not at all (a temporary file in the same folder, flushed to disk, then renamed).

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AnyTensor } from '../../tensor/tensor.js';
import { fromSafetensors, toSafetensors } from '../safetensors.js';

let counter = 0;

/** Replaces the file at `path`; whoever reads it sees the old or the new contents, never a part. */
export function writeFileAtomic(path: string, contents: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.${counter++}.tmp`;
  try {
    const file = openSync(temporary, 'w');
    try {
      const bytes = typeof contents === 'string' ? Buffer.from(contents) : contents;
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Saves a state dict: `await saveSafetensors('model.safetensors', model.stateDict())`. */
export async function saveSafetensors(
  path: string,
  state: Readonly<Record<string, AnyTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  writeFileAtomic(path, await toSafetensors(state, metadata));
}

/** Loads a state dict: `model.loadStateDict(loadSafetensors('model.safetensors'))`. */
export function loadSafetensors(path: string): Record<string, AnyTensor> {
  return fromSafetensors(readFileSync(path), path);
}
