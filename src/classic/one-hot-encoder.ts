// Categories as columns of 0 and 1: a column for each category of each feature.

import { tensor } from '../tensor/creation.js';
import { ArgumentError, type OptionNames, checkChoice, shown, wrongKind } from '../tensor/library.js';
import { type AnyTensor, Tensor } from '../tensor/tensor.js';
import { typedArrayKind } from '../tensor/typed-arrays.js';
import { Estimator, type Fitted } from './estimator.js';
import type { Label } from './labels.js';
import { type Rows, counted } from './rows.js';
import { checkFields } from './state-check.js';

/** Rows of categories, each a number or a text. */
export type CategoryRows = Rows | readonly (readonly Label[])[];

export interface OneHotOptions {
  /** A category that fit() has not seen: an error (default), or zeros in all columns of its feature. */
  readonly unseen?: 'error' | 'ignore';
  /** Leave out the first category of each feature (of a linear model's intercept it would be a copy). Default false. */
  readonly dropFirst?: boolean;
}

const ONE_HOT_OPTIONS: OptionNames<OneHotOptions> = { unseen: true, dropFirst: true };

interface OneHotState extends Fitted {
  readonly features: number;
  readonly categories: readonly (readonly Label[])[];
}

/**
 * A column of 0 and 1 for each category of each feature. scikit-learn: OneHotEncoder.
 *
 *     const encoder = await new OneHotEncoder().fit([['red', 1], ['green', 2]]);
 *     encoder.categories; // [['green', 'red'], [1, 2]]
 */
export class OneHotEncoder extends Estimator<OneHotOptions, OneHotState> {
  constructor(options?: OneHotOptions) {
    super(options, ONE_HOT_OPTIONS, { unseen: 'error', dropFirst: false });
    checkChoice('OneHotEncoder', 'unseen', this.options.unseen, ['error', 'ignore']);
    if (typeof this.options.dropFirst !== 'boolean')
      throw wrongKind('OneHotEncoder', 'dropFirst', this.options.dropFirst, 'Use true or false');
  }

  /** The categories of each feature, numbers ascending, texts in the order of their characters. */
  get categories(): readonly (readonly Label[])[] {
    return this.fitted('categories').categories;
  }

  /** What the columns of `transform` stand for: `0=red`, feature and category. */
  get names(): string[] {
    return this.kept().flatMap((list, j) => list.map((category) => `${j}=${category}`));
  }

  async fit(x: CategoryRows): Promise<this> {
    const rows = await readCategories(this.call('fit'), x);
    const categories = rows[0].map((_, j) => {
      const found = [...new Set(rows.map((row) => row[j]))];
      const kind = typeof found[0];
      const other = found.find((category) => typeof category !== kind);
      if (other !== undefined)
        throw new ArgumentError(`${this.call('fit')}: column ${j} has texts and numbers. Give categories of one kind.`);
      return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    });
    this.state = { features: categories.length, categories };
    return this;
  }

  /** → [n, columns], float32. Throws ArgumentError for a category that fit() has not seen, unless `unseen` is 'ignore'. */
  async transform(x: CategoryRows): Promise<Tensor<[number, number]>> {
    const { features } = this.fitted('transform');
    const op = this.call('transform');
    const rows = await readCategories(op, x, features);
    const kept = this.kept();
    const width = kept.reduce((sum, list) => sum + list.length, 0);
    const data = new Float32Array(rows.length * width);
    const ranks = kept.map((list) => new Map(list.map((category, i) => [category, i])));
    const known = this.categories.map((list) => new Set(list));
    rows.forEach((row, i) => {
      let from = i * width;
      row.forEach((category, j) => {
        const rank = ranks[j].get(category);
        if (rank !== undefined) data[from + rank] = 1;
        else if (this.options.unseen === 'error' && !known[j].has(category))
          throw new ArgumentError(
            `${op}: column ${j} has ${shown(category)} in row ${i}, which fit() has not seen. Fit it with such rows, or give unseen: 'ignore'.`,
          );
        from += kept[j].length;
      });
    });
    return tensor(data, { shape: [rows.length, width] });
  }

  async fitTransform(x: CategoryRows): Promise<Tensor<[number, number]>> {
    return (await this.fit(x)).transform(x);
  }

  /** The categories of rows as `transform` gives them; null where all columns of a feature are 0 and none was dropped. */
  async inverseTransform(x: AnyTensor): Promise<(Label | null)[][]> {
    this.fitted('inverseTransform');
    const kept = this.kept();
    const width = kept.reduce((sum, list) => sum + list.length, 0);
    const op = this.call('inverseTransform');
    if (!(x instanceof Tensor) || x.shape.length !== 2 || x.shape[1] !== width)
      throw new ArgumentError(`${op}: x is not what transform() gives. Give a tensor [rows, ${width}].`);
    const data = await x.data();
    return Array.from({ length: x.shape[0] }, (_, i) => {
      let from = i * width;
      return kept.map((list, j) => {
        const at = list.findIndex((_category, k) => data[from + k] > 0.5);
        from += list.length;
        if (at >= 0) return list[at];
        return this.options.dropFirst === true ? this.categories[j][0] : null;
      });
    });
  }

  protected checkState(state: Fitted): void {
    checkFields('OneHotEncoder', state, { features: 'count', categories: 'object' });
    const lists = state['categories'] as readonly unknown[];
    const areLists = Array.isArray(lists) && lists.length === state['features'] && lists.every((l) => Array.isArray(l));
    if (!areLists) throw new ArgumentError('loadEstimator: the categories of the OneHotEncoder are damaged.');
  }

  private kept(): readonly (readonly Label[])[] {
    const { categories } = this.fitted('transform');
    return this.options.dropFirst === true ? categories.map((list) => list.slice(1)) : categories;
  }
}

async function readCategories(op: string, x: unknown, columns?: number): Promise<readonly (readonly Label[])[]> {
  const rows = x instanceof Tensor ? await rowsOf(op, x) : listRows(op, x);
  if (rows.length === 0) throw new ArgumentError(`${op}: x has no rows. Give at least one.`);
  const width = columns ?? rows[0].length;
  if (width === 0) throw new ArgumentError(`${op}: the rows of x have no columns. Give at least one feature.`);
  rows.forEach((row, i) => {
    if (row.length !== width)
      throw new ArgumentError(
        `${op}: row ${i} of x has ${counted(row.length, 'category').replace('categorys', 'categories')}, not ${width}.`,
      );
    row.forEach((category, j) => {
      const isLabel = typeof category === 'string' || (typeof category === 'number' && Number.isFinite(category));
      if (!isLabel) throw wrongKind(op, `x[${i}][${j}]`, category, 'Give texts or numbers');
    });
  });
  return rows;
}

function listRows(op: string, x: unknown): Label[][] {
  if (!Array.isArray(x)) throw wrongKind(op, 'x', x, 'Give a list of rows, or a tensor [rows, features]');
  return x.map((row: unknown, i) => {
    if (!Array.isArray(row) && typedArrayKind(row) === undefined)
      throw wrongKind(op, `row ${i} of x`, row, 'Give a list of categories');
    return Array.from(row as ArrayLike<Label>);
  });
}

async function rowsOf(op: string, x: AnyTensor): Promise<number[][]> {
  if (x.shape.length !== 2) throw new ArgumentError(`${op}: x has rank ${x.shape.length}. Give [rows, features].`);
  const data = await x.data();
  const [rows, columns] = x.shape;
  return Array.from({ length: rows }, (_, i) => Array.from(data.slice(i * columns, (i + 1) * columns)));
}
