// What samples of a Markov chain are worth: the effective sample size and R-hat of several chains (Gelman et al. 2013, chapter 11; Geyer 1992).

import { ArgumentError, checkList } from '../../tensor/library.js';

/** Samples of one number, a list for each chain, all of the same length. */
export type Chains = readonly ArrayLike<number>[];

function checkChains(op: string, chains: Chains): void {
  checkList(op, 'the chains', chains, 'lists of numbers');
  const length = chains[0]?.length;
  if (chains.length === 0 || length === undefined || length < 4)
    throw new ArgumentError(
      `${op}: there are ${length ?? 0} samples in ${chains.length} chains. Give chains of at least 4.`,
    );
  if (chains.some((chain) => chain.length !== length))
    throw new ArgumentError(
      `${op}: the chains have ${chains.map((c) => c.length).join(', ')} samples. Give chains of one length.`,
    );
}

const mean = (list: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < list.length; i++) sum += list[i];
  return sum / list.length;
};

const variance = (list: ArrayLike<number>): number => {
  const middle = mean(list);
  let sum = 0;
  for (let i = 0; i < list.length; i++) sum += (list[i] - middle) ** 2;
  return sum / (list.length - 1);
};

/** Each chain in two halves: a chain that drifts differs from itself. */
function halves(chains: Chains): number[][] {
  return chains.flatMap((chain) => {
    const all = Array.from(chain);
    const half = all.length >> 1;
    return [all.slice(0, half), all.slice(all.length - half)];
  });
}

/** Within chains, and of all chains as one would estimate it from them: W and var⁺. */
function variances(chains: Chains): { within: number; total: number } {
  const n = chains[0].length;
  const within = mean(chains.map(variance));
  const between = chains.length > 1 ? variance(chains.map(mean)) : 0; // B / n
  return { within, total: ((n - 1) / n) * within + between };
}

/**
 * How much the chains differ, each split into halves: near 1 where all have found the same distribution, and above 1.01 where they have not. 1
 * for chains that stand still at one number. Gelman and Rubin's R̂; Stan: rhat without ranks.
 */
export function rHat(chains: Chains): number {
  checkChains('rHat', chains);
  const { within, total } = variances(halves(chains));
  return total === 0 ? 1 : Math.sqrt(total / within);
}

/**
 * How many independent samples would tell the mean as well: all samples, divided by 1 + 2 · the sum of autocorrelations, which is cut off
 * where pairs of them fall below 0 and is kept falling before that.
 */
export function effectiveSampleSize(chains: Chains): number {
  checkChains('effectiveSampleSize', chains);
  const split = halves(chains);
  const n = split[0].length;
  const count = n * split.length;
  const { within, total } = variances(split);
  if (total === 0) return count;
  const means = split.map(mean);
  const correlation = (lag: number): number => {
    let sum = 0;
    split.forEach((chain, c) => {
      let product = 0;
      for (let i = 0; i + lag < n; i++) product += (chain[i] - means[c]) * (chain[i + lag] - means[c]);
      sum += product / n;
    });
    return 1 - (within * ((n - 1) / n) - sum / split.length) / total;
  };
  let sum = 0;
  let before = Infinity;
  for (let lag = 0; lag + 1 < n; lag += 2) {
    const pair = Math.min(before, (lag === 0 ? 1 : correlation(lag)) + correlation(lag + 1));
    if (pair <= 0) break;
    sum += pair;
    before = pair;
  }
  const spread = Math.max(2 * sum - 1, 1 / Math.log10(count)); // antithetic chains are worth more than independent ones, up to a limit
  return count / spread;
}
