// Several steps as one estimator: rows go through transformers, and the last step learns from what comes out.
// fit() leaves the given estimators as they are: it fits copies, which are the steps of the state.

import { ArgumentError, FormatError, checkHas } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { Classifier, Estimator, type Fitted, type Labelled, Regressor, Transformer } from './estimator.js';
import type { Label, Labels } from './labels.js';
import { type Matrix, type Rows, readRows, tensorOf } from './rows.js';

interface PipelineOptions {
  readonly steps: readonly Estimator[];
}

interface PipelineState extends Fitted {
  readonly features: number;
  readonly steps: readonly Estimator[];
}

const STEPS = { steps: true } as const;

/** Options of all steps: `{ 'k': 3 }` goes to the last step, `{ 'PCA.components': 10 }` to the step of that class. */
function copySteps(op: string, steps: readonly Estimator[], changes: Readonly<Record<string, unknown>>): Estimator[] {
  const names = steps.map((step) => step.constructor.name);
  const own = steps.map((): Record<string, unknown> => ({}));
  for (const [name, value] of Object.entries(changes)) {
    if (name === 'steps') continue;
    const dot = name.indexOf('.');
    const at = dot < 0 ? steps.length - 1 : names.indexOf(name.slice(0, dot));
    if (at < 0)
      throw new ArgumentError(`${op}: there is no step '${name.slice(0, dot)}'. There are ${names.join(', ')}.`);
    own[at][name.slice(dot + 1)] = value;
  }
  return steps.map((step, i) => step.copy(own[i]));
}

/** The rows after the first steps, which are fitted on the way where copies are given. */
async function through(steps: readonly Estimator[], x: Rows, isFitting: boolean): Promise<Rows> {
  let rows = x;
  for (const step of steps.slice(0, -1)) {
    if (step instanceof Transformer) rows = isFitting ? await step.fitTransform(rows) : await step.transform(rows);
  }
  return rows;
}

function checkSteps(state: Fitted): void {
  const { steps, features } = state as Partial<Record<string, unknown>>;
  const isSound = Array.isArray(steps) && steps.length > 0 && steps.every((s) => s instanceof Estimator && s.isFitted);
  if (!isSound || typeof features !== 'number')
    throw new FormatError('loadEstimator: the steps of the pipeline are damaged.');
}

const last = <E extends Estimator>(steps: readonly Estimator[]): E => steps[steps.length - 1] as E;

/** Transformers, and a classifier at the end. Made by `pipeline`. */
export class ClassifierPipeline extends Classifier<PipelineOptions, PipelineState> {
  /** @internal */
  constructor(options: PipelineOptions) {
    super(options, STEPS, options);
  }

  /** The fitted steps, in their order. */
  get steps(): readonly Estimator[] {
    return this.fitted('steps').steps;
  }

  get classes(): readonly Label[] {
    return last<Classifier>(this.fitted('classes').steps).classes;
  }

  override copy(changes: Readonly<Record<string, unknown>> = {}): this {
    return super.copy({ steps: copySteps('ClassifierPipeline.copy', this.options.steps, changes) });
  }

  async fit<L extends Label>(x: Rows, y: Labels<L>): Promise<Labelled<L, this>> {
    const matrix = await readRows(this.call('fit'), x);
    const steps = this.options.steps.map((step) => step.copy());
    await last<Classifier>(steps).fit(await through(steps, tensorOf(matrix), true), y);
    this.state = { features: matrix.columns, steps };
    return this as unknown as Labelled<L, this>; // the labels were those of y
  }

  async predict(x: Rows): Promise<Label[]> {
    const { steps } = this.fitted('predict');
    return last<Classifier>(steps).predict(await through(steps, x, false));
  }

  override get givesProbabilities(): boolean {
    return last<Classifier>(this.options.steps).givesProbabilities;
  }

  override async predictProba(x: Rows): Promise<Tensor<[number, number]>> {
    const { steps } = this.fitted('predictProba');
    return last<Classifier>(steps).predictProba(await through(steps, x, false));
  }

