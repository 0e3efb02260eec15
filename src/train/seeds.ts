// The generator on each process of a run. Dropout is to drop other values on each: seeds are a distance apart, which
// checkpoints do not hold.

import { getRandomState, manualSeed, setRandomState } from '../tensor/random.js';
import type { Ranks } from './ranks.js';

type RandomState = ReturnType<typeof getRandomState>;

const DISTANCE = 7919;

export class Seeds {
  /** The generator's seed is this process's own. */
  private areApart = false;

  /** The same on all processes. */
  set(seed: number): void {
    manualSeed(seed);
    this.areApart = false;
  }

  /** Gives each process its own, counted from that of process 0. */
  setApart(ranks: Ranks): void {
    if (ranks.size === 1 || this.areApart) return;
    this.areApart = true;
    setRandomState(moved(ranks.tell(getRandomState()), ranks.rank));
  }

  /** The generator as process 0 has it. */
  state({ rank }: Ranks): RandomState {
    return this.areApart ? moved(getRandomState(), -rank) : getRandomState();
  }

  /** Where `state` was, for process `rank`; undefined for a process that trains alone. */
  restore(state: RandomState, rank: number | undefined): void {
    setRandomState(moved(state, rank ?? 0));
    this.areApart = rank !== undefined;
  }
}

function moved(state: RandomState, ranks: number): RandomState {
  return ranks === 0 ? state : { ...state, seed: (state.seed + ranks * DISTANCE) | 0 };
}
