// How much is left of a picture after each step of noise: ᾱ, the product of (1 − β) up to it. Plain numbers.

import { ArgumentError, checkChoice, checkWhole } from '../../tensor/library.js';

export type NoiseScheduleName = 'cosine' | 'linear';

/** The cosine's offset, which keeps the first steps from being too small, and the largest β (Nichol and Dhariwal 2021). */
const [OFFSET, LARGEST] = [0.008, 0.999];

/**
 * ᾱ of each of `steps` steps, falling from nearly 1 to nearly 0. 'cosine': as cos² (Nichol and Dhariwal 2021); 'linear': β from 1e-4 to
 * 0.02 for 1,000 steps (Ho et al. 2020), for fewer as much larger. A picture after step t is √ᾱ · picture + √(1 − ᾱ) · noise.
 */
export function noiseSchedule(steps: number, name: NoiseScheduleName = 'cosine'): Float64Array {
  checkWhole('noiseSchedule', 'steps', steps, 1);
  checkChoice('noiseSchedule', 'the schedule', name, ['cosine', 'linear']);
  if (name === 'linear' && steps < 21)
    throw new ArgumentError(`noiseSchedule: ${steps} steps are too few for a linear schedule. Use at least 21.`);
  const angle = (t: number) => Math.cos(((t / steps + OFFSET) / (1 + OFFSET)) * (Math.PI / 2)) ** 2;
  const betaOf =
    name === 'cosine'
      ? (t: number) => Math.min(LARGEST, 1 - angle(t + 1) / angle(t))
      : (t: number) => (1000 / steps) * (1e-4 + ((0.02 - 1e-4) * t) / (steps - 1));
  let left = 1;
  return Float64Array.from({ length: steps }, (_, t) => (left *= 1 - betaOf(t)));
}