  protected checkState(state: Fitted): void {
    checkSteps(state);
  }
}

/** Transformers, and a regressor at the end. Made by `pipeline`. */
export class RegressorPipeline extends Regressor<PipelineOptions, PipelineState> {
  /** @internal */
  constructor(options: PipelineOptions) {
    super(options, STEPS, options);
  }

  /** The fitted steps, in their order. */
  get steps(): readonly Estimator[] {
    return this.fitted('steps').steps;
  }

  override copy(changes: Readonly<Record<string, unknown>> = {}): this {
    return super.copy({ steps: copySteps('RegressorPipeline.copy', this.options.steps, changes) });
  }

  protected async learn(x: Matrix, y: Float64Array): Promise<PipelineState> {
    const steps = this.options.steps.map((step) => step.copy());
    await last<Regressor>(steps).fit(await through(steps, tensorOf(x), true), y);
    return { features: x.columns, steps };
  }

  protected async estimate(x: Matrix): Promise<Float64Array> {
    const { steps } = this.fitted('predict');
    return last<Regressor>(steps).predict(await through(steps, tensorOf(x), false));
  }

  protected checkState(state: Fitted): void {
    checkSteps(state);
  }
}

/** Transformers alone. Made by `pipeline`. */
export class TransformerPipeline extends Transformer<PipelineOptions, PipelineState> {
  /** @internal */
  constructor(options: PipelineOptions) {
    super(options, STEPS, options);
  }

  /** The fitted steps, in their order. */
  get steps(): readonly Estimator[] {
    return this.fitted('steps').steps;
  }

  override copy(changes: Readonly<Record<string, unknown>> = {}): this {
    return super.copy({ steps: copySteps('TransformerPipeline.copy', this.options.steps, changes) });
  }

  protected async learn(x: Matrix): Promise<PipelineState> {
    const steps = this.options.steps.map((step) => step.copy());
    await last<Transformer>(steps).fit(await through(steps, tensorOf(x), true));
    return { features: x.columns, steps };
  }

  protected async apply(x: Matrix): Promise<Matrix> {
    const { steps } = this.fitted('transform');
    const out = await last<Transformer>(steps).transform(await through(steps, tensorOf(x), false));
    return readRows(this.call('transform'), out);
  }

  protected checkState(state: Fitted): void {
    checkSteps(state);
  }
}

/**
 * Transformers one after the other, and what learns from their result. Everything is fitted to the training rows alone, so that in a
 * cross-validation nothing leaks. scikit-learn: make_pipeline.
 *
 *     const model = await pipeline(new StandardScaler(), new LogisticRegression()).fit(x, y);
 */
export function pipeline(...steps: readonly [...Transformer[], Classifier]): ClassifierPipeline;
export function pipeline(...steps: readonly [...Transformer[], Regressor]): RegressorPipeline;
export function pipeline(...steps: readonly Transformer[]): TransformerPipeline;
export function pipeline(...steps: readonly Estimator[]): ClassifierPipeline | RegressorPipeline | TransformerPipeline {
  if (steps.length === 0) throw new ArgumentError('pipeline: there are no steps. Give at least one estimator.');
  steps.forEach((step, i) => {
    checkHas('pipeline', `step ${i}`, step, ['fit', 'copy', 'options'], 'Give estimators: new StandardScaler()');
    if (i < steps.length - 1 && !(step instanceof Transformer))
      throw new ArgumentError(
        `pipeline: step ${i}, ${step.constructor.name}, transforms nothing. Only the last step may be one that predicts.`,
      );
  });
  const end = steps[steps.length - 1];
  if (end instanceof Classifier) return new ClassifierPipeline({ steps });
  if (end instanceof Regressor) return new RegressorPipeline({ steps });
  if (end instanceof Transformer) return new TransformerPipeline({ steps });
  throw new ArgumentError(
    `pipeline: the last step is ${end.constructor.name}, which neither predicts nor transforms rows of numbers.`,
  );
}
