// `nabla predict` for images: what the network says of each, and how well where there are labels.

import type { ImagePredictor } from '../../train/index.js';
import { CliError, fileFault } from '../errors.js';
import { readText } from '../run-folder.js';
import { type Terminal, percent } from '../terminal.js';
import { type Classified, classify } from './classify.js';
import { readImageFile } from './image-files.js';
import { type Images, parseImages } from './image-text.js';
import { largest } from '../../tensor/extremes.js';

export async function predictImages(
  predictor: ImagePredictor,
  file: string | undefined,
  terminal: Terminal,
  isJson: boolean,
): Promise<void> {
  const { model, shape, prepare, classes } = predictor;
  const images = await readImages(file, predictor);
  const pixels = images.pixels.slice();
  prepare?.(pixels);
  const classified = await classify(model, pixels, shape);
  (isJson ? printJson : printText)(terminal, images, classified, classes);
}

async function readImages(file: string | undefined, predictor: ImagePredictor): Promise<Images> {
  const format = { shape: predictor.shape, most: predictor.most, classes: predictor.classes.length };
  if (file !== undefined && file !== '-') {
    return (await readImageFile(file, format)) ?? parseImages(readText(file), file, format);
  }
  if (file === undefined && process.stdin.isTTY) {
    throw new CliError('nothing to classify. Name a file, pipe one in, or use --test. See nabla predict --help.');
  }
  try {
    return parseImages(await readStandardInput(), 'standard input', format);
  } catch (error) {
    throw error instanceof CliError ? error : fileFault('read', 'standard input', error);
  }
}

/** All of it, however slowly it comes: reading at once would fail where nothing has come yet. */
async function readStandardInput(): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of process.stdin) parts.push(part as Uint8Array);
  return Buffer.concat(parts).toString('utf8');
}

function printText(terminal: Terminal, images: Images, classified: Classified, classes: readonly string[]): void {
  const { style } = terminal;
  const { predictions, probabilities } = classified;
  const labelled = images.labels.some((label) => label !== undefined);
  const width = Math.max(5, largest(images.names.map((name) => name.length)));
  const wide = Math.max(5, largest(classes.map((name) => name.length)));
  terminal.line(
    style.dim(`${'image'.padStart(width)}  ${'class'.padStart(wide)}      sure${labelled ? '  label' : ''}`),
  );
  predictions.forEach((prediction, i) => {
    const label = images.labels[i];
    const sure = percent(probabilities[i * classified.classes + prediction]).padStart(8);
    const name = label === undefined ? '' : classes[label];
    const verdict =
      label === undefined ? '' : label === prediction ? `      ${name}` : `      ${style.red(`${name}  wrong`)}`;
    const said = style.bold(classes[prediction].padStart(wide));
    terminal.line(`${images.names[i].padStart(width)}  ${said}  ${sure}${verdict}`);
  });
  if (!labelled) return;
  const total = images.labels.filter((label) => label !== undefined).length;
  const right = images.labels.filter((label, i) => label === predictions[i]).length;
  terminal.line();
  terminal.line(`accuracy ${percent(right / total, 2)} (${right} of ${total} right)`);
}

function printJson(terminal: Terminal, images: Images, classified: Classified, classes: readonly string[]): void {
  const { predictions, probabilities } = classified;
  predictions.forEach((prediction, i) => {
    const own = [...probabilities.subarray(i * classified.classes, (i + 1) * classified.classes)];
    const label = images.labels[i];
    const fields = {
      image: images.names[i],
      prediction: classes[prediction],
      probability: own[prediction],
      ...(label === undefined ? {} : { label: classes[label] }),
    };
    terminal.line(JSON.stringify({ ...fields, probabilities: own }));
  });
}
