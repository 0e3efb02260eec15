// config.json of a run: what was asked for, and what it ran on. Read again it may have been edited by somebody.

import { devices } from '../index.js';
import { CliError } from './errors.js';
import { readText } from './run-folder.js';
import type { ChosenSettings } from './settings.js';
import { version } from './version.js';

export interface RunConfig {
  /** A preset's name or the path of a file. */
  readonly run: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly device: string;
  /** What the run left for using its model. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export function describeConfig(
  run: string,
  settings: ChosenSettings,
  device: string,
  facts: Readonly<Record<string, unknown>> = {},
): RunConfig & Record<string, unknown> {
  return {
    run,
    settings,
    device,
    facts,
    nabla: version(),
    node: process.version,
    started: new Date().toISOString(),
    deviceDetails: devices().find(({ name }) => name === device)?.details ?? {},
  };
}

/** The configuration of a run that goes on with other settings: everything else stays what it was. */
export function continuedConfig(
  before: RunConfig,
  run: string,
  settings: ChosenSettings,
  facts: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return { ...before, run, settings, facts };
}

/** Throws CliError unless the file describes a run. */
export function readConfig(path: string): RunConfig {
  const text = readText(path);
  const fault = (what: string) => new CliError(`${path} is not the configuration of a run: ${what}.`);
  let content: Partial<RunConfig> | null;
  try {
    content = JSON.parse(text) as Partial<RunConfig> | null;
  } catch (error) {
    throw fault((error as Error).message);
  }
  const { run, settings, device, facts = {} } = content ?? {};
  if (typeof run !== 'string') throw fault('its "run" is not a name');
  if (typeof settings !== 'object' || settings === null) throw fault('it has no "settings"');
  if (typeof device !== 'string') throw fault('its "device" is not a name');
  return { ...content, run, settings, device, facts };
}
