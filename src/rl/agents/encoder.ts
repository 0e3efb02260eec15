// Observations as rows of numbers for a network: a Box as it is, a Discrete as one-hot.

import { ArgumentError } from '../../tensor/library.js';
import { Box, Discrete, type Space } from '../spaces.js';

export class Encoder<O> {
  /** Numbers a row. */
  readonly size: number;
  private readonly space: Space<O>;

  /** Throws ArgumentError for spaces that are neither. */
  constructor(op: string, space: Space<O>) {
    this.space = space;
    if (space instanceof Discrete) this.size = space.n;
    else if (space instanceof Box) this.size = space.low.length;
    else
      throw new ArgumentError(
        `${op}: observations are of ${String(space)}. Agents with networks see a Box or a Discrete: wrap the environment.`,
      );
  }

  /** Writes the row of an observation, beginning at `at`. */
  write(observation: O, into: Float32Array, at: number): void {
    const { space, size } = this;
    if (space instanceof Discrete) {
      into.fill(0, at, at + size);
      into[at + (observation as number) - space.start] = 1;
    } else into.set(observation as ArrayLike<number>, at);
  }

  /** Rows of several observations. */
  rows(observations: readonly O[]): Float32Array {
    const rows = new Float32Array(observations.length * this.size);
    observations.forEach((observation, i) => this.write(observation, rows, i * this.size));
    return rows;
  }
}
