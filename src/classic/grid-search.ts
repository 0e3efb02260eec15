// The best options of an estimator: a search over a space, judged by cross-validation, and a fit of the best to all rows.

import { type OptionNames, checkHas, checkOptions, checkRecord, wrongKind } from '../tensor/library.js';
import {
  type Dimension,
  type ParamsOf,
  type Space,
  type Strategy,
  type Study,
  choice,
  gridSearch as wholeGrid,
  search,
} from '../train/search/index.js';
import {
  CROSS_OPTIONS,
  type CrossValidateOptions,
  type CrossValidation,
  type Predictor,
  loadRows,
  scoreFolds,
} from './cross-validate.js';
import { type Rows, tensorOf } from './rows.js';

/** What to try for each option: a list of values, or a dimension of `nabla/train` (`logUniform(1e-3, 10)`). */
export type Grid = Readonly<Record<string, readonly unknown[] | Dimension<never> | Dimension<unknown>>>;

/** The grid as a space of `search`. */
export type GridSpace<G extends Grid> = {
  readonly [K in keyof G]: G[K] extends readonly (infer T)[] ? Dimension<T> : Exclude<G[K], readonly unknown[]>;
};

export interface GridSearchOptions<M = Predictor> extends CrossValidateOptions<M> {
  /** How points are chosen. Default: all of the grid, each dimension at `points` values. */
  readonly strategy?: Strategy;
  /** Values of a dimension without a list. Default 5. */
  readonly points?: number;
  /** Trials at most. Default: all of the grid, or 50 with another strategy. */
  readonly trials?: number;
}

const OPTIONS: OptionNames<GridSearchOptions> = { ...CROSS_OPTIONS, strategy: true, points: true, trials: true };

export interface GridResult<M, G extends Grid> {
  /** The best options, fitted to all rows. */
  readonly best: M;
  readonly params: ParamsOf<GridSpace<G>>;
  /** Mean score of the best options over the folds. */
  readonly score: number;
  /** Scores of all folds, of each trial in the order of its number. */
  readonly validations: readonly CrossValidation[];
  readonly study: Study<GridSpace<G>>;
}

/**
 * Tries options, scores each by cross-validation on the same folds, and fits the best to all rows. In a pipeline a name is an option of
 * the last step, or 'Step.option'. scikit-learn: GridSearchCV.
 *
 *     const { best, params } = await gridSearch(new KNeighborsClassifier(), { k: [1, 3, 5, 7] }, x, y);
 */
export async function gridSearch<M extends Predictor, const G extends Grid>(
  estimator: M,
  grid: G,
  x: Rows,
  y: Parameters<M['fit']>[1],
  options: GridSearchOptions<M> = {},
): Promise<GridResult<M, G>> {
  const op = 'gridSearch';
  checkOptions(op, options, OPTIONS);
  const { strategy, points = 5, trials, ...cross } = options;
  checkRecord(op, 'the grid', grid, 'values to try');
  const loaded = await loadRows(op, estimator, x, y);
  const dimensions = Object.entries(grid).map(([name, values]): [string, Dimension<unknown>] => [
    name,
    dimensionOf(op, name, values),
  ]);
  const space: Space = Object.fromEntries(dimensions);
  for (const [name, dimension] of dimensions) estimator.copy({ [name]: dimension.grid(points)[0] }); // says which options there are
  const validations: CrossValidation[] = [];
  const study = await search(
    space,
    async (params, { number }) => {
      validations[number] = await scoreFolds(op, estimator.copy(params), loaded, cross);
      return validations[number].mean;
    },
    {
      direction: 'maximize',
      strategy: strategy ?? wholeGrid({ points }),
      trials: trials ?? (strategy === undefined ? 1_000_000 : 50),
      ...(cross.seed !== undefined && { seed: cross.seed }),
    },
  );
  const { params, value } = study.best;
  const best = estimator.copy(params);
  await best.fit(tensorOf(loaded.matrix), [...loaded.labels] as never); // as y was, which M takes
  return {
    best,
    params: params as ParamsOf<GridSpace<G>>,
    score: value,
    validations,
    study: study as Study<GridSpace<G>>,
  };
}

function dimensionOf(op: string, name: string, values: unknown): Dimension<unknown> {
  if (Array.isArray(values)) {
    if (values.length === 0) throw wrongKind(op, `'${name}'`, values, 'List at least one value');
    return choice<unknown>(values);
  }
  checkHas(op, `'${name}'`, values, ['at', 'place', 'grid'], 'Give a list of values, or a dimension of nabla/train');
  return values as Dimension<unknown>;
}
