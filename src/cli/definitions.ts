// Where runs are defined: the presets by name, and files whose default export is a definition.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RunDefinition } from '../train/index.js';
import { CliError } from './errors.js';
import { loadTypeScript, registerHooks } from './typescript.js';

type Load = () => Promise<{ readonly default: unknown }>;

export const PRESETS: Readonly<Record<string, Load>> = {
  digits: () => import('./presets/digits.js'),
  mnist: () => import('./presets/mnist.js'),
  cifar10: () => import('./presets/cifar10.js'),
  'char-lm': () => import('./presets/char-lm.js'),
};

/** The definition that a name or a path stands for. */
export async function loadDefinition(run: string): Promise<RunDefinition> {
  if (Object.hasOwn(PRESETS, run)) return (await PRESETS[run]()).default as RunDefinition;
  if (!/[./\\]/.test(run)) {
    throw new CliError(
      `there is no preset '${run}'. Use ${Object.keys(PRESETS).join(', ')}, or a file such as ./run.ts.`,
    );
  }
  const path = resolve(run);
  if (!existsSync(path)) throw new CliError(`cannot read ${run}: there is no such file or folder.`);
  return checkDefinition(run, await importFile(run, path));
}

async function importFile(run: string, path: string): Promise<unknown> {
  const knowsTypeScript = await loadTypeScript(); // for what the file imports, too
  if (!knowsTypeScript && /\.m?ts$/.test(path)) {
    throw new CliError(
      `cannot read ${run}: TypeScript needs the package oxc-transform. Run npm install oxc-transform, or write the file in JavaScript.`,
    );
  }
  registerHooks();
  try {
    return ((await import(pathToFileURL(path).href)) as { readonly default?: unknown }).default;
  } catch (error) {
    if (error instanceof SyntaxError || String((error as { code?: unknown } | null)?.code).startsWith('ERR_')) {
      throw new CliError(`cannot load ${run}: ${(error as Error).message.replaceAll(/\s*\n\s*/g, ' ')}`);
    }
    throw error;
  }
}

function checkDefinition(run: string, value: unknown): RunDefinition {
  const { name, title, settings, create } = (value ?? {}) as Partial<RunDefinition>;
  const isText = typeof name === 'string' && typeof title === 'string';
  if (isText && typeof settings === 'object' && settings !== null && typeof create === 'function') {
    return value as RunDefinition;
  }
  throw new CliError(`${run} does not define a run: its default export is not what defineRun({ … }) gives.`);
}
