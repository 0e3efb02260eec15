// What the network is given: inputs out of scale, labels that cannot be right, batches in a bad order.

import { type Finding, type Illness, figure, found, percent } from '../illness.js';
import { type Readings, deviation, isPoor, mean } from '../readings.js';
import { largest, smallest } from '../../../tensor/extremes.js';

const inputsOf = ({ looks }: Readings) => looks.flatMap(({ step, input }) => (input ? [{ step, ...input }] : []));
const targetsOf = ({ looks }: Readings) =>
  looks.flatMap(({ step, targets }) => (targets ? [{ step, ...targets }] : []));

/** Initialisations count on inputs of about mean 0 and deviation 1; up to this is within what they bear (pixels 0 … 16). */
const LARGEST_SCALE = 10;
/** Inputs that all look alike to the first layer: the mean is this many deviations away from 0. */
const LARGEST_OFFSET = 10;

function isUnnormalised(readings: Readings): Finding | undefined {
  const [first] = inputsOf(readings);
  if (first === undefined || first.notFinite > 0) return undefined;
  const { mean: m, std, min, max } = first;
  const scale = Math.hypot(m, std);
  const offset = Math.abs(m) / (std || Infinity);
  if (scale <= LARGEST_SCALE && offset <= LARGEST_OFFSET) return undefined;
  return found(
    `inputs have mean ${figure(m)} and standard deviation ${figure(std)} (from ${figure(min)} to ${figure(max)}).`,
    // a batch normalisation in front, or a careful rate, can make up for it
    { step: first.step, numbers: { mean: m, std, min, max }, severity: isPoor(readings, 0.5) ? 'error' : 'warning' },
  );
}

function hasOneLabel(readings: Readings): Finding | undefined {
  const targets = targetsOf(readings);
  const [first] = targets;
  if (targets.length < 3 || first.count < 2) return undefined;
  if (!targets.every(({ std, mean: m }) => std === 0 && m === first.mean)) return undefined;
  return found(`all ${targets.length} batches that were looked into have the one target ${figure(first.mean)}.`, {
    numbers: { target: first.mean },
  });
}

/** Each class should have come up this often before its absence means anything. */
const SEEN_PER_CLASS = 30;

function hasWrongClasses(readings: Readings): Finding | undefined {
  const { classes = 0 } = readings.facts;
  const targets = targetsOf(readings).filter(({ commonest }) => commonest !== undefined);
  const seen = targets.reduce((sum, { count }) => sum + count, 0);
  if (classes < 2 || seen < SEEN_PER_CLASS * classes) return undefined;
  const [min, max] = [smallest(targets.map((t) => t.min)), largest(targets.map((t) => t.max))];
  if (min === 0 && max === classes - 1) return undefined;
  return found(`the model has ${classes} classes, ${seen} labels lie between ${min} and ${max}.`, {
    numbers: { classes, min, max, seen },
  });
}

/** A batch mostly of one class … */
const SORTED_SHARE = 0.7;
/** … while the mean label moves by this part of the range from batch to batch, which a rare class does not explain. */
const SORTED_MOVE = 0.25;

function isSorted(readings: Readings): Finding | undefined {
  const targets = targetsOf(readings).filter(({ count, commonest }) => count >= 4 && commonest !== undefined);
  if (targets.length < 4) return undefined;
  const share = mean(targets.map(({ commonest }) => commonest ?? 0));
  const range = largest(targets.map(({ max }) => max)) - smallest(targets.map(({ min }) => min));
  const move = deviation(targets.map((t) => t.mean)) / (range || 1);
  if (share < SORTED_SHARE || move < SORTED_MOVE) return undefined;
  return found(
    `${percent(share)} of the labels in a batch are the same, and which one changes from batch to batch (mean labels ${targets
      .slice(0, 6)
      .map((t) => figure(t.mean))
      .join(', ')}, …).`,
    { numbers: { share, move } },
  );
}

