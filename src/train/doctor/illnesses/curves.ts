// What the curves of training and validation say together: bias, variance, labels that mean nothing.

import { type Finding, type Illness, figure, found, percent } from '../illness.js';
import { type Readings, isPoor, lateHalf, layerHistories, mean, trend } from '../readings.js';
import { norm, smallest } from '../../../tensor/extremes.js';

// ---------------------------------------------------------------- regularisation

/** Weights that shrink to this part of their norm … */
const SHRUNK = 0.5;
/** … under at least this decay. */
const STRONG_DECAY = 0.005;

function isDecaying(readings: Readings): Finding | undefined {
  const { looks, facts } = readings;
  const { weightDecay } = facts.optimizerOptions ?? {};
  const size = (index: number) =>
    norm(
      looks
        .at(index)
        ?.parameters.filter(({ shape = [] }) => shape.length >= 2)
        .map((parameter) => parameter.norm) ?? [],
    );
  const ratio = size(-1) / size(0);
  if (typeof weightDecay !== 'number' || weightDecay < STRONG_DECAY || !(ratio < SHRUNK) || !isPoor(readings, 0.4)) {
    return undefined;
  }
  return found(
    `weight decay is ${weightDecay}, the norm of the weights falls from ${figure(size(0))} to ${figure(size(-1))}, and the loss stays at ${figure(readings.last)}.`,
    { numbers: { weightDecay, ratio } },
  );
}

/** Part of the units that a dropout leaves out; 0.5 is the usual most. */
const STRONG_DROPOUT = 0.75;

function isDroppingTooMuch(readings: Readings): Finding | undefined {
  if (!isPoor(readings, 0.4)) return undefined;
  const evidence = [...layerHistories(readings.looks)].flatMap(([name, history], i, all) => {
    if (!history[0].kind.includes('Dropout')) return [];
    const before = all[i - 1]?.[1];
    // The zeros that dropout adds to those of the layer before it.
    const shares = history.map(({ zero }, k) => 1 - (1 - zero) / (1 - (before?.[k]?.zero ?? 0) || 1));
    const share = mean(shares);
    if (share < STRONG_DROPOUT) return [];
    return [{ text: `${name} drops ${percent(share)} of its inputs.`, layers: [name], numbers: { share } }];
  });
  return evidence.length === 0 ? undefined : { evidence };
}

// ---------------------------------------------------------------- labels

/** Right by chance: 1/C, and three standard deviations of counting on `samples`. A mean over epochs is no more exact: the same samples. */
function chanceLevel(classes: number, samples: number): number {
  return 1 / classes + 3 * Math.sqrt(((1 / classes) * (1 - 1 / classes)) / samples);
}

/** Part of the loss of knowing nothing that training has to gain to have memorised something. */
const MEMORISED = 0.1;
/** As good as nothing. */
const NOTHING = 0.04;

function isMeaningless(readings: Readings): Finding | undefined {
  const { facts, epochs, chance, last, losses, updateRatio } = readings;
  const { classes = 0, validationSamples = 100 } = facts;
  if (chance === undefined || classes < 2) return undefined;
  const validated = epochs.flatMap(({ validation }) => (validation ? [validation] : []));
  const gained = 1 - last / chance.loss;
  const isMoving = updateRatio === undefined || updateRatio > 1e-4;
  if (validated.length >= 2) {
    const best = mean(lateHalf(validated).map(({ accuracy = NaN }) => accuracy));
    const lowest = smallest(validated.map(({ loss = NaN }) => loss));
    const isChance = Number.isNaN(best) ? lowest > chance.loss * 0.97 : best < chanceLevel(classes, validationSamples);
    if (!isChance || losses.length < 20) return undefined;
    const said = Number.isNaN(best)
      ? `the lowest validation loss is ${figure(lowest)}`
      : `validation is right for ${percent(best)} in the later half; ${percent(1 / classes)} is chance`;
    if (gained > MEMORISED) {
      return found(
        `the training loss has come down to ${figure(last)}, but ${said}: samples are memorised, nothing is learned.`,
        {
          numbers: { last, best, chance: 1 / classes },
        },
      );
    }
    if (!isMoving) return undefined;
    return found(`the training loss stays at ${figure(last)} (knowing nothing: ${figure(chance.loss)}), and ${said}.`, {
      numbers: { last, best, chance: 1 / classes },
    });
  }
  if (Math.abs(gained) > NOTHING || losses.length < 50 || !isMoving) return undefined;
  return found(
    `after ${losses.length} steps the loss is ${figure(last)}, that of knowing nothing (${chance.formula} = ${figure(chance.loss)}), though the weights move.`,
    { numbers: { last, chance: chance.loss } },
  );
}

