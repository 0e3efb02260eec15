// What all estimators are: options with their values, a state that fit() makes, and a file that holds both.
//   Four kinds: classifiers, regressors, transformers, and what is several of them.
// The state is plain data (numbers, texts, typed arrays, matrices, lists, other estimators), so that one writer and one reader serve all.
// Must not know: which estimators there are.

import type { Metadata } from '../io/state-dict.js';
import {
  ArgumentError,
  NablaError,
  type OptionNames,
  checkOptions,
  checkRecord,
  checkText,
} from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Encoded, type Label, type Labels, readLabelList, readLabels } from './labels.js';
import { type Matrix, type Rows, type Targets, readRows, readTargets, tensorOf } from './rows.js';
import { accuracyOf, r2Of } from './scores.js';
import { type Stored, estimatorBytes, saveEstimator } from './stored.js';

/** A method needs a fitted estimator, and `fit` has not been called. */
export class NotFittedError extends NablaError {
  override name = 'NotFittedError';
}

/** A fitted state with the number of features that it was fitted to. */
export type Fitted = { readonly [name: string]: Stored };

export abstract class Estimator<O extends object = object, F extends Fitted = Fitted> {
  /** Every option with its value; what was left out has its default. */
  readonly options: Readonly<O>;
  /** What fit() has made. */
  protected state: F | undefined;

  /** `known` names the options, `defaults` has the values of those that may be left out. */
  protected constructor(given: Partial<O> | undefined, known: OptionNames<O>, defaults: O) {
    checkOptions(new.target.name, given, known);
    const set = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
    this.options = Object.freeze({ ...defaults, ...Object.fromEntries(set) });
  }

  get isFitted(): boolean {
    return this.state !== undefined;
  }

  /** Number of features that it was fitted to. Throws NotFittedError before fit(). */
  get features(): number {
    return this.fitted('features')['features'] as number;
  }

  /**
   * An unfitted copy, with other options where they are given. scikit-learn: clone, set_params.
   *
   *     model.copy({ k: 3 })
   */
  copy(changes: Readonly<Record<string, unknown>> = {}): this {
    checkRecord(this.call('copy'), 'the argument', changes, 'options');
    const Self = this.constructor as new (options: object) => this;
    const own = Object.entries(this.options).map(([name, value]) => [name, isEstimator(value) ? value.copy() : value]);
    return new Self({ ...Object.fromEntries(own), ...changes });
  }

  /** Writes options and state to a safetensors file, for `loadEstimator`. Node only. Throws NotFittedError before fit(). */
  async save(path: string, metadata: Metadata = {}): Promise<void> {
    checkText(this.call('save'), 'the path', path);
    this.fitted('save');
    await saveEstimator(path, this.toStored(), metadata);
  }

  /** The same as bytes. */
  async toBytes(): Promise<Uint8Array> {
    this.fitted('toBytes');
    return estimatorBytes(this.toStored());
  }

  /** @internal Name, options and state. */
  toStored(): Stored {
    return { estimator: this.constructor.name, options: this.options as Fitted, state: this.state ?? null };
  }

  /** @internal Takes a state that toStored() has given. Throws ArgumentError for one that is none of this estimator's. */
  restore(state: Fitted): void {
    this.checkState(state);
    this.state = state as F;
  }

  /** Throws ArgumentError unless the state, from a file that may be anybody's, is one that fit() could have made. */
  protected abstract checkState(state: Fitted): void;

  /** What fit() has made. Throws NotFittedError before. */
  protected fitted(call: string): F {
    if (this.state !== undefined) return this.state;
    throw new NotFittedError(`${this.constructor.name}.${call}: it is not fitted. Call fit() first, and await it.`);
  }

  /** How errors name a call: `KMeans.fit`. */
  protected call(method: string): string {
    return `${this.constructor.name}.${method}`;
  }
}

/** An estimator fitted to labels of type L. */
export type Labelled<L extends Label, M> = {
  readonly classes: readonly L[];
  predict(x: Rows): Promise<L[]>;
} & M;

/** Says to which class each row belongs. */
export abstract class Classifier<O extends object = object, F extends Fitted = Fitted> extends Estimator<O, F> {
  /** The classes in order: numbers ascending, texts by their characters. */
  abstract get classes(): readonly Label[];
  /** Learns from rows and their classes. */
  abstract fit<L extends Label>(x: Rows, y: Labels<L>): Promise<Labelled<L, this>>;
  /** The class of each row. */
  abstract predict(x: Rows): Promise<Label[]>;

  /** Whether `predictProba` gives something. */
  get givesProbabilities(): boolean {
    return false;
  }

  /** How probable each class is → [n, classes], rows with sum 1. Throws ArgumentError where there are no probabilities. */
  async predictProba(_x: Rows): Promise<Tensor<[number, number]>> {
    throw new ArgumentError(`${this.call('predictProba')}: it gives no probabilities. Use predict().`);
  }

  /** Share of rows whose class is predicted. */
  async score(x: Rows, y: Labels): Promise<number> {
    const { features } = this.fitted('score');
    const rows = await readRows(this.call('score'), x, features as number);
    const predicted = await this.predict(tensorOf(rows));
    return accuracyOf(await readLabelList(this.call('score'), y, predicted.length), predicted);
  }
}

