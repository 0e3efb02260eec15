// Random numbers made in JavaScript: initial weights, shuffles, splits, augmentation. A stream is named by a list of
// whole numbers (a seed, an epoch, a batch); the same name gives the same numbers everywhere.
// Generator: sfc32 (C. Doty-Humphrey, PractRand), seeded by mixing the name with MurmurHash3's finaliser.

import { getRandomState, setRandomState } from './random.js';

/** Refers to nothing outside itself: threads get it as text. */
export class HostRandom {
  private a = 0;
  private b = 0;
  private c = 0;
  private counter = 1;
  private spare: number | undefined;

  constructor(...name: readonly number[]) {
    let hash = 0x3c6ef372;
    for (const part of name) hash = this.mix(this.mix(hash, part | 0), Math.floor(part / 2 ** 32) | 0);
    this.a = hash = this.mix(hash, 1);
    this.b = hash = this.mix(hash, 2);
    this.c = this.mix(hash, 3);
    for (let i = 0; i < 12; i++) this.bits();
  }

  private mix(hash: number, word: number): number {
    let h = Math.imul(hash ^ word, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) + 0x9e3779b9;
  }

  /** 32 random bits as a whole number in [0, 2³²). */
  bits(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + t) | 0;
    return t >>> 0;
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.bits() / 2 ** 32;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** A whole number in [0, n), for n up to 2³². */
  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Normal with mean 0 and variance 1 (Box and Muller). */
  normal(): number {
    if (this.spare !== undefined) {
      const value = this.spare;
      this.spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** All that decides the next numbers, as plain numbers: `restore` goes on from there. */
  state(): number[] {
    const { a, b, c, counter, spare } = this;
    return [a, b, c, counter, ...(spare === undefined ? [] : [spare])];
  }

  /** Goes on from what `state` gave. */
  restore(state: readonly number[]): void {
    [this.a, this.b, this.c, this.counter] = state;
    this.spare = state.length > 4 ? state[4] : undefined;
  }

  /** Puts the elements into random order, in place (Fisher and Yates). */
  shuffle<T extends { length: number; [index: number]: number }>(list: T): T {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j], list[i]];
    }
    return list;
  }
}

/** The next stream of the generator that `manualSeed` seeds. */
export function nextHostRandom(): HostRandom {
  return nextStream()();
}

/** The next stream, from its beginning at each call. */
export function nextStream(): () => HostRandom {
  const { seed, draws } = getRandomState();
  setRandomState({ seed, draws: draws + 1 });
  return () => new HostRandom(seed, draws);
}
