// Steps of the wrong length, and numbers that leave the range.

import { isWeighted } from '../leaves.js';
import { type Evidence, type Finding, type Illness, figure, found } from '../illness.js';
import { type Readings, isPoor, lateHalf, median, trend } from '../readings.js';
import { largest, norm, smallest } from '../../../tensor/extremes.js';

/** The loss has risen to this many times the larger of the first loss and that of knowing nothing. */
const RISEN = 2;
/** An update of this part of the weights is no small step any more. Healthy is about 1e-3, Adam's first steps 1e-2. */
const LARGE_UPDATE = 0.1;
/** The first updates may be larger, but not replace the weights. */
const HUGE_UPDATE = 1;

const top = ({ losses, start }: Readings): number => Math.max(losses[0] ?? NaN, start);

/** The loss grew on the way: to be told from a single number that is not finite. */
function hasRisen(readings: Readings): Evidence | undefined {
  const { smooth, losses, broken } = readings;
  const highest = largest(broken === undefined ? smooth : losses);
  if (!(highest > RISEN * top(readings))) return undefined;
  const at = losses.findIndex((loss) => loss > RISEN * top(readings));
  return {
    text: `the loss rises from ${figure(losses[0])} to ${figure(highest)} (over ${figure(RISEN * top(readings))} first in step ${at + 1}).`,
    step: at + 1,
    numbers: { first: losses[0], highest },
  };
}

function hasLargeUpdates({ looks }: Readings): Evidence | undefined {
  const ratiosOf = (some: typeof looks) =>
    some.flatMap(({ parameters }) =>
      parameters.flatMap(({ shape = [], updateRatio }) =>
        shape.length >= 2 && updateRatio !== undefined ? [updateRatio] : [],
      ),
    );
  const early = median(ratiosOf(looks.slice(0, 2))) ?? 0;
  const middle = median(ratiosOf(looks)) ?? 0;
  if (middle < LARGE_UPDATE && early < HUGE_UPDATE) return undefined;
  const [ratio, when] = middle < LARGE_UPDATE ? [early, 'at the beginning'] : [middle, 'in the median'];
  return {
    text: `an update changes weights by ${figure(ratio)} of their size ${when}; about 0.001 is healthy.`,
    numbers: { updateRatio: ratio },
  };
}

/** Up and down: how much the evened loss climbs in all, in units of where the run began. */
const CLIMBS = 1.5;

function swings({ smooth, start }: Readings): Evidence | undefined {
  const late = lateHalf(smooth);
  let climbed = 0;
  for (let i = 1; i < late.length; i++) climbed += Math.max(0, late[i] - late[i - 1]);
  if (climbed < CLIMBS * start) return undefined;
  return {
    text: `the loss swings: its evened curve climbs by ${figure(climbed)} in all in the second half of the run, and ends no lower.`,
    numbers: { climbed },
  };
}

/** By this part of the start the evened loss ends above its lowest: what was learned is lost again. */
const LOST = 0.5;

function hasLost({ smooth, last, start }: Readings): Evidence | undefined {
  const lowest = smallest(smooth);
  if (!(last - lowest > LOST * start)) return undefined;
  return {
    text: `the loss had come down to ${figure(lowest)}, and ends at ${figure(last)}.`,
    numbers: { lowest, last },
  };
}

function isTooHigh(readings: Readings): Finding | undefined {
  const { broken, losses, last, start } = readings;
  if (broken !== undefined && losses.length < 2) return undefined; // nothing has been learned yet
  const risen = hasRisen(readings);
  const large = hasLargeUpdates(readings);
  const diverged: Evidence[] =
    broken === undefined ? [] : [{ text: `the loss is ${broken.loss} in step ${broken.step}.`, step: broken.step }];
  if (broken !== undefined)
    return (risen ?? large) ? { evidence: [...diverged, ...[risen ?? [], large ?? []].flat()] } : undefined;
  // A peak that was overcome is no illness of the run.
  if (!(last > 0.5 * Math.min(start, losses[0] ?? start))) return undefined;
  const shown = [risen ?? [], large ?? [], swings(readings) ?? []].flat();
  return shown.length === 0 ? undefined : { evidence: shown };
}

