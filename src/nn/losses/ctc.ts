// Connectionist temporal classification: the probability of a sequence of labels, summed over all ways to spread it over the steps
// of a longer sequence of predictions, with blanks between (Graves et al. 2006).

import { type CustomContext, customOp } from '../../tensor/custom-op.js';
import { full, tensor, zeros } from '../../tensor/creation.js';
import { largest } from '../../tensor/extremes.js';
import { cat, stack, where } from '../../tensor/functions.js';
import {
  ArgumentError,
  checkChoice,
  checkedElements,
  checkOptions,
  checkWhole,
  DTypeError,
  formatShape,
  gatherLabels,
  type OptionNames,
  ShapeError,
  shown,
} from '../../tensor/library.js';
import type { Exact } from '../../tensor/shape-types/options.js';
import { arange } from '../../tensor/creation.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';
import { type Labels, type LossOptions, type Reduced, checkFloat, reduce, tell } from './common.js';

export interface CtcOptions extends LossOptions {
  /** The class that stands between labels. Default 0. */
  readonly blank?: number;
  /** A loss that is infinite, as the labels are more than the steps, is 0. Default false. */
  readonly zeroInfinity?: boolean;
}

export const CTC_OPTIONS: OptionNames<CtcOptions> = { blank: true, reduction: true, zeroInfinity: true };

/** How many steps or labels of each sample count: a list, or int32 [N]. */
export type Lengths = readonly number[] | AnyTensor;

const OP = 'ctcLoss';
/** The logarithm of what cannot be: finite, so that differences of two of them are numbers. */
const NEVER = -1e30;

function lengthsOf(lengths: Lengths, n: number, most: number, what: string): Labels {
  if (Array.isArray(lengths)) {
    for (const length of lengths as readonly number[]) checkWhole(OP, `a length of ${what}`, length);
    if (lengths.length !== n)
      throw new ArgumentError(`${OP}: ${lengths.length} lengths of ${what} for ${n} samples. Give one each.`);
    const large = (lengths as readonly number[]).find((length) => length > most);
    if (large !== undefined) throw new ArgumentError(`${OP}: a length of ${what} is ${large}. Use at most ${most}.`);
    return tensor(Int32Array.from(lengths as readonly number[]));
  }
  const t = lengths as AnyTensor;
  checkTensor(t, OP, `the lengths of ${what}`);
  if (t.dtype !== 'int32')
    throw new DTypeError(`${OP}: lengths of ${what} are ${t.dtype}. Convert with to('int32').`, [t.dtype]);
  if (t.size !== n || t.rank > 1)
    throw new ShapeError(`${OP}: lengths of ${what} ${formatShape(t.shape)}: needs [${n}]`, [t.shape]);
  const flat: Labels = (t as Labels).reshape([n]);
  const isWrong = flat.lt(0).logicalOr(flat.gt(most));
  return checkedElements(flat, isWrong, `${OP}: {index} lengths of ${what} are below 0 or above ${most}.`);
}

/** Labels [N, S] of all samples: given so, or one after the other, if the lengths are numbers. */
function labelsOf(targets: AnyTensor, n: number, lengths: Lengths): Labels {
  if (targets.dtype !== 'int32')
    throw new DTypeError(`${OP}: labels are ${targets.dtype}. Convert with to('int32').`, [targets.dtype]);
  const given = targets as Labels;
  if (given.rank === 2 && given.shape[0] === n) return given;
  if (given.rank !== 1)
    throw new ShapeError(`${OP}: labels ${formatShape(given.shape)}: needs [${n}, S]`, [given.shape]);
  if (!Array.isArray(lengths))
    throw new ArgumentError(`${OP}: labels one after the other need their lengths as a list of numbers.`);
  const counts = lengths as readonly number[];
  const total = counts.reduce((a, b) => a + b, 0);
  if (total !== given.size)
    throw new ShapeError(`${OP}: ${given.size} labels, the lengths add up to ${total}`, [given.shape]);
  const longest = Math.max(0, largest(counts));
  let start = 0;
  const places = counts.flatMap((count) => {
    const from = start;
    start += count;
    return Array.from({ length: longest }, (_, i) => (i < count ? from + i : Math.max(total - 1, 0)));
  });
  if (longest === 0) return full([n, 0], 0, { dtype: 'int32' });
  return given.indexSelect(0, tensor(Int32Array.from(places))).reshape([n, longest]);
}

/** log Σ eˣ of numbers of which some are NEVER. */
function logSum(...terms: readonly Tensor[]): Tensor {
  const most = terms.reduce((a, b): Tensor => a.maximum(b)).detach();
  const sum = terms.map((t): Tensor => t.sub(most).exp()).reduce((a, b): Tensor => a.add(b));
  return sum.log().add(most);
}

/** [N, L] moved `by` positions to the right. */
function shifted(x: Tensor, by: number): Tensor {
  const [n, length] = x.shape;
  if (by >= length) return full([n, length], NEVER);
  return cat([full([n, by], NEVER), x.slice(1, 0, length - by)], 1);
}

/**
 * 0 for each sample, with the slope e^x: the gradient of the loss is that which logSoftmax passes on unchanged, so that its sums are 0, as in
 * PyTorch. The gradient behind logSoftmax is the same.
 */
