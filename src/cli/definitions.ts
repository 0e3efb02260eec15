// Where runs are defined: the presets by name, and files whose default export is a definition. Loading a file executes it, so
// a name given here must be the user's word: what a record says goes through trust.ts.

import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RunDefinition, RunPlan } from '../train/index.js';
import { CliError } from './errors.js';
import { waitFor } from './pending.js';
import type { Stop } from './signals.js';
import { tracePlaces } from './place.js';
import { oneLine } from './printable.js';
import { loadTypeScript, registerHooks } from './typescript.js';

type Load = () => Promise<{ readonly default: unknown }>;

export const PRESETS: Readonly<Record<string, Load>> = {
  digits: () => import('./presets/digits.js'),
  mnist: () => import('./presets/mnist.js'),
  cifar10: () => import('./presets/cifar10.js'),
  'shapes-segmentation': () => import('./presets/shapes-segmentation.js'),
  tracks: () => import('./presets/tracks.js'),
  'shapes-detection': () => import('./presets/shapes-detection.js'),
  membrane: () => import('./presets/membrane.js'),
  vae: () => import('./presets/vae.js'),
  autoencoder: () => import('./presets/autoencoder.js'),
  'few-labels': () => import('./presets/few-labels.js'),
  simclr: () => import('./presets/simclr.js'),
  transfer: () => import('./presets/transfer.js'),
  ddpm: () => import('./presets/ddpm.js'),
  dcgan: () => import('./presets/dcgan.js'),
  'char-lm': () => import('./presets/char-lm.js'),
  spam: () => import('./presets/spam.js'),
  translate: () => import('./presets/translate.js'),
  captions: () => import('./presets/captions.js'),
  'masked-lm': () => import('./presets/masked-lm.js'),
  'moving-shapes': () => import('./presets/moving-shapes.js'),
  'cartpole-ppo': () => import('./presets/cartpole-ppo.js'),
  'cartpole-dqn': () => import('./presets/cartpole-dqn.js'),
  'frozen-lake': () => import('./presets/frozen-lake.js'),
  finetune: () => import('./presets/finetune.js'),
};

/** Those that `nabla train` offers; `nabla finetune` begins the others. */
const OFFERED = Object.keys(PRESETS).filter((name) => name !== 'finetune');

/** The definition that a name or a path stands for. */
export async function loadDefinition(run: string): Promise<RunDefinition> {
  if (Object.hasOwn(PRESETS, run)) return (await PRESETS[run]()).default as RunDefinition;
  if (!/[./\\]/.test(run)) {
    throw new CliError(`there is no preset '${run}'. Use ${OFFERED.join(', ')}, or a file such as ./run.ts.`);
  }
  const path = resolve(run);
  if (!existsSync(path)) throw new CliError(`cannot read ${run}: there is no such file or folder.`);
  refuseRunFolder(run, path);
  return checkDefinition(run, await waitFor(`the module ${run}`, importFile(run, path)));
}

/** What the definition makes of settings that `chooseSettings` has checked against it; the generator is seeded before. */
export function createPlan(
  definition: RunDefinition,
  settings: Readonly<Record<string, unknown>>,
  stop?: Stop,
): Promise<RunPlan> {
  // Of which settings there are, and of which types, only the definition's own file knows.
  return waitFor(`what ${definition.name} creates`, definition.create(settings as never), stop);
}

/** The files of which config.json and another one make a folder that of a run. */
const OTHERS = ['metrics.jsonl', 'checkpoint.safetensors', 'weights.safetensors', 'best.safetensors'];

/**
 * Throws CliError for a file inside a run folder, by its path or by where links lead: run folders are handed around, and what
 * lies in them is data.
 */
export function refuseRunFolder(run: string, path: string, folder?: string): void {
  const own = folder === undefined ? [] : [resolve(folder), realpathSync.native(folder)];
  for (const place of [path, realpathSync.native(path)]) {
    for (let at = place, above = dirname(at); above !== at; at = above, above = dirname(at)) {
      const has = (name: string): boolean => existsSync(join(above, name));
      if (!own.includes(above) && !(has('config.json') && OTHERS.some(has))) continue;
      throw new CliError(
        `${run} lies in the run folder ${above}, and code from a run folder is not executed. Look at it, and copy it to another place if you want to use it.`,
      );
    }
  }
}

async function importFile(run: string, path: string): Promise<unknown> {
  const knowsTypeScript = await loadTypeScript(); // for what the file imports, too
  if (!knowsTypeScript && /\.m?ts$/.test(path)) {
    throw new CliError(
      `cannot read ${run}: TypeScript needs the package oxc-transform. Run npm install oxc-transform, or write the file in JavaScript.`,
    );
  }
  registerHooks();
  tracePlaces();
  try {
    return ((await import(pathToFileURL(path).href)) as { readonly default?: unknown }).default;
  } catch (error) {
    if (error instanceof SyntaxError || String((error as { code?: unknown } | null)?.code).startsWith('ERR_')) {
      throw new CliError(`cannot load ${run}: ${oneLine(error)}`);
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