/** Updates add up to 1 / (1 − momentum) gradients: 50 from here on. */
const HIGH_MOMENTUM = 0.98;

function hasTooMuchMomentum(readings: Readings): Finding | undefined {
  const { momentum } = readings.facts.optimizerOptions ?? {};
  if (typeof momentum !== 'number' || momentum < HIGH_MOMENTUM) return undefined;
  const shown = [hasRisen(readings) ?? [], swings(readings) ?? [], hasLost(readings) ?? []].flat();
  if (shown.length === 0 || !isPoor(readings, 0.6)) return undefined;
  const text = `momentum is ${momentum}: an update is up to ${figure(1 / (1 - momentum))} times the step of one gradient.`;
  return { evidence: [{ text, numbers: { momentum } }, ...shown] };
}

/** Gradient at the first layer, as a multiple of that at the last, per layer in between; or of what is usual in the run. */
const GROWS = 100;
const SPIKE = 100;

function isExploding(readings: Readings): Finding | undefined {
  const { facts, looks, steps, losses, broken } = readings;
  const weighted = (looks[0]?.layers ?? []).filter((layer) => isWeighted(layer) && layer.gradStd !== undefined);
  const [first, last] = [weighted[0]?.gradStd ?? 0, weighted.at(-1)?.gradStd ?? Infinity];
  if (weighted.length >= 3 && first > GROWS * last && isPoor(readings, 0.5)) {
    return found(
      `the gradient grows from ${figure(last)} at ${weighted.at(-1)?.name} to ${figure(first)} at ${weighted[0].name}, on its way back.`,
      { step: looks[0].step, layers: weighted.map(({ name }) => name), numbers: { first, last } },
    );
  }
  const norms = steps.flatMap(({ gradNorm }) => (gradNorm === undefined ? [] : [gradNorm]));
  const usual = median(norms.filter(Number.isFinite)) ?? NaN;
  const peak = largest(norms.map((value) => (Number.isNaN(value) ? Infinity : value)));
  const size = norm(looks[0]?.parameters.map((parameter) => parameter.norm) ?? []);
  // In the first step nothing but the network itself can be the reason.
  // A large loss makes large gradients in any network; through time it is the same weights that do both.
  const kinds = [...(facts.layers ?? []), ...(looks[0]?.layers ?? [])];
  const isRecurrent = kinds.some(({ kind }) => /^(RNN|LSTM|GRU)/.test(kind));
  const isBornSo = size > 0 && norms[0] > GROWS * size && (isRecurrent || norms[0] > GROWS * Math.max(1, losses[0]));
  // Where steps are too long, or nobody knows how long they are, that is the likelier reason.
  const isOfRate = looks.length === 0 ? !isRecurrent : hasLargeUpdates(readings) !== undefined;
  const isSudden =
    norms.length >= 10 && !isOfRate && peak > SPIKE * usual && (broken !== undefined || isPoor(readings, 0.5));
  if (!isBornSo && !isSudden) return undefined;
  const text = isBornSo
    ? `the norm of the gradients is ${figure(norms[0])} in the first step, that of all parameters ${figure(size)}.`
    : `the norm of the gradients jumps to ${figure(peak)}; usual in this run is ${figure(usual)}.`;
  return found(text, { numbers: { largest: peak, usual, parameters: size } });
}

function isBroken({ broken, looks }: Readings): Finding | undefined {
  if (broken === undefined) return undefined;
  const look = looks.find(({ layers }) => layers.some(({ notFinite }) => notFinite > 0));
  const layer = look?.layers.find(({ notFinite }) => notFinite > 0);
  const where = layer === undefined ? '' : ` The first layer with such outputs is ${layer.name} (${layer.kind}).`;
  return found(`the loss is ${broken.loss} in step ${broken.step}, and did not grow before.${where}`, {
    step: broken.step,
    ...(layer !== undefined && { layers: [layer.name] }),
  });
}

