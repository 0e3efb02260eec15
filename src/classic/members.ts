// What ensembles share: the shares of the classes that a member gives to rows, and what a stored list of members has to be.

import { FormatError } from '../tensor/library.js';
import type { Classifier, Estimator, Fitted } from './estimator.js';
import type { Label } from './labels.js';
import { type Matrix, readRows, tensorOf, zeroMatrix } from './rows.js';

const placesOf = (classes: readonly Label[]): Map<Label, number> => new Map(classes.map((label, i) => [label, i]));

/** A vote of the member for each row, among all classes: 1 for the class that it predicts. */
export async function votesOf(member: Classifier, x: Matrix, classes: readonly Label[]): Promise<Matrix> {
  const out = zeroMatrix(x.rows, classes.length);
  const places = placesOf(classes);
  const predicted = await member.predict(tensorOf(x));
  predicted.forEach((label, i) => (out.data[i * classes.length + places.get(label)!] = 1));
  return out;
}

/** Probabilities of a member in the order of all classes; a vote where it gives none. */
export async function sharesOf(member: Classifier, x: Matrix, classes: readonly Label[]): Promise<Matrix> {
  if (!member.givesProbabilities) return votesOf(member, x, classes);
  const out = zeroMatrix(x.rows, classes.length);
  const places = placesOf(classes);
  const own = member.classes.map((label) => places.get(label)!);
  const { data } = await readRows('predictProba', await member.predictProba(tensorOf(x)));
  for (let i = 0; i < x.rows; i++)
    for (let c = 0; c < own.length; c++) out.data[i * classes.length + own[c]] = data[i * own.length + c];
  return out;
}

export function checkMembers(name: string, state: Fitted, isMember: (e: unknown) => boolean): void {
  const { estimators, columns, features } = state as Partial<Record<string, unknown>>;
  const areMembers =
    Array.isArray(estimators) &&
    estimators.length > 0 &&
    estimators.every((e) => isMember(e) && (e as Estimator).isFitted);
  const isColumn = (list: unknown): boolean =>
    list instanceof Int32Array && list.every((c) => c >= 0 && c < (features as number));
  const haveColumns =
    columns === undefined ||
    (Array.isArray(columns) &&
      Array.isArray(estimators) &&
      columns.length === estimators.length &&
      columns.every(isColumn));
  if (!areMembers || !haveColumns) throw new FormatError(`loadEstimator: the estimators of the ${name} are damaged.`);
}
