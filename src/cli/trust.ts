// The definition that a run folder names. Using it means executing a file, and the folder may come from anybody: presets are
// nabla's own, anything else needs the user's word. That is the file's name on the command line, --trust, or an answer.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { RunDefinition } from '../train/index.js';
import type { RunFolder } from '../train/node/run-folder.js';
import { PRESETS, loadDefinition, refuseRunFolder } from './definitions.js';
import { CliError } from './errors.js';
import { printable } from './printable.js';
import type { RunConfig } from './run-config.js';

/** What the user says about the definition. */
export interface Word {
  /** Its name or path, given on the command line. */
  readonly definition?: string | undefined;
  /** --trust: whatever the folder names. */
  readonly trust?: true | undefined;
}

/** The definition of a run, and the name it goes by. Throws CliError unless it is a preset or the user's word. */
export async function trustedDefinition(
  folder: RunFolder,
  config: RunConfig,
  word: Word,
  how: (definition: string) => string,
): Promise<{ readonly run: string; readonly definition: RunDefinition }> {
  const named = printable(config.run);
  const isPreset = Object.hasOwn(PRESETS, config.run);
  if (word.definition !== undefined) {
    const isFile = isPath(word.definition);
    if (isPreset || !isPath(config.run) ? word.definition !== config.run : !isFile)
      throw new CliError(`${folder.path} is a run of ${named}, not of ${word.definition}.`);
    if (isFile && existsSync(word.definition)) refuseRunFolder(word.definition, resolve(word.definition), folder.path);
    const definition = await loadDefinition(word.definition);
    return { run: isFile ? resolve(word.definition) : word.definition, definition };
  }
  if (isPreset) return { run: config.run, definition: await loadDefinition(config.run) };
  if (!isPath(config.run))
    throw new CliError(`${folder.path} is a run of ${named}, which is no preset of this version.`);
  const path = resolve(config.run);
  if (!existsSync(path))
    throw new CliError(`${folder.path} is a run of ${named}, which is not here. Name its file: ${how('<file>')}.`);
  refuseRunFolder(named, path, folder.path);
  if (word.trust !== true && !(await isAllowed(folder, named))) {
    throw new CliError(
      `${folder.path} names the file ${named}, and using the run would execute it. If you trust that file: ${how(path)}, or --trust.`,
    );
  }
  return { run: path, definition: await loadDefinition(path) };
}

export const isPath = (run: string): boolean => /[./\\]/.test(run);

/** Asks, where there is somebody to answer. */
async function isAllowed(folder: RunFolder, file: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const question = `${printable(folder.path)} names the file ${file}, and using the run executes it.\nExecute it? [y/N] `;
    return /^y(es)?$/i.test((await asking.question(question)).trim());
  } finally {
    asking.close();
  }
}
