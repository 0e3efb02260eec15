// Several optimisers that take turns in one update: two networks that work against each other have a loss and an optimiser each.
//   optimisers by name in; from outside they are one, whose groups and state are theirs, one after the other.
// Must not know: losses, and when whose turn it is.

import type { OptimizerState } from '../optim/optimizer.js';
import { ArgumentError, checkHas, checkRecord } from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import type { TrainingOptimizer } from './options.js';

/**
 * Optimisers by name, for a Trainer whose `turns` have the same names: each turn updates the parameters of its own optimiser, and no
 * others. Schedules and checkpoints see one optimiser with the groups of all. Throws ArgumentError for a parameter that two of them have.
 *
 *     new Alternating({
 *       discriminator: new Adam(gan.discriminator.parameters(), { lr: 2e-4 }),
 *       generator: new Adam(gan.generator.parameters(), { lr: 2e-4 }),
 *     });
 */
export class Alternating<K extends string = string> implements TrainingOptimizer {
  readonly parts: Readonly<Record<K, TrainingOptimizer>>;

  constructor(parts: Readonly<Record<K, TrainingOptimizer>>) {
    checkRecord('Alternating', 'the argument', parts, 'optimisers: { discriminator: …, generator: … }');
    const named: [string, TrainingOptimizer][] = Object.entries(parts);
    if (named.length === 0) throw new ArgumentError('Alternating: there are no optimisers. Give one for each turn.');
    const owners = new Map<Tensor, string>();
    for (const [name, part] of named) {
      checkHas(
        'Alternating',
        `'${name}'`,
        part,
        ['groups', 'zeroGrad', 'step', 'stateDict'],
        'Pass one of nabla/optim: new Adam(model.parameters(), { lr })',
      );
      for (const p of parametersOf(part)) {
        const owner = owners.get(p);
        if (owner !== undefined)
          throw new ArgumentError(
            `Alternating: '${owner}' and '${name}' both have ${String(p)}. Give each parameter to one of them.`,
          );
        owners.set(p, name);
      }
    }
    this.parts = parts;
  }

  get groups(): TrainingOptimizer['groups'] {
    return this.list.flatMap(({ groups }) => groups);
  }

  private get list(): readonly TrainingOptimizer[] {
    return Object.values(this.parts);
  }

  zeroGrad(): void {
    for (const part of this.list) part.zeroGrad();
  }

  /** All of them, one after the other. A Trainer calls those of its turns instead. */
  async step(): Promise<void> {
    for (const part of this.list) await part.step();
  }

  async consolidateStateDict(): Promise<void> {
    for (const part of this.list) await part.consolidateStateDict?.();
  }

  /** As of one optimiser with the groups and parameters of all. */
  stateDict(): OptimizerState {
    const states = this.list.map((part) => part.stateDict());
    const counts = this.list.map((part) => parametersOf(part).length);
    const tensors: Record<string, AnyTensor> = {};
    let first = 0;
    for (const [i, state] of states.entries()) {
      for (const [key, t] of Object.entries(state.tensors)) {
        const [name, index] = splitKey(key);
        tensors[`${name}.${first + index}`] = t;
      }
      first += counts[i];
    }
    return {
      step: states[0].step,
      steps: states.flatMap(({ step, steps }, i) => steps ?? new Array<number>(counts[i]).fill(step)),
      groups: states.flatMap(({ groups }) => groups),
      tensors,
    };
  }

  /** Throws ArgumentError if the state is of other optimisers. */
  loadStateDict(state: OptimizerState): void {
    checkHas('loadStateDict', 'the state', state, ['groups', 'tensors', 'step'], 'Pass what stateDict() gave');
    const wanted = this.groups.length;
    if (state.groups.length !== wanted)
      throw new ArgumentError(
        `loadStateDict: the state has ${state.groups.length} groups, these optimisers have ${wanted}. Load it into the optimisers that saved it.`,
      );
    let [group, first] = [0, 0];
    for (const part of this.list) {
      const [groups, from] = [state.groups.slice(group, group + part.groups.length), first];
      const end = from + parametersOf(part).length;
      const own = Object.entries(state.tensors).flatMap(([key, t]) => {
        const [name, index] = splitKey(key);
        return index >= from && index < end ? [[`${name}.${index - from}`, t] as const] : [];
      });
      part.loadStateDict({
        step: state.step,
        ...(state.steps && { steps: state.steps.slice(from, end) }),
        groups,
        tensors: Object.fromEntries(own),
      });
      group += part.groups.length;
      first = end;
    }
  }
}

export const parametersOf = ({ groups }: Pick<TrainingOptimizer, 'groups'>): Tensor[] =>
  groups.flatMap(({ params }) => [...params]);

/** `exp_avg.3` → the name and the number of the parameter. */
function splitKey(key: string): readonly [name: string, index: number] {
  const dot = key.lastIndexOf('.');
  return [key.slice(0, dot), Number(key.slice(dot + 1))];
}