const normalising = customOp({
  name: OP,
  forward: (ctx: CustomContext<{ logp: Tensor; isStep: Tensor }>, logp: Tensor, isStep: Tensor) => {
    Object.assign(ctx.saved, { logp, isStep });
    return zeros([logp.shape[1]], { dtype: logp.dtype });
  },
  backward: ({ saved: { logp, isStep } }, gradient) => {
    const each: Tensor = logp.exp().mul(isStep).mul(gradient.unsqueeze(1));
    return [each, null];
  },
});

/** −log of the probability of each sample's labels: logp [T, N, C], labels [N, S] → [N]. */
function negativeLogLikelihoods(logp: Tensor, labels: Labels, steps: Labels, counts: Labels, blank: number): Tensor {
  const [length, n] = logp.shape;
  const most = labels.shape[1];
  // blank, label, blank, label, …, blank
  const isLabel = arange(most).lt(counts.unsqueeze(1));
  const used: Labels = where(isLabel, labels, blank);
  const blanks = full([n, most], blank, { dtype: 'int32' });
  const pairs = stack([blanks, used] as const, 2).reshape([n, 2 * most]);
  const states: Labels = cat([pairs, full([n, 1], blank, { dtype: 'int32' })], 1);
  const width = 2 * most + 1;
  const wide: Labels = states.unsqueeze(0).expand([length, n, width]);
  const given = gatherLabels(OP, logp, 2, wide);
  const emitted: Tensor = where(given.lt(NEVER), NEVER, given);
  const at = (t: number): Tensor => emitted.slice(0, t, t + 1).squeeze(0);
  // a label may follow another one without a blank between them
  const before = states.slice(1, 0, Math.max(width - 2, 0));
  const skips = states.slice(1, 2).ne(before).logicalAnd(states.slice(1, 2).ne(blank));
  const maySkip =
    width > 2 ? cat([full([n, 2], 0, { dtype: 'bool' }), skips], 1) : full([n, width], 0, { dtype: 'bool' });
  let alpha: Tensor = where(arange(width).lt(2), at(0), NEVER);
  for (let t = 1; t < length; t++) {
    const jumped: Tensor = where(maySkip, shifted(alpha, 2), NEVER);
    const next = logSum(alpha, shifted(alpha, 1), jumped).add(at(t));
    alpha = where(steps.gt(t).unsqueeze(1), next, alpha);
  }
  const last = counts.mul(2).unsqueeze(1);
  const ofBlank: Tensor = alpha.gather(1, last as Labels);
  const ofLabel: Tensor = where(last.gt(0), alpha.gather(1, last.sub(1).maximum(0) as Labels), NEVER);
  const isStep: Tensor = arange(length).unsqueeze(1).lt(steps).unsqueeze(2).to('float32');
  return logSum(ofBlank, ofLabel).squeeze(1).neg().add(normalising(logp, isStep));
}

/**
 * −log of the probability that predictions [T, N, C] (logarithms: logSoftmax) give the labels [N, S] (int32, or all samples' one
 * after the other, with their lengths as a list), summed over all alignments. `inputLengths` says how many steps of each sample count,
 * `targetLengths` how many labels. Without a batch: [T, C], [S] and a length each. The mean is over samples, of each loss by the
 * number of its labels. PyTorch: F.ctc_loss.
 *
 *     ctcLoss(logits.logSoftmax(2), labels, [50, 48], [10, 7])
 */
export function ctcLoss<const O extends CtcOptions = {}>(
  logProbabilities: AnyTensor,
  labels: AnyTensor,
  inputLengths: Lengths | number,
  targetLengths: Lengths | number,
  options?: O & Exact<O, CtcOptions>,
): Reduced<O> {
  checkTensor(logProbabilities, OP, 'the input');
  checkTensor(labels, OP, 'the labels');
  checkOptions(OP, options, CTC_OPTIONS);
  const { blank = 0, zeroInfinity = false, reduction = 'mean' }: CtcOptions = options ?? {};
  checkChoice(OP, 'reduction', reduction, ['mean', 'sum', 'none']);
  const given = checkFloat(logProbabilities, OP);
  if (given.rank !== 2 && given.rank !== 3)
    throw new ShapeError(`${OP}: input ${formatShape(given.shape)}: needs [T, N, C] or [T, C]`, [given.shape]);
  const isOne = given.rank === 2;
  const logp = isOne ? given.unsqueeze(1) : given;
  const [length, n, classes] = logp.shape;
  if (length === 0) throw new ShapeError(`${OP}: input ${formatShape(given.shape)} has no steps`, [given.shape]);
  if (!Number.isInteger(blank) || blank < 0 || blank >= classes)
    throw new ArgumentError(`${OP}: blank is ${shown(blank)}. Use a class, 0 to ${classes - 1}.`);
  const listed = (lengths: Lengths | number): Lengths => (typeof lengths === 'number' ? [lengths] : lengths);
  const [inputs, targets] = [listed(inputLengths), listed(targetLengths)];
  const sequences = labelsOf(labels, n, targets);
  const steps = lengthsOf(inputs, n, length, 'steps');
  const counts = lengthsOf(targets, n, sequences.shape[1], 'labels');
  const loss = negativeLogLikelihoods(logp, sequences, steps, counts, blank);
  const each: Tensor = where(loss.gt(-NEVER / 2), zeroInfinity ? 0 : Infinity, loss);
  if (reduction === 'mean') return tell(OP, given, labels, each.div(counts.maximum(1)).mean()) as Reduced<O>;
  return tell(OP, given, labels, reduce(isOne ? each.squeeze(0) : each, reduction, OP)) as Reduced<O>;
}
