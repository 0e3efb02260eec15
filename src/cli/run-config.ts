// Reading config.json of a run, which somebody may have edited.

import type { Settings } from './digits/defaults.js';
import { CliError } from './errors.js';
import { type RunFiles, readText } from './run-folder.js';

/** Throws unless the file describes a run of `train digits` with possible values. */
export function readConfig({ config }: RunFiles): { readonly settings: Settings } {
  const text = readText(config);
  const fault = (what: string) => new CliError(`${config} is not the configuration of a digits run: ${what}.`);
  let content: { task?: unknown; settings?: Partial<Record<keyof Settings, unknown>> };
  try {
    content = JSON.parse(text) as typeof content;
  } catch (error) {
    throw fault((error as Error).message);
  }
  if (content?.task !== 'digits') throw fault('its "task" is not "digits"');
  const { epochs, lr, batchSize, seed, device } = content.settings ?? {};
  const isWhole = (value: unknown, low: number, high: number): value is number =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high;
  if (!isWhole(epochs, 1, 10_000)) throw fault('settings.epochs is not a whole number above 0');
  if (!isWhole(batchSize, 2, 1024)) throw fault('settings.batchSize is not a whole number from 2 to 1024');
  if (!isWhole(seed, 0, 2 ** 31 - 1)) throw fault('settings.seed is not a whole number of at least 0');
  if (!(typeof lr === 'number' && lr > 0)) throw fault('settings.lr is not a number above 0');
  if (typeof device !== 'string') throw fault('settings.device is not a name');
  return { settings: { epochs, lr, batchSize, seed, device } };
}
