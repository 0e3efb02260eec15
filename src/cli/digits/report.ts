// The end of a run, or of `nabla predict --test`, for a person: accuracy, confusion matrix, some mistakes drawn.

import { type Picture, SIDE, confusion, drawConfusion, drawGallery } from '../draw.js';
import { type Terminal, percent } from '../terminal.js';
import type { Digits } from '../../data/index.js';
import { CLASSES } from './recipe.js';
import type { Evaluation } from './trainer.js';

const SHOWN = 4;
const AREA = SIDE * SIDE;

export function printEvaluation(terminal: Terminal, what: string, images: Digits, evaluation: Evaluation): void {
  const { style } = terminal;
  const labels = images.column('y');
  const wrong = [...labels.keys()].filter((i) => evaluation.predictions[i] !== labels[i]);
  const right = labels.length - wrong.length;
  const result = `${percent(evaluation.accuracy, 2)}  (${right} of ${labels.length} right), loss ${evaluation.loss.toFixed(4)}`;
  terminal.line(`${style.bold(`${what} accuracy`)}  ${style.bold(result)}`);
  terminal.line();
  terminal.line('Confusion matrix: a row is what the digit is, a column what the network said.');
  for (const line of drawConfusion(confusion(labels, evaluation.predictions, CLASSES), style)) terminal.line(line);
  if (wrong.length === 0) return;
  terminal.line();
  const shown = wrong.slice(0, SHOWN);
  terminal.line(
    wrong.length > shown.length
      ? `${shown.length} of the ${wrong.length} mistakes:`
      : wrong.length === 1
        ? 'The only mistake:'
        : 'The mistakes:',
  );
  terminal.line();
  const pixels = images.column('x');
  const pictures = shown.map((i): Picture => {
    const prediction = evaluation.predictions[i];
    const sure = evaluation.probabilities[i * CLASSES + prediction];
    return {
      pixels: pixels.slice(i * AREA, (i + 1) * AREA).map((share) => share * 16),
      caption: [`is ${labels[i]}, said ${prediction}`, `${Math.round(sure * 100)} % sure`],
    };
  });
  for (const line of drawGallery(pictures, terminal.columns)) terminal.line(line);
}
