// `nabla eval`: loss and metrics of a run's weights on its own data.

import { existsSync } from 'node:fs';
import { disposeDevices, manualSeed } from '../../index.js';
import { Trainer } from '../../train/index.js';
import { createPlan } from '../definitions.js';
import { useDevice } from '../device.js';
import { type DownloadOption, allowDownloads } from '../downloads.js';
import { CliError } from '../errors.js';
import { pageOf } from '../page.js';
import { weightsAt } from '../run-folder.js';
import { formatResults } from '../run-view.js';
import { type Terminal, terminalOf } from '../terminal.js';
import { type TrainedRun, openRun } from '../trained-run.js';
import { loadWeights } from '../weights.js';

type Part = 'test' | 'validation' | 'train';

interface Options extends DownloadOption {
  readonly on: Part;
  readonly best?: true;
  readonly definition?: string;
  readonly trust?: true;
  readonly device: string;
  readonly json?: true;
}

export async function evaluate(path: string, options: Options): Promise<void> {
  useDevice(options.device);
  allowDownloads(options);
  const { folder, weights } = weightsAt(path);
  const chosen = options.best ? folder.best : weights;
  if (!existsSync(chosen)) throw new CliError(`${path} holds no best.safetensors. Leave out --best.`);
  try {
    await evaluateRun(
      await openRun(folder, options),
      chosen,
      options.on,
      terminalOf(process.stdout),
      options.json === true,
    );
  } finally {
    await disposeDevices();
  }
}

/** Evaluates on a part of the run's data; with a report for a person on the test part. */
export async function evaluateRun(
  { definition, settings, folder }: TrainedRun,
  weights: string,
  part: Part,
  terminal: Terminal,
  isJson: boolean,
): Promise<void> {
  manualSeed(settings.seed);
  const { report, facts: _, ...plan } = await createPlan(definition, settings);
  const data = plan[part];
  if (data === undefined) throw new CliError(`${definition.name} has no ${part} data.`);
  await loadWeights(weights, plan.model);
  const results = await new Trainer(plan).evaluate(data);
  if (isJson) {
    terminal.line(JSON.stringify({ event: 'evaluation', on: part, weights, ...results }));
    return;
  }
  terminal.line(terminal.style.bold(formatResults(`${part[0].toUpperCase()}${part.slice(1)}`, results)));
  if (report === undefined || part !== 'test') return;
  terminal.line();
  await report(pageOf(terminal, folder.path));
}
