// What logistic and softmax regression share: options, results, and the choice of a solver.

import { ArgumentError, type OptionNames, checkChoice, checkWhole } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ClassState, type Fitted, ProbabilityClassifier } from '../estimator.js';
import type { Encoded } from '../labels.js';
import { checkPositive, linearScores } from '../linear-svm.js';
import { type Matrix, type Rows, readRows, tensorOf, vectorOf, zeroMatrix } from '../rows.js';
import { checkFlag } from '../scalers.js';
import { softmaxRows } from '../naive-bayes.js';
import { checkFields, floats } from '../state-check.js';
import { LogLoss } from './loss.js';
import { type Penalty, type SolverReason, gradientDescent, limitedMemory, newton } from './solvers.js';

export interface LogisticOptions {
  /** ½‖w‖² ('l2', default), ‖w‖₁ ('l1', makes some weights exactly 0), or 'none'; constants are never penalised. */
  readonly penalty?: 'l2' | 'l1' | 'none';
  /** How much the losses count beside the penalty: the larger, the less is regularised. Default 1. */
  readonly c?: number;
  /** Learn constants, too. Default true. */
  readonly intercept?: boolean;
  /**
   * 'newton' (iteratively reweighted least squares; with 'l1' coordinate descent on the quadratic model) for up to some hundred weights,
   * 'l-bfgs' for more (not with 'l1'), 'gradient' (accelerated gradient descent). Default 'auto', by the number of weights.
   */
  readonly solver?: 'auto' | 'newton' | 'l-bfgs' | 'gradient';
  /** Ends when no part of the (sub)gradient of the mean cost is larger. Default 1e-6. */
  readonly tolerance?: number;
  /** Steps at most. Default 1000. */
  readonly maxIterations?: number;
}

const OPTIONS: OptionNames<LogisticOptions> = {
  penalty: true,
  c: true,
  intercept: true,
  solver: true,
  tolerance: true,
  maxIterations: true,
};

interface LogisticState extends ClassState {
  readonly coefficients: Matrix;
  readonly intercept: Float64Array;
  readonly iterations: number;
  readonly reason: SolverReason;
  readonly history: readonly number[];
}

/** Weights for which a matrix of all pairs is small. */
const FEW = 700;
/** For more a matrix of all pairs would not do. */
const MOST_NEWTON = 4000;

/** Linear logits with probabilities. */
export abstract class LogisticModel extends ProbabilityClassifier<LogisticOptions, LogisticState> {
  constructor(name: string, options: LogisticOptions | undefined) {
    super(options, OPTIONS, {
      penalty: 'l2',
      c: 1,
      intercept: true,
      solver: 'auto',
      tolerance: 1e-6,
      maxIterations: 1000,
    });
    const { penalty, c, intercept, solver, tolerance, maxIterations } = this.options;
    checkChoice(name, 'penalty', penalty, ['l2', 'l1', 'none']);
    checkPositive(name, 'c', c);
    checkFlag(name, 'intercept', intercept);
    checkChoice(name, 'solver', solver, ['auto', 'newton', 'l-bfgs', 'gradient']);
    checkPositive(name, 'tolerance', tolerance);
    checkWhole(name, 'maxIterations', maxIterations, 1);
    if (penalty === 'l1' && solver === 'l-bfgs')
      throw new ArgumentError(
        `${name}: L-BFGS needs slopes, and |w| has none at 0. Use solver 'newton' or 'gradient' with penalty 'l1'.`,
      );
  }

  /** → [1, features] for a logistic regression, [classes, features] for a softmax; float64. */
  get coefficients(): Tensor<[number, number]> {
    return tensorOf(this.fitted('coefficients').coefficients);
  }

  /** The constants → [1] or [classes], float64. */
  get intercept(): Tensor<[number]> {
    return vectorOf(this.fitted('intercept').intercept);
  }

  get iterations(): number {
    return this.fitted('iterations').iterations;
  }

  /** Why the search ended: 'gradient' is small, no more 'precision' to be had, or too many 'iterations'. */
  get reason(): SolverReason {
    return this.fitted('reason').reason;
  }

