// Names of classes that a command is given: of a data set, or from a file.

import { existsSync } from 'node:fs';
import { type ClassSet, classNames } from '../vision/index.js';
import { CliError } from './errors.js';
import { readText } from './run-folder.js';

const CLASS_SETS: readonly ClassSet[] = ['imagenet', 'coco', 'coco-80', 'voc'];

/** What `--labels` names: a data set, or a file with a name a line; undefined where it is left out. */
export async function labelsOf(given: string | undefined): Promise<readonly string[] | undefined> {
  if (given === undefined) return undefined;
  const set = CLASS_SETS.find((name) => name === given);
  if (set !== undefined && !existsSync(given)) return classNames(set);
  const lines = readText(given)
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim());
  const names = lines.filter((line) => line !== '');
  if (names.length === 0) throw new CliError(`--labels ${given}: the file is empty. Give a name a line.`);
  return names;
}
