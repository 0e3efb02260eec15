// How the network begins: what the first looks show, before training has changed much.

import { isWeighted } from '../leaves.js';
import { type Evidence, type Finding, type Illness, figure, found, percent } from '../illness.js';
import { type Readings, isPoor, mean } from '../readings.js';
import { largest } from '../../../tensor/extremes.js';

/** Rows of a weight that differ by less than this part of their size are the same unit. */
const ALIKE = 1e-5;

/** Weights of hidden layers whose units are all the same, from the first look to the last. */
function isSymmetric({ looks }: Readings): Finding | undefined {
  const alike = (index: number): string[] => {
    const weights = looks.at(index)?.parameters.filter(({ shape = [] }) => shape.length >= 2) ?? [];
    // The last layer's units are told apart by the targets; zeros are a usual start there.
    return weights
      .slice(0, -1)
      .filter(({ shape = [], norm, spread }) => {
        const size = norm / Math.sqrt(shape.reduce((a, b) => a * b, 1));
        return shape[0] > 1 && spread !== undefined && spread <= ALIKE * size;
      })
      .map(({ name }) => name);
  };
  const stay = alike(-1).filter((name) => alike(0).includes(name));
  if (looks.length < 2 || stay.length === 0) return undefined;
  return found(
    `all units of ${stay.slice(0, 3).join(', ')} have the same weights at step ${looks[0].step} and still at step ${looks.at(-1)?.step}.`,
    { step: looks[0].step, layers: stay },
  );
}

/** The first loss is this many times that of knowing nothing, and at least 2 above it. PyTorch's defaults give 1.0 to 1.3. */
const LOSS_FACTOR = 2.5;
/** Squares of numbers grow faster, and targets far from 0 are learned by the bias. */
const SQUARE_FACTOR = 20;
/** Activations at the ends of their range before anything is learned. PyTorch's defaults give below 1 %. */
const SATURATED = 0.3;
/** Weights of this root mean square times √(number of inputs); Xavier has about 1, and √2 is Kaiming. */
const LARGE_WEIGHT = 2.5;

/** The largest root mean square of a weight, as a multiple of 1/√(number of inputs). */
function largestGain({ looks }: Readings): number {
  const gains = (looks[0]?.parameters ?? []).map(({ shape = [], norm }) =>
    shape.length < 2 ? 0 : norm / Math.sqrt(shape[0]),
  );
  return Math.max(0, largest(gains));
}

function isTooLarge(readings: Readings): Finding | undefined {
  const { chance, losses, looks } = readings;
  const evidence: Evidence[] = [];
  const first = losses[0];
  const limit =
    chance &&
    (chance.formula.startsWith('log')
      ? Math.max(LOSS_FACTOR * chance.loss, chance.loss + 2)
      : SQUARE_FACTOR * chance.loss);
  if (chance !== undefined && limit !== undefined && first > limit) {
    evidence.push({
      text: `the first loss is ${figure(first)}; a model that knows nothing has ${figure(chance.loss)} (${chance.formula}).`,
      step: 1,
      numbers: { loss: first, expected: chance.loss },
    });
  }
  const flat = (looks[0]?.layers.slice(0, -1) ?? []).filter(({ saturated = 0 }) => saturated > SATURATED);
  if (flat.length > 0 && largestGain(readings) > LARGE_WEIGHT) {
    const share = mean(flat.map(({ saturated = 0 }) => saturated));
    evidence.push({
      text: `${percent(share)} of the activations of ${flat
        .map(({ name, kind }) => `${name} (${kind})`)
        .slice(0, 3)
        .join(', ')} are at the ends of their range in the first step.`,
      step: looks[0].step,
      layers: flat.map(({ name }) => name),
      numbers: { saturated: share },
    });
  }
  return evidence.length === 0 ? undefined : { evidence, severity: isPoor(readings, 0.6) ? 'error' : 'warning' };
}

/** Signals at the end of a network, as a part of those at its beginning. */
const SHRUNK = 1e-3;

function isTooSmall(readings: Readings): Finding | undefined {
  const weighted = (readings.looks[0]?.layers ?? []).filter(isWeighted);
  const [first, last] = [weighted[0], weighted.at(-1)];
  if (weighted.length < 4 || first === undefined || last === undefined || !isPoor(readings, 0.5)) return undefined;
  const ratio = last.std / first.std;
  if (!(ratio < SHRUNK)) return undefined;
  return found(
    `the standard deviation of the outputs falls from ${figure(first.std)} (${first.name}) to ${figure(last.std)} (${last.name}) in the first step.`,
    { step: readings.looks[0].step, layers: [first.name, last.name], numbers: { ratio } },
  );
}

export const START: readonly Illness[] = [
  {
    code: 'symmetric-initialisation',
    title: 'All units of a layer are the same',
    about:
      'Units that start with the same weights get the same gradients and stay the same: a layer of 100 of them can do what one can.',
    sign: 'The rows of a weight are the same at the first look and still at the last.',
    severity: 'error',
    needs: ['layers'],
    detect: isSymmetric,
    remedy:
      'Start weights at random (Xavier for tanh, Kaiming for ReLU): units that start alike get the same gradients.',
  },
  {
    code: 'initialisation-too-large',
    title: 'Weights start too large',
    about:
      'Large weights make sure answers before anything is known: the first loss is high, sigmoid and tanh are at their ends, where they have no slope, and the first steps only undo that.',
    sign: 'The first loss is far above that of a model that knows nothing (log C for C classes), or activations are at the ends of their range in the first step.',
    severity: 'error',
    needs: ['losses', 'layers'],
    detect: isTooLarge,
    remedy: 'Use Xavier (tanh, sigmoid) or Kaiming (ReLU) initialisation: variance 1/n or 2/n for n inputs.',
  },
  {
    code: 'initialisation-too-small',
    title: 'Weights start too small',
    about:
      'If each layer makes its signal smaller, the last one hardly depends on the input, and gradients shrink in the same way on their way back.',
    sign: 'The deviation of the outputs falls to less than a thousandth from the first layer to the last, and the loss does not come down.',
    severity: 'error',
    needs: ['layers'],
    detect: isTooSmall,
    remedy:
      'Use Xavier (tanh, sigmoid) or Kaiming (ReLU) initialisation, so that each layer keeps the variance; or batch normalisation.',
  },
];
