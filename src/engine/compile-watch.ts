// Notices when compiling has become most of the work: programs are compiled for one shape, and where shapes keep changing
// (a last batch of another size is nothing, a sequence length of its own in every step is) nothing is ever reused.
// Input: what was compiled, and how long that took. Output: one line, once.

import { RecentMap } from './ir/recent-map.js';

/** So many programs of the same operators, which took so long and so much of the time since the first of them. */
const PROGRAMS = 32;
const MILLISECONDS = 3000;
const SHARE = 0.5;

interface Seen {
  programs: number;
  milliseconds: number;
  readonly since: number;
}

export class CompileWatch {
  readonly #seen = new RecentMap<string, Seen>(64);
  #hasSpoken = false;

  /** `operators` of a program that took `milliseconds` to compile, at `now`. Returns what is to be said, if anything. */
  note(operators: Iterable<string>, milliseconds: number, now: number): string | undefined {
    if (this.#hasSpoken) return undefined;
    const key = [...new Set(operators)].sort().join();
    let seen = this.#seen.get(key);
    if (seen === undefined) this.#seen.set(key, (seen = { programs: 0, milliseconds: 0, since: now - milliseconds }));
    seen.programs++;
    seen.milliseconds += milliseconds;
    const elapsed = now - seen.since;
    if (seen.programs < PROGRAMS || seen.milliseconds < MILLISECONDS || seen.milliseconds < SHARE * elapsed)
      return undefined;
    this.#hasSpoken = true;
    const seconds = (ms: number): string => (ms / 1000).toFixed(1);
    return (
      `compile: ${seen.programs} programs of the same operators with other shapes took ${seconds(seen.milliseconds)} of the last ` +
      `${seconds(elapsed)} s. Use few shapes: pad batches and sequences to a few sizes (docs/devices.md, "Shapes that change").`
    );
  }
}