  get converged(): boolean {
    return this.reason !== 'iterations';
  }

  /** The mean cost, with the penalty divided by c·n, at the start and after each step. */
  get history(): readonly number[] {
    return this.fitted('history').history;
  }

  /** Logits: [n, 1] (of the second class), or [n, classes]. */
  async decisionFunction(x: Rows): Promise<Tensor<[number, number]>> {
    const { features } = this.fitted('decisionFunction');
    return tensorOf(this.logits(await readRows(this.call('decisionFunction'), x, features)));
  }

  /** Logits of a row: 1 for two classes of a logistic regression, else one for each class. */
  protected abstract outputsFor(op: string, classes: number): number;

  protected async learn(x: Matrix, { y, classes }: Encoded): Promise<LogisticState> {
    const op = this.call('fit');
    const { penalty: kind, c, intercept, tolerance, maxIterations } = this.options as Required<LogisticOptions>;
    const outputs = this.outputsFor(op, classes.length);
    const loss = new LogLoss(x, y, outputs, intercept);
    const strength = 1 / (c * x.rows);
    const counts = Float64Array.from({ length: loss.size }, (_, j) => (j % loss.width < x.columns ? 1 : 0));
    const penalty: Penalty = { l2: kind === 'l2' ? strength : 0, l1: kind === 'l1' ? strength : 0, counts };
    const limit = { tolerance, maxIterations };
    const solver = this.solverFor(op, loss.size);
    const { w, iterations, reason, history } =
      solver === 'newton'
        ? await newton(loss, penalty, limit, op)
        : solver === 'gradient'
          ? await gradientDescent(loss, penalty, limit)
          : await limitedMemory(loss, penalty, limit);
    const coefficients = zeroMatrix(outputs, x.columns);
    const constants = new Float64Array(outputs);
    for (let k = 0; k < outputs; k++) {
      coefficients.data.set(w.subarray(k * loss.width, k * loss.width + x.columns), k * x.columns);
      if (intercept) constants[k] = w[k * loss.width + x.columns];
    }
    return { features: x.columns, classes, coefficients, intercept: constants, iterations, reason, history };
  }

  protected async probabilities(x: Matrix): Promise<Matrix> {
    return probabilitiesOf(this.logits(x));
  }

  protected checkState(state: Fitted): void {
    const name = this.constructor.name;
    checkFields(name, state, {
      features: 'count',
      classes: 'labels',
      coefficients: floats('outputs', 'features'),
      intercept: floats('outputs'),
      iterations: 'count',
      reason: 'text',
      history: 'numbers',
    });
    const classes = (state['classes'] as readonly unknown[]).length;
    if ((state['coefficients'] as Matrix).rows !== this.outputsFor('loadEstimator', classes))
      throw new ArgumentError(`loadEstimator: the ${name} has coefficients for another number of classes.`);
  }

  private solverFor(op: string, size: number): 'newton' | 'l-bfgs' | 'gradient' {
    const { solver, penalty } = this.options as Required<LogisticOptions>;
    if (solver === 'auto') return size <= FEW ? 'newton' : penalty === 'l1' ? 'gradient' : 'l-bfgs';
    if (solver === 'newton' && size > MOST_NEWTON)
      throw new ArgumentError(
        `${op}: solver 'newton' needs a matrix of ${size} × ${size} for ${size} weights. Use 'l-bfgs' or 'gradient'.`,
      );
    return solver;
  }

  private logits(x: Matrix): Matrix {
    const { coefficients, intercept } = this.fitted('predict');
    return linearScores(x, coefficients, intercept);
  }
}

/** Of one logit those of both classes, of more their softmax. */
function probabilitiesOf(z: Matrix): Matrix {
  if (z.columns > 1) return softmaxRows(z);
  const out = zeroMatrix(z.rows, 2);
  for (let i = 0; i < z.rows; i++) {
    const [own, other] = [1 / (1 + Math.exp(-z.data[i])), 1 / (1 + Math.exp(z.data[i]))];
    out.data[2 * i] = other;
    out.data[2 * i + 1] = own;
  }
  return out;
}
