// `nabla predict` for images: what the network says of each, and how well where there are labels.

import type { ImagePredictor } from '../../train/index.js';
import { CliError } from '../errors.js';
import { readText } from '../run-folder.js';
import { drawImage, layOut } from '../draw.js';
import { type Terminal, percent } from '../terminal.js';
import { wrapped } from '../wrap.js';
import { invertForeign } from './background.js';
import { readStandardInput } from './standard-input.js';
import { type Classified, classify } from './classify.js';
import { readImageFile } from './image-files.js';
import { type ImageFormat, type Images, parseImages } from './image-text.js';
import { largest } from '../../tensor/extremes.js';

export interface ShowOptions {
  /** Draw what the network sees. Default: where it is a picture, or was inverted. */
  readonly show?: true;
  /** false: a picture with the other background than the network's stays as it is. */
  readonly invert: boolean;
  readonly json?: true;
}

export async function predictImages(
  predictor: ImagePredictor,
  file: string | undefined,
  terminal: Terminal,
  options: ShowOptions,
): Promise<void> {
  const { model, shape, prepare, classes, background } = predictor;
  const images = await readImages(file, predictor);
  const seen = images.pixels.slice();
  const inverted =
    background === undefined || !options.invert
      ? new Array<boolean>(images.count).fill(false)
      : invertForeign(seen, shape, background);
  const pixels = seen.slice();
  prepare?.(pixels);
  const classified = await classify(model, pixels, shape);
  if (options.json) return printJson(terminal, images, classified, classes, inverted);
  if (inverted.includes(true)) sayInverted(terminal, images, inverted, background);
  if (options.show || images.isPicture || inverted.includes(true))
    showImages(terminal, images, seen, shape, options.show ? undefined : inverted);
  printText(terminal, images, classified, classes);
}

function sayInverted(
  terminal: Terminal,
  { names, count }: Images,
  inverted: readonly boolean[],
  background: ImagePredictor['background'],
): void {
  const how = background === 'black' ? ['dark on light', 'light on dark'] : ['light on dark', 'dark on light'];
  const many = inverted.filter(Boolean).length;
  const what =
    count === 1
      ? `image ${names[0]} is`
      : many === count
        ? `all ${count} images are`
        : `${many} of ${count} images are`;
  const text = `${what} ${how[0]}: inverted, as this network has learned ${how[1]} (--no-invert leaves them as they are).`;
  for (const line of wrapped(
    capital(count === 1 ? text.replace('leaves them as they are', 'leaves it as it is') : text),
    terminal.columns - 2,
  ))
    terminal.line(line);
  terminal.line();
}

const capital = (text: string): string => text[0].toUpperCase() + text.slice(1);

/** Drawn at most. */
const MOST_SHOWN = 6;

/** What the network sees, before its numbers are scaled; of the images that are `chosen`, if any is. */
function showImages(
  terminal: Terminal,
  { names, count, isPicture }: Images,
  pixels: Float32Array,
  shape: readonly number[],
  chosen: readonly boolean[] | undefined,
): void {
  const size = pixels.length / count;
  const all = Array.from({ length: count }, (_, i) => i).filter((i) => isPicture || (chosen?.[i] ?? true));
  const blocks = all.slice(0, MOST_SHOWN).map((i) => {
    const lines = drawImage(pixels.subarray(i * size, (i + 1) * size), shape);
    return count === 1 ? lines : [...lines, `image ${names[i]}`];
  });
  terminal.line(
    all.length > blocks.length ? `What the network sees, the first ${blocks.length}:` : 'What the network sees:',
  );
  terminal.line();
  for (const line of layOut(blocks, largest(blocks[0].map((line) => line.length)), terminal.columns))
    terminal.line(line);
  terminal.line();
}

/** Networks whose pictures have one background have learned drawings: a picture is laid out as theirs are. */
function drawingOf({ background, margin = 0 }: ImagePredictor): Pick<ImageFormat, 'drawing'> {
  return background === undefined ? {} : { drawing: { margin } };
}

export const formatOf = (predictor: ImagePredictor): ImageFormat => ({
  shape: predictor.shape,
  most: predictor.most,
  classes: predictor.classes.length,
  ...drawingOf(predictor),
});

async function readImages(file: string | undefined, predictor: ImagePredictor): Promise<Images> {
  const format = formatOf(predictor);
  if (file !== undefined && file !== '-') {
    return (await readImageFile(file, format)) ?? parseImages(readText(file), file, format);
  }
  if (file === undefined && process.stdin.isTTY) {
    throw new CliError('nothing to classify. Name a file, pipe one in, or use --test. See nabla predict --help.');
  }
  return parseImages(await readStandardInput(), 'standard input', format);
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

function printJson(
  terminal: Terminal,
  images: Images,
  classified: Classified,
  classes: readonly string[],
  inverted: readonly boolean[],
): void {
  const { predictions, probabilities } = classified;
  predictions.forEach((prediction, i) => {
    const own = [...probabilities.subarray(i * classified.classes, (i + 1) * classified.classes)];
    const label = images.labels[i];
    const fields = {
      image: images.names[i],
      prediction: classes[prediction],
      probability: own[prediction],
      ...(label === undefined ? {} : { label: classes[label] }),
      ...(inverted[i] && { inverted: true }),
    };
    terminal.line(JSON.stringify({ ...fields, probabilities: own }));
  });
}
