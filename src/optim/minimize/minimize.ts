// minimize(fn, x0, { method }): the minimum of a function of many numbers, by the method that is asked for. Wires the rooms of this
// folder together.

import { ArgumentError, type OptionNames, checkChoice, checkOptions, checkWhole } from '../../tensor/library.js';
import type { AnyTensor } from '../../tensor/tensor.js';
import { checkBetween, checkPositive } from '../line-search/line.js';
import { type LineSearchName, descend } from './descent.js';
import { ConjugateGradients, type ConjugateFormula, SteepestDescent } from './first-order.js';
import { NewtonCgDirections, NewtonDirections } from './newton.js';
import { Objective, type Point } from './objective.js';
import { Bfgs, Lbfgs } from './quasi-newton.js';
import {
  CONVERGED,
  type IterationRecord,
  type Outcome,
  SEARCH_OPTIONS,
  Search,
  type SearchOptions,
  type StopReason,
  checkSearchOptions,
} from './search.js';
import { exactModel, followTrustRegion, steihaugModel } from './trust-region.js';
import type { SearchStart, SearchPoint } from './unknowns.js';
import { largest } from './vectors.js';

/**
 * How the minimum is searched for.
 *
 * | | needs | for |
 * |---|---|---|
 * | `gradient-descent` | gradients | to see how it goes |
 * | `cg` | gradients | many unknowns and little memory |
 * | `bfgs` | gradients, a matrix n × n | smooth functions of up to some hundred unknowns: the default there |
 * | `l-bfgs` | gradients, `historySize` steps | smooth functions of many unknowns: the default there |
 * | `newton` | the Hessian and its eigenvalues | few unknowns, the fewest iterations |
 * | `newton-cg` | products with the Hessian | many unknowns |
 * | `trust-exact` | the Hessian and its eigenvalues | few unknowns, functions that are hard: saddles, narrow valleys |
 * | `trust-ncg` | products with the Hessian | the same with many unknowns |
 */
export type MinimizeMethod =
  | 'gradient-descent'
  | 'cg'
  | 'bfgs'
  | 'l-bfgs'
  | 'newton'
  | 'newton-cg'
  | 'trust-exact'
  | 'trust-ncg';

export interface MinimizeOptions extends SearchOptions {
  /** Default `bfgs` for up to 200 unknowns, `l-bfgs` for more. */
  readonly method?: MinimizeMethod;
  /** Of methods that go along lines. Default `strong-wolfe`; `backtracking` for gradient descent. */
  readonly lineSearch?: LineSearchName;
  /** The part of the decrease that the slope promises which a step has to reach. Default 1e-4. */
  readonly c1?: number;
  /** The part of the slope that may be left after a step. Default 0.9; 0.4 for `cg`. */
  readonly c2?: number;
  /** Of `cg`. Default `polak-ribiere`, never negative. */
  readonly formula?: ConjugateFormula;
  /** Of `l-bfgs`: steps that are remembered. Default 10. */
  readonly historySize?: number;
  /** Of `newton-cg` and `trust-ncg`: products with the Hessian for one step at most. Default: as many as there are unknowns, and at most 200. */
  readonly maxProducts?: number;
  /** Of the trust-region methods. Default 1. */
  readonly initialRadius?: number;
  /** Default 1e10. */
  readonly maxRadius?: number;
}

const LINES = { lineSearch: true, c1: true, c2: true } as const;
const RADII = { initialRadius: true, maxRadius: true } as const;

/** The options that each method has beside those of every search. */
const METHOD_OPTIONS: Readonly<Record<MinimizeMethod, Partial<OptionNames<MinimizeOptions>>>> = {
  'gradient-descent': LINES,
  cg: { ...LINES, formula: true },
  bfgs: LINES,
  'l-bfgs': { ...LINES, historySize: true },
  newton: LINES,
  'newton-cg': { ...LINES, maxProducts: true },
  'trust-exact': RADII,
  'trust-ncg': { ...RADII, maxProducts: true },
};