// ---------------------------------------------------------------- bias and variance

/** Both losses of the epochs that have both. */
function pairsOf({ epochs }: Readings): { epoch: number; train: number; validation: number }[] {
  return epochs.flatMap(({ epoch, train, validation }) =>
    train.loss !== undefined && validation?.loss !== undefined
      ? [{ epoch, train: train.loss, validation: validation.loss }]
      : [],
  );
}

/** The validation loss has risen by this part over its lowest … */
const RISEN = 0.2;
/** … while the training loss is below this part of it: not noise, a gap. */
const GAP = 0.5;
/** Difference of accuracies that matters even where the loss does not rise. */
const ACCURACY_GAP = 0.15;

function isOverfitting(readings: Readings): Finding | undefined {
  const pairs = pairsOf(readings);
  const last = pairs.at(-1);
  if (last === undefined || pairs.length < 4) return undefined;
  const best = pairs.reduce((a, b) => (b.validation < a.validation ? b : a));
  const end = mean(pairs.slice(-3).map(({ validation }) => validation));
  const { train = {}, validation = {} } = readings.epochs.at(-1) ?? {};
  const gap = (train.accuracy ?? 0) - (validation.accuracy ?? Infinity);
  const isWide = last.train < GAP * end;
  // A loss near 0 may rise by its half and mean nothing.
  const isRisen = end > best.validation * (1 + RISEN) && end - best.validation > 0.03 * readings.start;
  if (isRisen && isWide && last.epoch - best.epoch >= 2) {
    return found(
      `the validation loss is lowest in epoch ${best.epoch} (${figure(best.validation)}) and ${figure(last.validation)} in epoch ${last.epoch}; the training loss goes on down to ${figure(last.train)}.`,
      { epoch: best.epoch, numbers: { best: best.validation, validation: last.validation, train: last.train } },
    );
  }
  if (isWide && gap > ACCURACY_GAP && (train.accuracy ?? 0) > 0.9) {
    return found(`training is right for ${percent(train.accuracy)}, validation for ${percent(validation.accuracy)}.`, {
      epoch: last.epoch,
      numbers: { train: train.accuracy, validation: validation.accuracy },
    });
  }
  return undefined;
}

/** Validation below this part of the training loss, with the same weights or worse ones. */
const BETTER = 0.7;

function isEasier(readings: Readings): Finding | undefined {
  const pairs = pairsOf(readings);
  const { layers } = readings.facts;
  if (pairs.length < 4 || layers === undefined || layers.some(({ kind }) => kind.includes('Dropout'))) return undefined;
  // The mean over an epoch is of weights before and during it: the epoch after is the fair comparison.
  const fair = pairs
    .slice(0, -1)
    .map(({ validation, train }, i) => ({ validation, train: Math.min(train, pairs[i + 1].train) }));
  const late = lateHalf(fair);
  const isClear = late.every(
    ({ validation, train }) => validation < BETTER * train && train - validation > 0.01 * readings.start,
  );
  const last = pairs.at(-1);
  if (!isClear || last === undefined) return undefined;
  return found(
    `the validation loss is ${figure(last.validation)}, the training loss ${figure(last.train)}, and there is no dropout that would explain it.`,
    { epoch: last.epoch, numbers: { validation: last.validation, train: last.train } },
  );
}

