// `nabla predict`: classifies images from a CSV file, from standard input, or the test images.

import { readFileSync } from 'node:fs';
import { disposeDevices } from '../../index.js';
import { loadWeights } from '../checkpoint.js';
import { type Grids, parseGrids } from '../csv.js';
import { useDevice } from '../device.js';
import { CLASSES, createModel, splitDigits } from '../digits/recipe.js';
import { printEvaluation } from '../digits/report.js';
import { type Evaluation, evaluate } from '../digits/trainer.js';
import { confusion } from '../draw.js';
import { CliError, fileFault } from '../errors.js';
import { latestRun, readText, weightsAt } from '../run-folder.js';
import { type Terminal, percent, terminalOf } from '../terminal.js';

interface Options {
  readonly test?: true;
  readonly weights?: string;
  readonly device: string;
  readonly json?: true;
}

export async function predict(file: string | undefined, options: Options): Promise<void> {
  if (options.test && file !== undefined)
    throw new CliError('--test takes no file: it classifies the test images of the digits.');
  if (!options.test && file === undefined && process.stdin.isTTY) {
    throw new CliError('nothing to classify. Name a CSV file, pipe one in, or use --test. See nabla predict --help.');
  }
  useDevice(options.device);
  const weights = options.weights === undefined ? latestRun().weights : weightsAt(options.weights);
  const grids = options.test ? undefined : readGrids(file);
  const terminal = terminalOf(process.stdout);
  try {
    const model = createModel();
    await loadWeights(weights, model);
    if (!options.json && options.weights === undefined) process.stderr.write(`weights: ${weights}\n`);
    if (grids !== undefined) {
      const evaluation = await evaluate(
        model,
        grids.pixels.map((pixel) => pixel / 16),
      );
      (options.json ? printJson : printText)(terminal, grids, evaluation);
      return;
    }
    const { test } = splitDigits();
    const labels = test.column('y');
    const evaluation = await evaluate(model, test.column('x'), labels);
    if (!options.json) return printEvaluation(terminal, 'Test', test, evaluation);
    const { accuracy, loss, predictions } = evaluation;
    terminal.line(
      JSON.stringify({
        event: 'test',
        images: test.length,
        accuracy,
        loss,
        confusion: confusion(labels, predictions, CLASSES),
      }),
    );
  } finally {
    await disposeDevices();
  }
}

function readGrids(file: string | undefined): Grids {
  if (file !== undefined && file !== '-') return parseGrids(readText(file), file);
  let text: string;
  try {
    text = readFileSync(0, 'utf8');
  } catch (error) {
    throw fileFault('read', 'standard input', error);
  }
  return parseGrids(text, 'standard input');
}

function printText(terminal: Terminal, grids: Grids, { predictions, probabilities }: Evaluation): void {
  const { style } = terminal;
  const labelled = grids.labels.some((label) => label !== undefined);
  const width = Math.max(4, String(grids.lines.at(-1)).length);
  terminal.line(style.dim(`${'line'.padStart(width)}  digit      sure${labelled ? '  label' : ''}`));
  predictions.forEach((prediction, i) => {
    const label = grids.labels[i];
    const sure = percent(probabilities[i * CLASSES + prediction]);
    const verdict =
      label === undefined ? '' : label === prediction ? `      ${label}` : `      ${style.red(`${label}  wrong`)}`;
    terminal.line(
      `${String(grids.lines[i]).padStart(width)}  ${style.bold(String(prediction).padStart(5))}  ${sure.padStart(8)}${verdict}`,
    );
  });
  if (!labelled) return;
  const { right, total } = score(grids, predictions);
  terminal.line();
  terminal.line(`accuracy ${percent(right / total, 2)} (${right} of ${total} right)`);
}

function printJson(terminal: Terminal, grids: Grids, { predictions, probabilities }: Evaluation): void {
  predictions.forEach((prediction, i) => {
    const own = [...probabilities.subarray(i * CLASSES, (i + 1) * CLASSES)];
    const label = grids.labels[i];
    const fields = {
      line: grids.lines[i],
      prediction,
      probability: own[prediction],
      ...(label === undefined ? {} : { label }),
    };
    terminal.line(JSON.stringify({ ...fields, probabilities: own }));
  });
}

function score({ labels }: Grids, predictions: readonly number[]): { right: number; total: number } {
  const total = labels.filter((label) => label !== undefined).length;
  return { total, right: labels.filter((label, i) => label === predictions[i]).length };
}