const MINIMIZE_OPTIONS: OptionNames<MinimizeOptions> = {
  method: true,
  ...SEARCH_OPTIONS,
  ...LINES,
  ...RADII,
  formula: true,
  historySize: true,
  maxProducts: true,
};

const METHODS = Object.keys(METHOD_OPTIONS) as MinimizeMethod[];
/** Up to so many unknowns a matrix of all pairs is small. */
const FEW = 200;

export interface MinimizeResult<X> {
  /** Where the lowest value was found, in the form of the start. */
  readonly x: X;
  readonly value: number;
  /** The largest component of the gradient there, in size. */
  readonly gradientNorm: number;
  readonly iterations: number;
  /** Of value and gradient. */
  readonly evaluations: number;
  /** Of the Hessian. */
  readonly hessians: number;
  /** Of products of the Hessian with a vector. */
  readonly products: number;
  /** Whether a tolerance was reached. */
  readonly converged: boolean;
  readonly reason: StopReason;
  /** The reason as a sentence. */
  readonly message: string;
  /** The start, and the place after each iteration. */
  readonly history: readonly IterationRecord[];
}

export const MESSAGES: Readonly<Record<StopReason, string>> = {
  gradient: 'The gradient is 0, to its tolerance.',
  value: 'The value does not fall any more, to its tolerance.',
  step: 'x does not move any more, to its tolerance.',
  precision: 'No lower value can be found: what is left is rounding. Ask for less with gradientTolerance.',
  iterations: 'As many iterations as were allowed were not enough.',
  evaluations: 'As many evaluations as were allowed were not enough.',
  unbounded: 'The function falls without end: it has no minimum in this direction.',
  'not-finite': 'The value or the gradient is NaN or infinite: at the start, or wherever the search could go.',
  aborted: 'The signal asked for the end.',
  callback: 'The callback asked for the end.',
};

/**
 * A local minimum of a function of a tensor, of a list or object of tensors, or, for a start that is a list of numbers, of a float64 tensor
 * [n]. The search computes in float64; the function is called once, and its captured graph (`compile`) is run for value and gradient. It
 * returns one number, in any float dtype; use float64 for more than seven digits. Throws ArgumentError for what is no such function. SciPy: scipy.optimize.minimize.
 *
 *     const { x, value, reason } = await minimize((v) => v.sub(3).pow(4).sum(), [0, 0], { method: 'newton' });
 */
export async function minimize<const X extends SearchStart>(
  fn: (x: SearchPoint<X>) => AnyTensor,
  x0: X,
  options: MinimizeOptions = {},
): Promise<MinimizeResult<SearchPoint<X>>> {
  const op = 'minimize';
  checkMinimizeOptions(op, options);
  const objective = new Objective(op, fn, x0);
  const { method = objective.size <= FEW ? 'bfgs' : 'l-bfgs' } = options;
  checkMethodOptions(op, method, options);
  const search = new Search(objective, options);
  const start = await objective.at(await objective.unknowns.read());
  const { point, reason } = await METHOD[method](objective, search, start, options);
  return {
    x: objective.unknowns.result(point.x) as SearchPoint<X>,
    value: point.value,
    gradientNorm: largest(point.gradient),
    iterations: search.iteration,
    evaluations: objective.evaluations,
    hessians: objective.hessians,
    products: objective.products,
    converged: CONVERGED.has(reason),
    reason,
    message: MESSAGES[reason],
    history: search.history,
  };
}

/** An option that the method does not have would do nothing. */
function checkMethodOptions(op: string, method: MinimizeMethod, options: MinimizeOptions): void {
  const others = Object.keys(options).filter((name) => name !== 'method' && !Object.hasOwn(SEARCH_OPTIONS, name));
  const wrong = others.find((name) => !Object.hasOwn(METHOD_OPTIONS[method], name));
  if (wrong === undefined) return;
  const having = METHODS.filter((name) => Object.hasOwn(METHOD_OPTIONS[name], wrong)).map((name) => `'${name}'`);
  throw new ArgumentError(`${op}: method '${method}' has no option '${wrong}'. It is one of ${having.join(', ')}.`);
}

