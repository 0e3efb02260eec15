// What `nabla fit` says of a fitted model: results in numbers, for JSON and for a person.

import type { Classifier, KMeans, PCA, Regressor } from '../../classic/index.js';
import type { Rows } from '../../classic/index.js';
import { percent } from '../terminal.js';

/** Results by name; lists are rows of a table. */
export type Results = Readonly<Record<string, unknown>>;

export interface Part {
  readonly x: Rows;
  readonly y: readonly (string | number)[];
}

/** Precision, recall and F1 of each class, and how many rows it has. */
export interface ClassRow {
  readonly class: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly rows: number;
}

export async function classifierResults(model: Classifier, train: Part, test: Part): Promise<Results> {
  const predicted = await model.predict(test.x);
  const right = predicted.filter((label, i) => label === test.y[i]).length;
  const perClass = model.classes.map((label): ClassRow => {
    const hits = predicted.filter((p, i) => p === label && test.y[i] === label).length;
    const said = predicted.filter((p) => p === label).length;
    const rows = test.y.filter((own) => own === label).length;
    const precision = said > 0 ? hits / said : 0;
    const recall = rows > 0 ? hits / rows : 0;
    const f1 = precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
    return { class: String(label), precision, recall, f1, rows };
  });
  const accuracy = test.y.length > 0 ? right / test.y.length : NaN;
  return { accuracy, trainAccuracy: await model.score(train.x, [...train.y] as string[]), perClass, ...factsOf(model) };
}

export async function regressorResults(model: Regressor, train: Part, test: Part): Promise<Results> {
  const predicted = await model.predict(test.x);
  const errors = Array.from(predicted, (value, i) => value - (test.y[i] as number));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return {
    r2: await model.score(test.x, test.y as number[]),
    trainR2: await model.score(train.x, train.y as number[]),
    meanAbsoluteError: mean(errors.map(Math.abs)),
    rootMeanSquaredError: Math.sqrt(mean(errors.map((e) => e * e))),
    ...factsOf(model),
  };
}

export async function clusterResults(model: KMeans, rows: number): Promise<Results> {
  const sizes = Array.from(
    { length: model.centers.shape[0] },
    (_, c) => model.labels.filter((label) => label === c).length,
  );
  return {
    inertia: model.inertia,
    inertiaPerRow: model.inertia / rows,
    sizes,
    iterations: model.iterations,
    reason: model.reason,
  };
}

export async function componentResults(model: PCA): Promise<Results> {
  const shares = Array.from(await model.explainedVarianceRatio.data());
  return { components: shares.length, kept: shares.reduce((a, b) => a + b, 0), shares };
}

/** What some models tell about how they were fitted. */
function factsOf(model: object): Results {
  const names = ['iterations', 'reason', 'converged', 'depth', 'leaves', 'zeros', 'outOfBagScore', 'sigma'];
  const facts = names.filter((name) => name in model).map((name) => [name, (model as Results)[name]] as const);
  return Object.fromEntries(facts.filter(([, value]) => !(typeof value === 'number' && Number.isNaN(value))));
}

/** `train accuracy` for trainAccuracy, `R²` for r2. */
function words(name: string): string {
  const text = name.replace('R2', ' R²').replace(/^r2$/, 'R²');
  return text.replaceAll(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
}

function shown(name: string, value: unknown): string {
  if (typeof value !== 'number') return String(value);
  if (/accuracy|kept|outOfBag/i.test(name)) return percent(value, 2);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}

/** Lines for a person: names and values, then the classes as a table. */
export function resultLines(results: Results, dim: (text: string) => string): string[] {
  const plain = Object.entries(results).filter(([, value]) => !Array.isArray(value));
  const wide = plain.reduce((most, [name]) => Math.max(most, words(name).length), 0);
  const lines = plain.map(([name, value]) => `  ${dim(words(name).padEnd(wide))}  ${shown(name, value)}`);
  const { perClass, sizes, shares } = results as { perClass?: ClassRow[]; sizes?: number[]; shares?: number[] };
  if (perClass !== undefined) {
    lines.push('');
    for (const line of classTable(perClass, dim)) lines.push(line);
  }
  if (sizes !== undefined) lines.push(`  ${dim('rows'.padEnd(wide))}  ${sizes.join(', ')}`);
  if (shares !== undefined)
    lines.push(
      `  ${dim('shares'.padEnd(wide))}  ${shares
        .slice(0, 10)
        .map((s) => percent(s))
        .join(', ')}${shares.length > 10 ? ', …' : ''}`,
    );
  return lines;
}

function classTable(rows: readonly ClassRow[], dim: (text: string) => string): string[] {
  const wide = rows.reduce((most, row) => Math.max(most, row.class.length), 5);
  const cells = (list: readonly string[]): string => list.map((text) => text.padStart(9)).join('  ');
  const head = `  ${'class'.padEnd(wide)}  ${cells(['precision', 'recall', 'F1', 'rows'])}`;
  const body = rows.map(
    (row) =>
      `  ${row.class.padEnd(wide)}  ${cells([percent(row.precision), percent(row.recall), percent(row.f1), String(row.rows)])}`,
  );
  return [dim(head), ...body];
}
