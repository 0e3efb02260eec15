// What does not fit between a file and a model, in one sentence with the nearest names.
// Keys and shapes in; a text out. Must not know: tensors, files, modules.

import { editDistance, formatShape } from '../../tensor/library.js';

export interface Misfit {
  readonly file: string;
  readonly module: string;
  /** Keys of the model that the file lacks. */
  readonly missing: readonly string[];
  /** Keys of the file, renamed, that the model lacks. */
  readonly unexpected: readonly string[];
  /** Key, the file's shape, the model's shape. */
  readonly misshaped: readonly (readonly [key: string, given: readonly number[], wanted: readonly number[]])[];
  readonly shapeOfOwn: (key: string) => readonly number[];
  readonly shapeOfGiven: (key: string) => readonly number[];
  readonly isPrefixed: boolean;
}

/** Listed of each kind; the error's fields have all. */
const MOST_LISTED = 20;

export function describeMisfit(misfit: Misfit): string {
  const { file, module, missing, unexpected, misshaped, shapeOfOwn, shapeOfGiven } = misfit;
  const parts: string[] = [];
  if (missing.length > 0) {
    const texts = missing.slice(0, MOST_LISTED).map((key) => {
      const near = nearest(key, unexpected, shapeOfOwn(key), shapeOfGiven);
      const hint = near === undefined ? '' : ` (the file has ${near} ${formatShape(shapeOfGiven(near))})`;
      return `${key} ${formatShape(shapeOfOwn(key))}${hint}`;
    });
    parts.push(`missing: ${listed(texts, missing.length)}`);
  }
  if (unexpected.length > 0) {
    const texts = unexpected.slice(0, MOST_LISTED).map((key) => `${key} ${formatShape(shapeOfGiven(key))}`);
    parts.push(`unexpected: ${listed(texts, unexpected.length)}`);
  }
  if (misshaped.length > 0) {
    const texts = misshaped
      .slice(0, MOST_LISTED)
      .map(([key, given, wanted]) => `${key} (${formatShape(given)} for ${formatShape(wanted)})`);
    parts.push(`of another shape: ${listed(texts, misshaped.length)}`);
  }
  return `loadWeights: ${file} does not fit ${module}: ${parts.join('; ')}. ${adviceFor(misfit)}`;
}

function listed(texts: readonly string[], count: number): string {
  return texts.join(', ') + (count > texts.length ? ` and ${count - texts.length} more` : '');
}

function adviceFor({ missing, unexpected, misshaped, isPrefixed }: Misfit): string {
  const below = isPrefixed ? undefined : commonPrefix(missing, unexpected);
  if (below?.at === 'file') return `With prefix: '${below.prefix}' the keys below it are loaded.`;
  if (below?.at === 'model') return `With map: (key) => \`${below.prefix}.\${key}\` they get the model's names.`;
  if (misshaped.length > 0)
    return `Build the model with the same sizes, or leave a key out: map: { '${misshaped[0][0]}': null } with strict: false.`;
  if (missing.length > 0 && unexpected.length > 0) return `Rename keys with map; strict: false loads what fits.`;
  return 'strict: false loads what fits.';
}

/** What stands before every key of the one side, whose rest is a key of the other side. */
function commonPrefix(
  missing: readonly string[],
  unexpected: readonly string[],
): { readonly at: 'file' | 'model'; readonly prefix: string } | undefined {
  if (missing.length === 0 || unexpected.length === 0) return undefined;
  const [first, others] = [missing[0], new Set(unexpected)];
  const inFile = unexpected.find((key) => key.endsWith(`.${first}`));
  if (inFile !== undefined) {
    const prefix = inFile.slice(0, -first.length - 1);
    if (missing.every((key) => others.has(`${prefix}.${key}`))) return { at: 'file', prefix };
  }
  const inModel = unexpected.find((key) => first.endsWith(`.${key}`));
  if (inModel !== undefined) {
    const prefix = first.slice(0, -inModel.length - 1);
    if (missing.every((key) => key.startsWith(`${prefix}.`) && others.has(key.slice(prefix.length + 1))))
      return { at: 'model', prefix };
  }
  return undefined;
}

const MOST_COMPARED = 500;

/** The key that is most like it, of those with the same shape if there are any near. */
function nearest(
  key: string,
  candidates: readonly string[],
  shape: readonly number[],
  shapeOf: (key: string) => readonly number[],
): string | undefined {
  const same = candidates.filter((other) => formatShape(shapeOf(other)) === formatShape(shape));
  for (const group of [same, candidates]) {
    const [best] = group
      .slice(0, MOST_COMPARED)
      .map((other) => ({ other, distance: editDistance(key, other) }))
      .toSorted((a, b) => a.distance - b.distance);
    if (best !== undefined && best.distance <= Math.max(3, key.length / 2)) return best.other;
  }
  return undefined;
}
