// A part of the network of another run, as the beginning of this one's.

import { loadSafetensors } from '../../../io/index.js';
import type { Module } from '../../../nn/index.js';
import { CliError } from '../../errors.js';
import { readConfig } from '../../run-config.js';
import { weightsAt } from '../../run-folder.js';
import { explain } from '../../weights.js';

/** Which run it may be, and what it is in words. */
export interface Beginning {
  readonly option: string;
  readonly run: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Keys of the part in the state of the whole network begin with it. */
  readonly prefix: string;
}

/** Fills `part` from the weights of the run in a folder. Throws CliError for any other run. */
export async function beginWith(
  path: string,
  { option, run, settings, prefix }: Beginning,
  part: Module,
): Promise<void> {
  const { folder, weights } = weightsAt(path);
  const config = readConfig(folder.config);
  const wanted = Object.entries(settings);
  if (config.run !== run || wanted.some(([name, value]) => config.settings[name] !== value)) {
    const texts = wanted.map(([name, value]) => ` --set ${name}=${String(value)}`);
    throw new CliError(`--set ${option}=${path}: this is no run of nabla train ${run}${texts.join('')}. Name one.`);
  }
  try {
    const { tensors } = await loadSafetensors(weights);
    const own = Object.entries(tensors).filter(([key]) => key.startsWith(prefix));
    part.loadStateDict(Object.fromEntries(own.map(([key, t]) => [key.slice(prefix.length), t])));
  } catch (error) {
    throw explain(weights, error, `${weights} is of a network of other sizes: set them as they are there`);
  }
}
