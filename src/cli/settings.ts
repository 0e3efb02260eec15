// The settings of a run: its defaults, and what the command line or a config.json says instead.

import type { RunDefinition, Setting } from '../train/index.js';
import { textOf } from '../train/plain-data.js';
import { CliError } from './errors.js';
import { readNumber } from './number-text.js';

export type ChosenSettings = Readonly<Record<string, Setting>> & { readonly seed: number };

/** `given`: values by name, as texts where they come from the command line. Throws CliError for what the run cannot be told. */
export function chooseSettings(
  definition: RunDefinition,
  given: Readonly<Record<string, unknown>>,
  source: (name: string) => string,
): ChosenSettings {
  const defaults: Readonly<Record<string, Setting>> = { ...definition.settings, seed: definition.settings.seed ?? 0 };
  const chosen: Record<string, Setting> = { ...defaults };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) {
      throw new CliError(
        `${source(name)}: ${definition.name} has no setting '${name}'. It has ${Object.keys(defaults).join(', ')}.`,
      );
    }
    const read = convert(value, defaults[name]);
    if (read === undefined) {
      const kind = { number: 'a number', boolean: 'true or false', string: 'a text' }[
        typeof defaults[name] as 'number'
      ];
      throw new CliError(`${source(name)}: '${textOf(value)}' is invalid. Use ${kind}.`);
    }
    const choices = definition.choices?.[name];
    if (choices !== undefined && !choices.includes(read)) {
      throw new CliError(`${source(name)}: '${textOf(value)}' is invalid. Use one of ${choices.join(', ')}.`);
    }
    chosen[name] = read;
  }
  checkRanges(chosen, source);
  return chosen as ChosenSettings;
}

/** A value of the same type as `like`; undefined if it cannot be one. */
function convert(value: unknown, like: Setting): Setting | undefined {
  if (typeof value === typeof like)
    return typeof value === 'number' && !Number.isFinite(value) ? undefined : (value as Setting);
  if (typeof value !== 'string') return undefined;
  if (typeof like === 'boolean') return value === 'true' ? true : value === 'false' ? false : undefined;
  const number = readNumber(value);
  return Number.isFinite(number) ? number : undefined;
}

/** What every run means by these names. */
function checkRanges(settings: Readonly<Record<string, Setting>>, source: (name: string) => string): void {
  const ranges: Readonly<Record<string, (n: number) => boolean>> = {
    epochs: (n) => Number.isInteger(n) && n >= 1,
    batchSize: (n) => Number.isInteger(n) && n >= 1,
    seed: (n) => Number.isInteger(n) && n >= 0 && n < 2 ** 31,
    lr: (n) => n > 0,
  };
  for (const [name, isValid] of Object.entries(ranges)) {
    const value = settings[name];
    if (typeof value === 'number' && !isValid(value)) {
      const want = name === 'lr' ? 'a number above 0' : `a whole number from ${name === 'seed' ? 0 : 1}`;
      throw new CliError(`${source(name)}: ${value} is invalid. Use ${want}.`);
    }
  }
}