function isAlwaysTheSame(readings: Readings): Finding | undefined {
  const inputs = inputsOf(readings);
  const [first] = inputs;
  const { trainSamples, stepsPerEpoch = 1 } = readings.facts;
  const hasMore =
    stepsPerEpoch > 1 || (trainSamples !== undefined && first !== undefined && trainSamples > first.batch);
  if (inputs.length < 4 || !hasMore) return undefined;
  const isSame = inputs.every((x) => x.mean === first.mean && x.std === first.std && x.max === first.max);
  if (!isSame) return undefined;
  return found(
    `inputs of ${inputs.length} batches are the same numbers (mean ${figure(first.mean)}, standard deviation ${figure(first.std)}).`,
    { numbers: { mean: first.mean, std: first.std } },
  );
}

export const DATA: readonly Illness[] = [
  {
    code: 'input-not-finite',
    title: 'Inputs contain NaN or infinity',
    about:
      'One NaN or infinity among the inputs makes the loss NaN, and after one update every weight. Such numbers come from missing values, divisions by a deviation of 0, or logarithms of 0.',
    sign: "Shares of numbers that are not finite are counted in the first layer's input.",
    severity: 'error',
    needs: ['inputs'],
    isCertain: true,
    detect: (readings) => {
      const bad = inputsOf(readings).find(({ notFinite }) => notFinite > 0);
      return (
        bad &&
        found(`${percent(bad.notFinite)} of the inputs are not finite.`, {
          step: bad.step,
          numbers: { share: bad.notFinite },
        })
      );
    },
    remedy: 'Clean the data: fill or drop missing values, and divide by no deviation of 0 when normalising.',
  },
  {
    code: 'unnormalised-inputs',
    title: 'Inputs are not normalised',
    about:
      'Initialisations and usual learning rates count on inputs of about mean 0 and deviation 1. Large inputs make large activations and gradients; features of different size need different rates.',
    sign: "Mean and deviation of the first layer's input: together above 10, or a mean more than 10 deviations away from 0.",
    severity: 'error',
    needs: ['inputs'],
    detect: isUnnormalised,
    remedy: 'Subtract the mean and divide by the standard deviation of the training data, per channel or feature.',
  },
  {
    code: 'constant-labels',
    title: 'All targets are the same',
    about:
      'If all targets are the same, a constant answers everything. Mostly the labels were read from the wrong column, or the data were sorted before they were split.',
    sign: 'All batches that were looked into, at least three, have one and the same target.',
    severity: 'error',
    needs: ['labels'],
    isCertain: true,
    detect: hasOneLabel,
    remedy: 'Look at a few samples with their labels: the reading of the labels, or the split, is wrong.',
  },
  {
    code: 'same-batch',
    title: 'Every batch is the same',
    about:
      'Every step sees the same samples, so the network learns these by heart and nothing else. Often the first batch of a loader was taken once, outside the loop.',
    sign: 'Mean, deviation and largest value of the inputs are the same in at least four batches, although there are more data.',
    severity: 'error',
    needs: ['inputs'],
    detect: isAlwaysTheSame,
    remedy: 'Draw a new batch for each step: iterate over the DataLoader instead of taking its first batch.',
  },
  {
    code: 'forgotten-shuffle',
    title: 'Batches are sorted by class',
    about: 'In sorted data every batch is of one class, and a step unlearns what the steps before it have learned.',
    sign: 'Most labels of a batch are the same, and which one it is changes from batch to batch.',
    severity: 'error',
    needs: ['labels'],
    detect: isSorted,
    remedy: 'Shuffle the training data in every epoch (shuffle: true): gradients of one class undo those of another.',
  },
  {
    code: 'wrong-classes',
    title: 'Labels do not fit the number of classes',
    about:
      'C outputs stand for the classes 0 to C − 1. Labels that begin at 1, or a last layer with too many outputs, leave classes that never come up.',
    sign: 'The least and the largest label, after some 30 labels a class, are not 0 and C − 1.',
    severity: 'warning',
    needs: ['labels'],
    detect: hasWrongClasses,
    remedy: 'Labels count from 0 to C − 1: look for labels that are off by one, or give the last layer C outputs.',
  },
];
