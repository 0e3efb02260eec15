// Search spaces as they are written on the command line: `lr=1e-4..1e-1:log`, `hidden=16..256`, `model=mlp,lenet`.

import type { RunDefinition, Setting, Space } from '../../train/index.js';
import { choice, integer, logUniform, uniform } from '../../train/index.js';
import { CliError } from '../errors.js';
import { chooseSettings } from '../settings.js';

const RANGE = /^(?<low>[^.\s,]+(?:\.\d+)?|\d*\.\d+)\.\.(?<high>[^:\s,]+)(?<log>:log)?$/;

/** The space that texts by setting describe. Throws CliError for settings that the run does not have, and values they cannot have. */
export function readSpace(definition: RunDefinition, texts: Readonly<Record<string, string>>): Space {
  if (Object.keys(texts).length === 0)
    throw new CliError('nothing to search for. Name settings, such as --space lr=1e-4..1e-1:log.');
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, readDimension(definition, name, text)]));
}

function readDimension(definition: RunDefinition, name: string, text: string): Space[string] {
  const source = () => `--space ${name}`;
  const read = (value: string): Setting => chooseSettings(definition, { [name]: value }, source)[name];
  const range = RANGE.exec(text)?.groups;
  if (range === undefined) return choice(text.split(',').map(read));
  const [low, high] = [read(range.low), read(range.high)];
  if (typeof low !== 'number' || typeof high !== 'number')
    throw new CliError(`--space ${name}: '${text}' is a range, and ${name} is no number. List values: a,b,c.`);
  try {
    if (range.log !== undefined) return logUniform(low, high);
    return Number.isInteger(low) && Number.isInteger(high) ? integer(low, high) : uniform(low, high);
  } catch (error) {
    throw new CliError(`--space ${name}: ${(error as Error).message}`);
  }
}
