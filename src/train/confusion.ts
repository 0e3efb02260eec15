// Which classes a network takes for which, with pictures: what a run writes beside its record, and the dashboard shows. Plain data, as
// JSON: a count for each pair of classes, and for each pair a few of the pictures behind it.
// Must not know: models, the dashboard.

import { type HostImage, contactSheet } from '../data/index.js';
import { toBase64 } from '../io/base64.js';
import { encodePng } from '../io/png.js';
import { isInNode } from '../io/source.js';
import {
  ArgumentError,
  FormatError,
  type OptionNames,
  ShapeError,
  checkList,
  checkNeededOptions,
  checkNumbers,
  checkText,
  checkWhole,
  formatShape,
} from '../tensor/library.js';
import { isCount, isText, fields, listOf } from './plain-data.js';

/** Its name in the folder of a run. */
export const CONFUSION = 'confusion.json';

export interface ConfusionOptions {
  /** Numbers of the right classes, counted from 0. */
  readonly truth: ArrayLike<number>;
  /** What the network said, as many. */
  readonly predicted: ArrayLike<number>;
  /** Names of the classes. Default: their numbers. */
  readonly classes?: readonly string[];
  /** All pictures behind each other, each [channels, height, width] with 1 or 3 channels. Values of any range: each picture is brought to 0 … 1. */
  readonly pictures?: { readonly data: ArrayLike<number>; readonly shape: readonly number[] };
  /** Pictures that are kept for a pair of classes. Default 8. */
  readonly most?: number;
}

const OPTIONS: OptionNames<ConfusionOptions> = {
  truth: true,
  predicted: true,
  classes: true,
  pictures: true,
  most: true,
};

export interface Confusion {
  readonly classes: readonly string[];
  /** [right class][what was said] */
  readonly counts: readonly (readonly number[])[];
  /** PNG files in base64. */
  readonly pictures: readonly { readonly truth: number; readonly predicted: number; readonly png: string }[];
}

/**
 * Writes `confusion.json` into the folder of a run: the dashboard shows it as a matrix, with the pictures behind each cell. What was there
 * is replaced. Needs a file system. `nabla train` writes it for runs on images of classes.
 *
 *     const said = await noGrad(() => model.eval().forward(images).argmax(1)).data();
 *     await writeConfusion('runs/first', { truth: labels, predicted: said, classes: ['cat', 'dog'] });
 */
export async function writeConfusion(folder: string, options: ConfusionOptions): Promise<void> {
  checkText('writeConfusion', 'the folder', folder);
  const confusion = confusionOf(options);
  if (!isInNode()) throw new ArgumentError('writeConfusion: there are no files here. It needs Node.');
  const { mkdir } = process.getBuiltinModule('node:fs/promises');
  const { join } = process.getBuiltinModule('node:path');
  const { writeFileAtomic } = await import('../io/node/files.js');
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(join(folder, CONFUSION), JSON.stringify(confusion));
}

function confusionOf(options: ConfusionOptions): Confusion {
  const op = 'writeConfusion';
  checkNeededOptions(op, options, OPTIONS, '{ truth, predicted }');
  const { truth, predicted, pictures, most = 8 } = options;
  checkNumbers(op, 'truth', truth);
  checkNumbers(op, 'predicted', predicted);
  checkWhole(op, 'most', most);
  if (truth.length !== predicted.length || truth.length === 0)
    throw new ArgumentError(
      `${op}: ${truth.length} labels and ${predicted.length} predictions. Give as many of both, at least one.`,
    );
  let count = 0;
  for (let i = 0; i < truth.length; i++) count = Math.max(count, truth[i] + 1, predicted[i] + 1);
  const { classes = Array.from({ length: count }, (_, i) => String(i)) } = options;
  checkList(op, 'classes', classes, 'names');
  classes.forEach((name, i) => checkText(op, `class ${i}`, name));
  const isClass = (label: number): boolean => Number.isInteger(label) && label >= 0 && label < classes.length;
  const counts = classes.map(() => classes.map(() => 0));
  for (let i = 0; i < truth.length; i++) {
    const wrong = [truth[i], predicted[i]].find((label) => !isClass(label));
    if (wrong !== undefined)
      throw new ArgumentError(
        `${op}: sample ${i} has the class ${wrong}. Classes are whole numbers from 0 to ${classes.length - 1}.`,
      );
    counts[truth[i]][predicted[i]]++;
  }
  return { classes, counts, pictures: pictures === undefined ? [] : shownOf(truth, predicted, pictures, most) };
}

/** The first few of each pair. */
function shownOf(
  truth: ArrayLike<number>,
  predicted: ArrayLike<number>,
  { data, shape }: NonNullable<ConfusionOptions['pictures']>,
  most: number,
): Confusion['pictures'] {
  checkNumbers('writeConfusion', 'the data of the pictures', data);
  const [channels, height, width] = shape;
  const size = channels * height * width;
  if (shape.length !== 3 || (channels !== 1 && channels !== 3) || data.length !== size * truth.length)
    throw new ShapeError(
      `writeConfusion: ${data.length} numbers for ${truth.length} pictures of the shape ${formatShape(shape)}. Give all behind each other, each [1, H, W] or [3, H, W].`,
      [shape],
    );
  const taken = new Map<string, number>();
  const shown: Confusion['pictures'][number][] = [];
  for (let i = 0; i < truth.length; i++) {
    const pair = `${truth[i]} ${predicted[i]}`;
    const count = taken.get(pair) ?? 0;
    if (count === most) continue;
    taken.set(pair, count + 1);
    const picture: HostImage = { data: stretched(data, i * size, size), shape: [channels, height, width] };
    const png = encodePng(contactSheet([picture], { gap: 0, scale: 1 }));
    shown.push({ truth: truth[i], predicted: predicted[i], png: toBase64(png) });
  }
  return shown;
}

/** So many numbers, the smallest as 0 and the largest as 1. */
function stretched(data: ArrayLike<number>, from: number, count: number): Float32Array {
  let [low, high] = [Infinity, -Infinity];
  for (let i = from; i < from + count; i++) [low, high] = [Math.min(low, data[i]), Math.max(high, data[i])];
  return Float32Array.from({ length: count }, (_, i) => (data[from + i] - low) / (high - low || 1));
}

const isPicture = fields({ truth: isCount, predicted: isCount, png: isText });
const isConfusion = fields({ classes: listOf(isText), counts: listOf(listOf(isCount)), pictures: listOf(isPicture) });

/** Reads what `writeConfusion` wrote. Throws FormatError for anything else. */
export function parseConfusion(text: string): Confusion {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw Object.assign(new FormatError(`${CONFUSION} is no JSON.`, CONFUSION), { cause });
  }
  if (isConfusion(value)) {
    const found = value as Confusion;
    const count = found.classes.length;
    if (found.counts.length === count && found.counts.every((row) => row.length === count)) return found;
  }
  throw new FormatError(`${CONFUSION} is no confusion matrix.`, CONFUSION);
}
