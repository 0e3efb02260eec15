// Policies: what the numbers of a network say about actions. For a Discrete they are logits; for a Box the means and the logarithms of the
// standard deviations of independent normal distributions. Drawn on the host, where actions are needed; the same probabilities as tensors
// for losses.

import type { HostRandom } from '../../tensor/host-random.js';
import { ArgumentError } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { Box, Discrete, type Space } from '../spaces.js';

/** An action that was drawn. */
export interface Drawn<A> {
  readonly action: A;
  /** As it is kept: one number for a Discrete, as many as it has for a Box (before they are clipped to the space). */
  readonly numbers: readonly number[];
  /** Logarithm of its probability (density for a Box). */
  readonly logProb: number;
}

export interface Policy<A> {
  /** Numbers of the network for an observation. */
  readonly outputs: number;
  /** Numbers that an action is kept as, and their dtype. */
  readonly size: number;
  readonly dtype: 'int32' | 'float32';
  draw(numbers: Float32Array, at: number, random: HostRandom): Drawn<A>;
  /** The most likely action. */
  best(numbers: Float32Array, at: number): A;
  /** Of actions [N] or [N, size], by the numbers [N, outputs]: log-probabilities [N], and the entropy of each distribution [N]. */
  terms(numbers: Tensor, actions: AnyTensor): { readonly logProb: Tensor; readonly entropy: Tensor };
}

/** The policy over a space. Throws ArgumentError for a space that is neither a Discrete nor a Box. */
export function policyOf<A>(op: string, space: Space<A>): Policy<A> {
  // which kind of action belongs to which space is known here, and not to the compiler
  if (space instanceof Discrete) return categorical(space) as Policy<never>;
  if (space instanceof Box) return normal(space) as Policy<never>;
  throw new ArgumentError(`${op}: actions are of ${String(space)}. The agent knows a Discrete and a Box.`);
}

/** Position of the largest of `count` numbers. */
export function argmaxOf(numbers: ArrayLike<number>, at: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (numbers[at + i] > numbers[at + best]) best = i;
  return best;
}

function categorical({ n, start }: Discrete): Policy<number> {
  return {
    outputs: n,
    size: 1,
    dtype: 'int32',
    draw(numbers, at, random) {
      const most = numbers[at + argmaxOf(numbers, at, n)];
      let sum = 0;
      for (let i = 0; i < n; i++) sum += Math.exp(numbers[at + i] - most);
      let rest = random.uniform() * sum;
      let drawn = 0;
      while (drawn < n - 1 && (rest -= Math.exp(numbers[at + drawn] - most)) >= 0) drawn++;
      return { action: start + drawn, numbers: [drawn], logProb: numbers[at + drawn] - most - Math.log(sum) };
    },
    best: (numbers, at) => start + argmaxOf(numbers, at, n),
    terms(numbers, actions) {
      const logs: Tensor = numbers.logSoftmax(1);
      const index = actions.to('int32').reshape([-1, 1]);
      return {
        logProb: logs.gather(1, index).reshape([-1]),
        entropy: logs.exp().mul(logs).sum(1).neg(),
      };
    },
  };
}

/** Standard deviations stay between e^−5 and e². */
const [LEAST, MOST] = [-5, 2];
const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

function normal(box: Box): Policy<Float32Array> {
  const size = box.low.length;
  return {
    outputs: 2 * size,
    size,
    dtype: 'float32',
    draw(numbers, at, random) {
      let logProb = 0;
      const drawn = Array.from({ length: size }, (_, i) => {
        const logStd = Math.min(Math.max(numbers[at + size + i], LEAST), MOST);
        const noise = random.normal();
        logProb -= 0.5 * noise ** 2 + logStd + HALF_LOG_2PI;
        return numbers[at + i] + Math.exp(logStd) * noise;
      });
      return { action: box.clip(drawn), numbers: drawn, logProb };
    },
    best: (numbers, at) => box.clip(numbers.subarray(at, at + size)),
    terms(numbers, actions) {
      const [mean, raw] = numbers.split([size, size], 1);
      const logStd: Tensor = raw.clamp(LEAST, MOST);
      const noise: Tensor = actions.to('float32').reshape([-1, size]).sub(mean).div(logStd.exp());
      return {
        logProb: noise.mul(noise).mul(-0.5).sub(logStd).sub(HALF_LOG_2PI).sum(1),
        entropy: logStd.add(0.5 + HALF_LOG_2PI).sum(1),
      };
    },
  };
}
