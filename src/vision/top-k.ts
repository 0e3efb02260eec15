// What a classifier says, in words: the most probable classes by their names.

import {
  ArgumentError,
  DTypeError,
  ShapeError,
  checkList,
  checkOptions,
  checkWhole,
  formatShape,
  type OptionNames,
} from '../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';

export interface TopKOptions {
  /** How many, at most. Default 5. */
  readonly k?: number;
  /** A name for each class, such as `await classNames('imagenet')`. Default: their numbers. */
  readonly names?: readonly string[];
  /** Whether the numbers are logits, of which softmax makes probabilities. Default true. */
  readonly softmax?: boolean;
}

const TOP_K_OPTIONS: OptionNames<TopKOptions> = { k: true, names: true, softmax: true };

export interface Prediction {
  /** The name of the class, or its number as a text. */
  readonly label: string;
  readonly index: number;
  readonly probability: number;
}

/**
 * The k most probable classes of one picture, best first: logits [classes] or [1, classes]. Reads the logits.
 *
 *     const [best] = await topK(model.forward(x), { names: await classNames('imagenet') });
 *     best // { label: 'palace', index: 698, probability: 0.87 }
 */
export async function topK(logits: AnyTensor, options: TopKOptions = {}): Promise<Prediction[]> {
  const rows = await predictions('topK', logits, options);
  if (rows.length === 1) return rows[0];
  throw new ShapeError(
    `topK: logits ${formatShape(logits.shape)} are of ${rows.length} pictures. Use topKOfEach, or one row of them.`,
    [logits.shape],
  );
}

/** `topK` of each of several pictures: logits [N, classes]. Reads the logits. */
export async function topKOfEach(logits: AnyTensor, options: TopKOptions = {}): Promise<Prediction[][]> {
  return predictions('topKOfEach', logits, options);
}

async function predictions(op: string, logits: AnyTensor, options: TopKOptions): Promise<Prediction[][]> {
  checkTensor(logits, op, 'the logits');
  checkOptions(op, options, TOP_K_OPTIONS);
  const { k = 5, names, softmax = true } = options;
  checkWhole(op, 'k', k, 1);
  if (logits.dtype === 'bool') throw new DTypeError(`${op}: the logits are bool. Give real numbers.`, ['bool']);
  if (logits.rank !== 1 && logits.rank !== 2)
    throw new ShapeError(`${op}: logits ${formatShape(logits.shape)}: need [classes] or [N, classes]`, [logits.shape]);
  const classes = logits.shape[logits.rank - 1];
  if (classes === 0) throw new ShapeError(`${op}: logits ${formatShape(logits.shape)} have no classes`, [logits.shape]);
  if (names !== undefined) checkNames(op, names, classes);
  const given: Tensor = logits.to('float32').reshape([-1, classes]);
  const found = await (softmax ? given.softmax(1) : given).data();
  return Array.from({ length: found.length / classes }, (_, i) => {
    const row = found.subarray(i * classes, (i + 1) * classes);
    const order = Array.from(row, (_value, at) => at).sort((a, b) => row[b] - row[a] || a - b);
    return order
      .slice(0, k)
      .map((index) => ({ label: names?.[index] ?? String(index), index, probability: row[index] }));
  });
}

function checkNames(op: string, names: readonly string[], classes: number): void {
  checkList(op, 'names', names, 'names of the classes');
  if (names.length === classes) return;
  const background =
    classes === names.length + 1
      ? ' Some networks have a class 0 of their own for the background: put a name in front.'
      : '';
  throw new ArgumentError(`${op}: ${names.length} names for ${classes} classes.${background}`);
}
