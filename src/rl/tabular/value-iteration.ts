// Dynamic programming: what a table of transitions is worth, without acting in it. What agents that learn should come to.

import { ArgumentError, type OptionNames, checkHas, checkOptions } from '../../tensor/library.js';
import { argmaxOf } from '../agents/policy.js';
import type { TableEnvironment } from '../environments/table.js';

export interface ValueIterationOptions {
  /** Default 0.99. */
  readonly gamma?: number;
  /** Largest change of a value at which it ends. Default 1e-10. */
  readonly tolerance?: number;
}

const OPTIONS: OptionNames<ValueIterationOptions> = { gamma: true, tolerance: true };
/** Sweeps after which there is no hope. */
const MOST_SWEEPS = 100_000;

export interface OptimalPlan {
  /** The largest return that each state promises. */
  readonly values: Float64Array;
  /** The action that leads there; the first of several. */
  readonly policy: number[];
}

/** Value iteration (Bellman 1957). Throws ArgumentError where values grow without end, as with gamma 1 and rewards that never stop. */
export function valueIteration(environment: TableEnvironment, options: ValueIterationOptions = {}): OptimalPlan {
  checkHas(
    'valueIteration',
    'the environment',
    environment,
    ['transitions'],
    'Pass a table: new FrozenLake(), or a TableEnvironment',
  );
  checkOptions('valueIteration', options, OPTIONS);
  const { gamma = 0.99, tolerance = 1e-10 } = options;
  if (!(gamma >= 0 && gamma <= 1))
    throw new ArgumentError(`valueIteration: gamma is ${gamma}. Use a number from 0 to 1.`);
  if (!(tolerance > 0)) throw new ArgumentError(`valueIteration: tolerance is ${tolerance}. Use a number above 0.`);
  const { transitions } = environment;
  const values = new Float64Array(transitions.length);
  const worthOf = (list: TableEnvironment['transitions'][number][number]): number =>
    list.reduce(
      (sum, { probability, next, reward, terminated }) =>
        sum + probability * (reward + (terminated ? 0 : gamma * values[next])),
      0,
    );
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let change = 0;
    transitions.forEach((actions, state) => {
      let best = -Infinity;
      for (const list of actions) best = Math.max(best, worthOf(list));
      change = Math.max(change, Math.abs(best - values[state]));
      values[state] = best;
    });
    if (change <= tolerance) {
      const policy = transitions.map((actions) => argmaxOf(actions.map(worthOf), 0, actions.length));
      return { values, policy };
    }
  }
  throw new ArgumentError(`valueIteration: the values do not settle with gamma ${gamma}. Use a smaller one.`);
}