function checkMinimizeOptions(op: string, options: MinimizeOptions): void {
  checkOptions(op, options, MINIMIZE_OPTIONS);
  if (options.method !== undefined) checkChoice(op, 'method', options.method, METHODS);
  checkSearchOptions(op, options);
  const { lineSearch, c1, c2, formula, historySize, maxProducts, initialRadius, maxRadius } = options;
  if (lineSearch !== undefined)
    checkChoice(op, 'lineSearch', lineSearch, ['strong-wolfe', 'backtracking', 'goldstein', 'exact']);
  if (c1 !== undefined) checkBetween(op, 'c1', c1, 0, 1);
  if (c2 !== undefined) checkBetween(op, 'c2', c2, c1 ?? 1e-4, 1);
  if (formula !== undefined)
    checkChoice(op, 'formula', formula, ['polak-ribiere', 'fletcher-reeves', 'hestenes-stiefel']);
  if (historySize !== undefined) checkWhole(op, 'historySize', historySize, 1);
  if (maxProducts !== undefined) checkWhole(op, 'maxProducts', maxProducts, 1);
  if (initialRadius !== undefined) checkPositive(op, 'initialRadius', initialRadius);
  if (maxRadius !== undefined) checkPositive(op, 'maxRadius', maxRadius);
  if ((initialRadius ?? 1) > (maxRadius ?? 1e10))
    throw new ArgumentError(
      `${op}: initialRadius is ${initialRadius ?? 1}, maxRadius ${maxRadius ?? 1e10}. Give a smaller one first.`,
    );
}

type Method = (objective: Objective, search: Search, start: Point, options: MinimizeOptions) => Promise<Outcome>;

const alongLines =
  (
    make: (objective: Objective, options: MinimizeOptions) => Parameters<typeof descend>[2],
    name: LineSearchName,
    c2: number,
  ): Method =>
  (objective, search, start, options) =>
    descend(search, start, make(objective, options), {
      name: options.lineSearch ?? name,
      c1: options.c1 ?? 1e-4,
      c2: options.c2 ?? Math.max(c2, options.c1 ?? 0),
    });

const productsOf = ({ size }: Objective, { maxProducts }: MinimizeOptions): number =>
  maxProducts ?? Math.min(size, 200);

const inTrustRegion =
  (modelAt: (objective: Objective, point: Point, options: MinimizeOptions) => ReturnType<typeof exactModel>): Method =>
  (objective, search, start, options) => {
    const { initialRadius = 1, maxRadius = 1e10 } = options;
    const trust = { radius: initialRadius, maxRadius };
    return followTrustRegion(search, start, (point) => modelAt(objective, point, options), trust);
  };

const METHOD: Readonly<Record<MinimizeMethod, Method>> = {
  'gradient-descent': alongLines(() => new SteepestDescent(), 'backtracking', 0.9),
  cg: alongLines((_, { formula = 'polak-ribiere' }) => new ConjugateGradients(formula), 'strong-wolfe', 0.4),
  bfgs: alongLines(({ size }) => new Bfgs(size), 'strong-wolfe', 0.9),
  'l-bfgs': alongLines((_, { historySize = 10 }) => new Lbfgs(historySize), 'strong-wolfe', 0.9),
  newton: alongLines((objective) => new NewtonDirections(objective), 'strong-wolfe', 0.9),
  'newton-cg': alongLines((o, options) => new NewtonCgDirections(o, productsOf(o, options)), 'strong-wolfe', 0.9),
  'trust-exact': inTrustRegion(exactModel),
  'trust-ncg': inTrustRegion(async (o, point, options) => steihaugModel(o, point, productsOf(o, options))),
};
