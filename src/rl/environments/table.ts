// Environments that are a table: a finite number of states and actions, and for each pair what may follow, with which probability and
// reward (a Markov decision process). Value iteration goes through the same table.

import {
  ArgumentError,
  type OptionNames,
  checkFunction,
  checkList,
  checkNeededOptions,
  checkNumbers,
  checkWhole,
} from '../../tensor/library.js';
import { EnvironmentBase, type Outcome } from '../environment.js';
import { Discrete } from '../spaces.js';

/** What may follow an action. */
export interface Transition {
  readonly probability: number;
  readonly next: number;
  readonly reward: number;
  readonly terminated: boolean;
}

export interface TableOptions {
  readonly states: number;
  readonly actions: number;
  /** What may follow action `action` in state `state`; the probabilities add up to 1. */
  transitions(state: number, action: number): readonly Transition[];
  /** Where episodes begin: states, one of which is drawn. */
  readonly start: readonly number[];
}

const TABLE_OPTIONS: OptionNames<TableOptions> = { states: true, actions: true, transitions: true, start: true };

/** Observations are numbers of states. */
export class TableEnvironment extends EnvironmentBase<number, number> {
  readonly observationSpace: Discrete;
  readonly actionSpace: Discrete;
  /** What may follow, [state][action]. */
  readonly transitions: readonly (readonly (readonly Transition[])[])[];
  protected readonly start: readonly number[];
  /** The state. */
  override values: readonly number[];

  /** Throws ArgumentError for transitions that lead nowhere or whose probabilities do not add up to 1. */
  constructor(options: TableOptions) {
    super();
    checkNeededOptions('TableEnvironment', options, TABLE_OPTIONS, '{ states, actions, transitions, start }');
    const { states, actions, transitions, start } = options;
    checkWhole('TableEnvironment', 'states', states, 1);
    checkWhole('TableEnvironment', 'actions', actions, 1);
    checkFunction('TableEnvironment', transitions, 'transitions');
    checkNumbers('TableEnvironment', 'start', start);
    this.observationSpace = new Discrete(states);
    this.actionSpace = new Discrete(actions);
    this.transitions = Array.from({ length: states }, (_, state) =>
      Array.from({ length: actions }, (__, action) => {
        const list = transitions(state, action);
        const where = `TableEnvironment: after action ${action} in state ${state}`;
        checkList(where, 'what may follow', list, '{ probability, next, reward, terminated }');
        const sum = list.reduce((total, { probability }) => total + probability, 0);
        if (!(Math.abs(sum - 1) < 1e-6))
          throw new ArgumentError(`${where} the probabilities add up to ${sum}. They have to add up to 1.`);
        for (const { next } of list) checkState(where, next, states);
        return list;
      }),
    );
    for (const state of start) checkState('TableEnvironment: an episode begins', state, states);
    if (start.length === 0) throw new ArgumentError('TableEnvironment: start is empty. Give at least one state.');
    this.start = start;
    this.values = [start[0]];
  }

  protected begin(): void {
    this.values = [this.start[this.random.below(this.start.length)]];
  }

  protected observe(): number {
    return this.values[0];
  }

  protected advance(action: number): Outcome {
    const list = this.transitions[this.values[0]][action];
    const drawn = this.random.uniform();
    let sum = 0;
    const { next, reward, terminated, probability } =
      list.find((transition) => (sum += transition.probability) > drawn) ?? list[list.length - 1];
    this.values = [next];
    return { reward, terminated, info: { probability } };
  }
}

function checkState(where: string, state: number, states: number): void {
  if (Number.isInteger(state) && state >= 0 && state < states) return;
  throw new ArgumentError(`${where} the state is ${state}. States are whole numbers from 0 to ${states - 1}.`);
}