/** What is left of the loss of the start … */
const LEFT = 0.6;
/** … after this many epochs, with the curve flat or falling slowly. */
const EPOCHS = 4;

function isUnderfitting(readings: Readings): Finding | undefined {
  const { epochs, last, start, smooth, chance } = readings;
  if (epochs.length < EPOCHS || chance === undefined || !(last > LEFT * start)) return undefined;
  const late = lateHalf(smooth);
  const fall = (late[0] - (late.at(-1) ?? NaN)) / start;
  const how = fall > 0.03 && trend(late) < -0.5 ? 'and still falls' : 'and does not fall any more';
  const validation = epochs.at(-1)?.validation?.loss;
  const both = validation === undefined ? '' : `, the validation loss at ${figure(validation)}`;
  return found(
    `after ${epochs.length} epochs the training loss is at ${figure(last)}${both} ${how}; knowing nothing has ${figure(chance.loss)}.`,
    { epoch: epochs.length, numbers: { train: last, start, fall } },
  );
}

export const REGULARISATION: readonly Illness[] = [
  {
    code: 'too-much-weight-decay',
    title: 'Weight decay is too strong',
    about:
      'Weight decay pulls every weight towards 0 in each step. If it pulls harder than the loss does, the network forgets as fast as it learns.',
    sign: 'With a decay of at least 0.005 the norm of the weights falls to half or less, and the loss stays high.',
    severity: 'error',
    needs: ['layers'],
    detect: isDecaying,
    remedy: 'Lower the weight decay; 1e-4, 1e-5 and 0 are good to try.',
  },
  {
    code: 'too-much-dropout',
    title: 'Dropout is too strong',
    about: 'Dropout leaves out units at random. With most of them gone, what is left cannot carry the information.',
    sign: "Three quarters and more of a layer's inputs are dropped, and the loss stays high.",
    severity: 'error',
    needs: ['layers'],
    detect: isDroppingTooMuch,
    remedy: 'Lower the dropout probability to 0.5 or less, or train a wider network for longer.',
  },
];

export const CURVES: readonly Illness[] = [
  {
    code: 'shuffled-labels',
    title: 'Labels have nothing to do with the inputs',
    about:
      'If labels do not belong to their inputs, there is nothing to be learned: a network may memorise the training samples, and guesses at all others. Mostly inputs and labels were put in order separately.',
    sign: 'Validation stays at chance while the weights move, or while the training loss falls.',
    severity: 'error',
    needs: ['losses', 'validation'],
    detect: isMeaningless,
    remedy:
      'Look at inputs with their labels: shuffle both with one order, and check how labels are read. Then overfit a single batch.',
  },
  {
    code: 'overfitting',
    title: 'The model overfits (high variance)',
    about: 'The network learns the training samples by heart: what it learns is true for them and not for others.',
    sign: 'The validation loss rises again while the training loss goes on down, or accuracies differ by more than 15 %.',
    severity: 'warning',
    needs: ['validation'],
    detect: isOverfitting,
    remedy: 'Stop early, get more data or augment it, regularise (weight decay, dropout), or use a smaller model.',
  },
  {
    code: 'validation-easier',
    title: 'Validation is much better than training',
    about:
      'Usually a network does better on what it has seen. If it does much better on the validation data, these may contain training samples, or be of an easier kind.',
    sign: 'In the later half of the run the validation loss is below 70 % of the training loss, and there is no dropout that would explain it.',
    severity: 'warning',
    needs: ['validation'],
    detect: isEasier,
    remedy:
      'Look for training samples in the validation set (a leak), and for a split that is not random. Strong augmentation in training explains it, too.',
  },
  {
    code: 'underfitting',
    title: 'The model underfits (high bias)',
    about:
      'The network cannot even do the training samples: it is too small, was trained too briefly or badly, or is held back by regularisation.',
    sign: 'After at least four epochs the training loss is still above 60 % of that of a model that knows nothing.',
    severity: 'warning',
    needs: ['epochs'],
    detect: isUnderfitting,
    remedy: 'Use a larger model, train for longer or with a better learning rate, and regularise less.',
  },
];