/** Updates that change nothing within a run: 30,000 of them would be needed. */
const SMALL_UPDATE = 3e-5;
/** Part of the start that the loss has come down by, at most, for steps to be too short. */
const LITTLE = 0.2;
/** Correlation of the evened loss with time: still going down, and straight. */
const STEADY = -0.8;

function isTooLow(readings: Readings): Finding | undefined {
  const { updateRatio, smooth, losses, last } = readings;
  if (losses.length < 20 || !isPoor(readings, LITTLE)) return undefined;
  const isFalling = trend(smooth) < STEADY && last < losses[0];
  const isSmall = updateRatio !== undefined && updateRatio < SMALL_UPDATE && updateRatio > 0;
  const isUnknown = updateRatio === undefined || updateRatio < 10 * SMALL_UPDATE;
  if (!isSmall && !(isFalling && isUnknown)) return undefined;
  const fall = 1 - last / losses[0];
  const ratio =
    updateRatio === undefined ? '' : `, and an update changes weights by ${figure(updateRatio)} of their size`;
  return found(`after ${losses.length} steps the loss has gone from ${figure(losses[0])} to ${figure(last)}${ratio}.`, {
    numbers: { fall, ...(updateRatio !== undefined && { updateRatio }) },
  });
}

export const EXPLOSION: readonly Illness[] = [
  {
    code: 'exploding-gradients',
    title: 'Gradients explode',
    about:
      'On the way back each layer, or each step through time, multiplies the gradient. With factors above 1 it grows without bound, and one such step throws the weights far away.',
    sign: 'The gradient at the first layer is over 100 times that at the last, or its norm is that far above what is usual in the run.',
    severity: 'error',
    needs: ['layers', 'losses'],
    detect: isExploding,
    remedy:
      'Clip the norm of the gradients (clipGradNorm_, 1 is usual), start with smaller weights, or use an LSTM in the place of a plain RNN.',
  },
];

export const RATE: readonly Illness[] = [
  {
    code: 'momentum-too-high',
    title: 'Momentum is too high',
    about:
      'With momentum m an update adds up about 1 / (1 − m) gradients: 10 at 0.9, 100 at 0.99. The weights run past the minimum and swing back.',
    sign: 'Momentum is at least 0.98 while the loss rises, swings, or is lost again.',
    severity: 'error',
    needs: ['losses'],
    detect: hasTooMuchMomentum,
    remedy: 'Use a momentum of 0.9, or lower the learning rate in step with 1 − momentum.',
  },
  {
    code: 'lr-too-high',
    title: 'The learning rate is too high',
    about:
      'Steps are longer than the valley is wide: each one lands higher up on the other side. The loss rises, swings, or becomes infinite.',
    sign: 'The loss rises to twice its start, swings without coming down, or stops being a number after that; updates change weights by 10 % and more of their size.',
    severity: 'error',
    needs: ['losses'],
    detect: isTooHigh,
    remedy: 'Divide the learning rate by 10; nabla lr-find suggests one. 1e-1 to 1e-4 are good to try.',
  },
  {
    code: 'loss-not-finite',
    title: 'The loss is not a number',
    about:
      'A single operation gave NaN or infinity: the logarithm of 0, a division by 0, the root of a negative number. From then on everything that is computed from it is NaN.',
    sign: 'The loss stops being a number without having grown before, which a rate that is too high would do.',
    severity: 'error',
    needs: ['losses'],
    detect: isBroken,
    remedy:
      'Look for a log or square root of 0 or less, and a division by 0: use losses of logits, or add a small number inside.',
  },
];

export const RATE_TOO_LOW: readonly Illness[] = [
  {
    code: 'lr-too-low',
    title: 'The learning rate is too low',
    about: 'Each step goes the right way, and hardly anywhere. The run would arrive, in a hundred times its length.',
    sign: 'After at least 20 steps the loss has come down by less than a fifth and still falls steadily, or updates change weights by less than 3e-5 of their size.',
    severity: 'error',
    needs: ['losses'],
    detect: isTooLow,
    remedy:
      'Multiply the learning rate by 10 until the loss falls visibly within 100 steps; nabla lr-find suggests one.',
  },
];