export interface ClassState extends Fitted {
  readonly features: number;
  readonly classes: readonly Label[];
}

/** What fit() and predict() of most classifiers have in common: classes as 0, 1, …, and a number for each class. */
export abstract class ScoringClassifier<O extends object, F extends ClassState> extends Classifier<O, F> {
  get classes(): readonly Label[] {
    return this.fitted('classes').classes;
  }

  async fit<L extends Label>(x: Rows, y: Labels<L>): Promise<Labelled<L, this>> {
    const op = this.call('fit');
    const matrix = await readRows(op, x);
    const encoded = await readLabels(op, y, matrix.rows);
    this.state = await this.learn(matrix, encoded);
    return this as unknown as Labelled<L, this>; // the labels were those of y
  }

  /** The class of each row: the most probable, of equals the first. */
  async predict(x: Rows): Promise<Label[]> {
    const { classes, features } = this.fitted('predict');
    const scores = await this.scores(await readRows(this.call('predict'), x, features));
    return Array.from(largestOfRows(scores), (place) => classes[place]);
  }

  protected abstract learn(x: Matrix, y: Encoded): Promise<F>;
  /** A number for each class [n, classes]; the largest is the class. */
  protected abstract scores(x: Matrix): Promise<Matrix>;
}

/** A classifier whose numbers are probabilities, or become some. */
export abstract class ProbabilityClassifier<O extends object, F extends ClassState> extends ScoringClassifier<O, F> {
  override get givesProbabilities(): boolean {
    return true;
  }

  override async predictProba(x: Rows): Promise<Tensor<[number, number]>> {
    const { features } = this.fitted('predictProba');
    return tensorOf(await this.probabilities(await readRows(this.call('predictProba'), x, features)));
  }

  protected abstract probabilities(x: Matrix): Promise<Matrix>;

  protected override scores(x: Matrix): Promise<Matrix> {
    return this.probabilities(x);
  }
}

/** The place of the largest number of each row, of equals the first. */
export function largestOfRows({ data, rows, columns }: Matrix): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => {
    let best = 0;
    for (let j = 1; j < columns; j++) if (data[i * columns + j] > data[i * columns + best]) best = j;
    return best;
  });
}

/** Predicts a number for each row. */
export abstract class Regressor<O extends object = object, F extends Fitted = Fitted> extends Estimator<O, F> {
  async fit(x: Rows, y: Targets): Promise<this> {
    const op = this.call('fit');
    const matrix = await readRows(op, x);
    this.state = await this.learn(matrix, await readTargets(op, y, matrix.rows));
    return this;
  }

  /** The number of each row. */
  async predict(x: Rows): Promise<Float64Array> {
    const { features } = this.fitted('predict');
    return this.estimate(await readRows(this.call('predict'), x, features as number));
  }

  /** R², the share of the variance that is explained: 1 at best, 0 for the mean. NaN for fewer than two rows. */
  async score(x: Rows, y: Targets): Promise<number> {
    const { features } = this.fitted('score');
    const rows = await readRows(this.call('score'), x, features as number);
    const predicted = await this.predict(tensorOf(rows));
    return r2Of(await readTargets(this.call('score'), y, predicted.length), predicted);
  }

  protected abstract learn(x: Matrix, y: Float64Array): Promise<F>;
  protected abstract estimate(x: Matrix): Promise<Float64Array>;
}

/** Makes other rows of rows. */
export abstract class Transformer<O extends object = object, F extends Fitted = Fitted> extends Estimator<O, F> {
  async fit(x: Rows): Promise<this> {
    this.state = await this.learn(await readRows(this.call('fit'), x));
    return this;
  }

  /** The rows transformed → [n, columns], of the dtype of x. */
  async transform(x: Rows): Promise<Tensor<[number, number]>> {
    const { features } = this.fitted('transform');
    return tensorOf(await this.apply(await readRows(this.call('transform'), x, features as number)));
  }

  /** `fit` and `transform` in one. */
  async fitTransform(x: Rows): Promise<Tensor<[number, number]>> {
    return (await this.fit(x)).transform(x);
  }

  protected abstract learn(x: Matrix): Promise<F>;
  protected abstract apply(x: Matrix): Promise<Matrix>;
}

/** A transformer whose rows can be brought back. */
export abstract class InvertibleTransformer<O extends object = object, F extends Fitted = Fitted> extends Transformer<
  O,
  F
> {
  /** Rows as `transform` gives them → rows as it takes them. */
  async inverseTransform(x: Rows): Promise<Tensor<[number, number]>> {
    this.fitted('inverseTransform');
    const matrix = await readRows(this.call('inverseTransform'), x, this.outputs);
    return tensorOf(await this.unapply(matrix));
  }

  /** Number of columns that `transform` makes. */
  protected get outputs(): number {
    return this.features;
  }

  protected abstract unapply(x: Matrix): Promise<Matrix>;
}

export const isEstimator = (value: unknown): value is Estimator => value instanceof Estimator;
