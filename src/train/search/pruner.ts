// Pruners end trials that fall behind, so that their time goes to better ones.
// Reports of all trials in, a verdict out. Must not know: how trials are run.

import { ArgumentError, checkOptions, type OptionNames } from '../../tensor/library.js';

/** What a trial has reported, in order: after how many steps (epochs, say) which value, to be minimised. */
export type Reports = readonly (readonly [step: number, value: number])[];

export interface Pruner {
  readonly name: string;
  /** Whether the trial whose last report is `reports.at(-1)` should end, given what the others have reported. */
  shouldStop(reports: Reports, others: readonly Reports[]): boolean;
}

export interface HalvingOptions {
  /** Steps after which the first trials end. Default 1. */
  readonly min?: number;
  /** One of how many goes on; also the factor between the rungs. Default 3. */
  readonly factor?: number;
}

const HALVING_OPTIONS: OptionNames<HalvingOptions> = { min: true, factor: true };

/**
 * Successive halving: at min, min · factor, min · factor², … steps only the best of every `factor` trials go on. Verdicts are
 * given at once, with the trials that have come as far (asynchronous: Li et al. 2020, ASHA).
 */
export function successiveHalving(options: HalvingOptions = {}): Pruner {
  checkOptions('successiveHalving', options, HALVING_OPTIONS);
  const { min = 1, factor = 3 } = options;
  if (!(min >= 1)) throw new ArgumentError(`successiveHalving: min is ${min}. Use a number of at least 1.`);
  if (!(factor >= 2)) throw new ArgumentError(`successiveHalving: factor is ${factor}. Use a number of at least 2.`);
  return {
    name: 'successive-halving',
    shouldStop(reports, others) {
      const last = reports.at(-1);
      if (last === undefined) return false;
      if (Number.isNaN(last[1])) return true;
      for (let rung = min; rung <= last[0]; rung *= factor) {
        const own = valueAt(reports, rung);
        if (own === undefined) continue;
        const rivals = others.map((r) => valueAt(r, rung)).filter((v) => v !== undefined);
        const places = Math.max(1, Math.floor((rivals.length + 1) / factor));
        if (rivals.filter((v) => v < own).length >= places) return true;
      }
      return false;
    },
  };
}

/** The value at the first report that has reached the step. */
function valueAt(reports: Reports, step: number): number | undefined {
  return reports.find(([at]) => at >= step)?.[1];
}
