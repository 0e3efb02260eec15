// Classes as people call them, numbers or texts, and their places 0, 1, … in order.

import { ArgumentError, shown, wrongKind } from '../tensor/library.js';
import type { AnyTensor } from '../tensor/tensor.js';
import { listOf } from './rows.js';

/** What a class is called. */
export type Label = number | string;

/** The class of each row: texts or whole numbers, or a tensor [n] of whole numbers. */
export type Labels<L extends Label = Label> = readonly L[] | Int32Array | Uint8Array | Float32Array | AnyTensor;

export interface Encoded {
  /** The place of each row's class in `classes`. */
  readonly y: Int32Array;
  /** Numbers ascending, texts in the order of their characters. */
  readonly classes: readonly Label[];
}

/** Classes of rows to learn from. Throws ArgumentError for labels that are none, and where there is only one class. */
export async function readLabels(op: string, y: unknown, rows: number): Promise<Encoded> {
  const list = await readLabelList(op, y, rows);
  const classes = [...new Set(list)].sort(compare);
  if (classes.length < 2)
    throw new ArgumentError(
      `${op}: all rows are of one class, ${shown(classes[0])}. Give rows of at least two classes.`,
    );
  const places = new Map(classes.map((label, i) => [label, i]));
  return { y: Int32Array.from(list, (label) => places.get(label)!), classes };
}

/** Labels as they are, all texts or all whole numbers. */
export async function readLabelList(op: string, y: unknown, rows: number): Promise<readonly Label[]> {
  const list = await listOf(op, y, rows, 'labels');
  const kind = typeof list[0];
  list.forEach((label, i) => {
    if (typeof label !== 'number' && typeof label !== 'string')
      throw wrongKind(op, `y[${i}]`, label, 'Give labels that are texts or whole numbers');
    if (typeof label !== kind)
      throw new ArgumentError(`${op}: y has texts and numbers (y[0] and y[${i}]). Give labels of one kind.`);
    if (typeof label === 'number' && !Number.isInteger(label))
      throw new ArgumentError(`${op}: y[${i}] is ${label}, which is no class. Give whole numbers or texts.`);
  });
  return list as readonly Label[];
}

function compare(a: Label, b: Label): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
