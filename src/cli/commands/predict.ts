// `nabla predict`: uses the model of a run. Classifies images from a file or standard input, goes on with a text, or, with
// --test, evaluates the run's own test data.

import { disposeDevices } from '../../index.js';
import { useDevice } from '../device.js';
import { type DownloadOption, allowDownloads } from '../downloads.js';
import { CliError } from '../errors.js';
import { estimatorFileAt, predictWithEstimator } from '../predict/estimator.js';
import { openPredictor } from '../networks/run-network.js';
import { predictImages } from '../predict/images.js';
import { predictTable } from '../predict/table.js';
import { generateText } from '../predict/text.js';
import { printable } from '../printable.js';
import { latestRun, weightsAt } from '../run-folder.js';
import { openRun } from '../trained-run.js';
import { terminalOf } from '../terminal.js';
import { loadWeights } from '../weights.js';
import { evaluateRun } from './eval.js';

interface Options extends DownloadOption {
  readonly test?: true;
  readonly weights?: string;
  readonly definition?: string;
  readonly trust?: true;
  readonly device: string;
  readonly json?: true;
  readonly show?: true;
  readonly invert: boolean;
  readonly prompt: string;
  readonly length: number;
  readonly temperature: number;
  readonly seed: number;
}

export async function predict(file: string | undefined, options: Options): Promise<void> {
  if (options.test && file !== undefined)
    throw new CliError('--test takes no file: it evaluates the test data of the run.');
  useDevice(options.device);
  allowDownloads(options);
  const fitted = options.weights === undefined ? undefined : estimatorFileAt(options.weights);
  if (fitted !== undefined) {
    if (options.test) throw new CliError('--test is for networks: nabla fit has scored its test rows already.');
    try {
      return await predictWithEstimator(fitted, file, terminalOf(process.stdout), options.json === true);
    } finally {
      await disposeDevices();
    }
  }
  const latest = options.weights === undefined ? latestRun() : undefined;
  const { folder, weights } =
    latest === undefined ? weightsAt(options.weights ?? '') : { folder: latest, weights: latest.weights };
  const terminal = terminalOf(process.stdout);
  try {
    const run = await openRun(folder, options);
    if (latest !== undefined && !options.json) terminalOf(process.stderr).line(`weights: ${printable(weights)}`);
    if (options.test) return await evaluateRun(run, weights, 'test', terminal, options.json === true);
    const predictor = await openPredictor(run);
    await loadWeights(weights, predictor.model);
    if (predictor.kind === 'image') return await predictImages(predictor, file, terminal, options);
    if (predictor.kind === 'table') return await predictTable(predictor, file, terminal, options.json === true);
    if (file !== undefined) throw new CliError(`${run.definition.name} writes text: it takes --prompt, not a file.`);
    let text = '';
    for await (const part of generateText(predictor, options)) {
      text += part;
      if (!options.json) terminal.write(part);
    }
    terminal.line(options.json ? JSON.stringify({ prompt: options.prompt, text }) : '');
  } finally {
    await disposeDevices();
  }
}
