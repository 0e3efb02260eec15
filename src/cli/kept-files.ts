// Files that a run depends on and that its folder keeps, so that it can be handed on: by run, the setting that names the file and the name
// that it has in the folder. What lies there is read as data, like weights.

import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasExternalData } from '../onnx/external.js';
import { fileFault } from './errors.js';

const KEPT: Readonly<Record<string, { readonly setting: string; readonly name: string }>> = {
  finetune: { setting: 'model', name: 'base.onnx' },
};

/** The settings with the kept files in the place of those that they name. */
export function withKeptFiles<S extends Readonly<Record<string, unknown>>>(
  run: string,
  settings: S,
  folder: string,
): S {
  const kept = Object.hasOwn(KEPT, run) ? KEPT[run] : undefined;
  if (kept === undefined) return settings;
  const path = join(folder, kept.name);
  return existsSync(path) ? { ...settings, [kept.setting]: path } : settings;
}

/** Copies what the run depends on into its folder; a model whose weights lie in files beside it stays where it is. */
export async function keepFiles(
  run: string,
  settings: Readonly<Record<string, unknown>>,
  folder: string,
): Promise<void> {
  const kept = Object.hasOwn(KEPT, run) ? KEPT[run] : undefined;
  const path = kept === undefined ? undefined : settings[kept.setting];
  if (kept === undefined || typeof path !== 'string' || !existsSync(path)) return;
  try {
    if (!(await hasExternalData(path))) await copyFile(path, join(folder, kept.name));
  } catch (error) {
    throw fileFault('copy', path, error);
  }
}
