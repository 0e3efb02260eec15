// A run folder opened for use: what was asked for, and the definition it came from.

import { existsSync } from 'node:fs';
import type { RunDefinition } from '../train/index.js';
import type { RunFolder } from '../train/node/run-folder.js';
import { CliError } from './errors.js';
import { withKeptFiles } from './kept-files.js';
import { type RunConfig, readConfig } from './run-config.js';
import { quote } from './self.js';
import { type ChosenSettings, chooseSettings } from './settings.js';
import { type Word, trustedDefinition } from './trust.js';

export interface TrainedRun {
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly definition: RunDefinition;
  readonly settings: ChosenSettings;
}

/** Throws CliError if the folder is not that of a run, or if its definition is not the user's word (see trust.ts). */
export async function openRun(folder: RunFolder, word: Word): Promise<TrainedRun> {
  if (!existsSync(folder.config)) {
    throw new CliError(
      `${folder.path} is no run folder: there is no config.json. Name a folder that nabla train has made.`,
    );
  }
  const config = readConfig(folder.config);
  const { definition } = await trustedDefinition(folder, config, word, (file) => `--definition ${quote(file)}`);
  const settings = chooseSettings(definition, config.settings, (name) => `${folder.config}, settings.${name}`);
  return { folder, config, definition, settings: withKeptFiles(config.run, settings, folder.path) };
}
