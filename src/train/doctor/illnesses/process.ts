// Mistakes in the loop itself. Most are seen by the probe and certain; two can be told from the curve as well.

import { type Finding, type Illness, figure, found } from '../illness.js';
import type { Readings } from '../readings.js';
import { smallest } from '../../../tensor/extremes.js';

/** Of one of these notices. */
function noticed(...codes: readonly string[]): (readings: Readings) => Finding | undefined {
  return ({ notices }) => {
    const evidence = codes.flatMap((code) => {
      const notice = notices.get(code);
      return notice === undefined ? [] : [{ text: notice.text, step: notice.step }];
    });
    return evidence.length === 0 ? undefined : { evidence };
  };
}

/** Updates were made, with a learning rate of 0. The first may have it: many warm-ups start there. */
function rateIsZero({ steps }: Readings): Finding | undefined {
  if (steps.length < 3 || steps.some(({ lr }) => lr !== 0)) return undefined;
  return found(`the learning rate is 0 in all ${steps.length} steps.`, { step: steps[0].step, numbers: { lr: 0 } });
}

/** Right answers in a share that logits would reward: 3 of 4. */
const GOOD_ACCURACY = 0.75;
/** Only where the bound is high above what such an accuracy costs; from 6 classes on. */
const LEAST_BOUND = 1;

/** Cross entropy of softmaxed outputs is at least log(1 + (C − 1)/e): no answer can be surer than 1 against 0. */
function lossIsBounded({ facts: { classes = 0, loss = '' }, epochs, smooth }: Readings): Finding | undefined {
  const bound = Math.log(1 + (classes - 1) / Math.E);
  const accuracy = epochs.at(-1)?.train.accuracy;
  const lowest = smallest(smooth);
  if (!/cross/i.test(loss) || bound < LEAST_BOUND || accuracy === undefined || accuracy < GOOD_ACCURACY)
    return undefined;
  if (lowest < bound - 0.005) return undefined;
  return found(
    `accuracy is ${figure(accuracy)}, yet the loss never goes below ${figure(lowest)}: probabilities in the place of logits cannot go below log(1 + ${classes - 1}/e) = ${figure(bound)}.`,
    { numbers: { accuracy, lowest, bound } },
  );
}

const SOFTMAX_NOTICED = noticed('probabilities-as-logits');

export const PROCESS: readonly Illness[] = [
  {
    code: 'forgotten-zero-grad',
    title: 'Gradients are not cleared between updates',
    about:
      'backward() adds to the gradients that parameters already have. Without zeroGrad() a step follows the sum of all gradients since the beginning, most of which belong to weights that are long gone; it acts like a rate that grows.',
    sign: 'Before a backward pass, parameters still had the gradients of an update that was made.',
    severity: 'error',
    needs: ['notices'],
    isCertain: true,
    detect: noticed('gradients-accumulate'),
    remedy: 'Call optimizer.zeroGrad() before backward(): backward adds to the gradients that are there.',
  },
  {
    code: 'eval-in-training',
    title: 'The model is trained in evaluation mode',
    about:
      'In evaluation mode dropout lets everything through and batch normalisation uses its running statistics, which then never change. What is trained is another network than the one that was built.',
    sign: 'The model, or a part of it, was in evaluation mode while it was being trained.',
    severity: 'error',
    needs: ['notices'],
    isCertain: true,
    detect: noticed('eval-in-training'),
    remedy: 'Call model.train() before training goes on after a validation: dropout and batch normalisation are off.',
  },
  {
    code: 'train-in-validation',
    title: 'The model is validated in training mode',
    about:
      'In training mode dropout still leaves out units and batch normalisation uses the batch at hand, and learns from the validation data. The figures are noisy and worse than the network is.',
    sign: 'The model was in training mode during a pass without gradients.',
    severity: 'error',
    needs: ['notices'],
    isCertain: true,
    detect: noticed('train-in-validation'),
    remedy:
      'Call model.eval() before validation and model.train() after it. Figures of this validation are noisy and too bad.',
  },
  {
    code: 'number-outside-capture',
    title: 'A captured step used a number that has changed since',
    about:
      'A captured step is recorded once and replayed. A number that only JavaScript knows, such as a weight that is annealed, keeps the value that it had when the step was recorded.',
    sign: 'A second recording of the same step came out differently from the first.',
    severity: 'warning',
    needs: ['notices'],
    isCertain: true,
    detect: noticed('capture-differs'),
    remedy:
      'Let the step ask for the number with scalarTensor(() => beta), put it into the batch, or train with compile: false. Updates before this notice may have used the old one.',
  },
  {
    code: 'softmax-before-loss',
    title: 'The loss takes logits and gets probabilities',
    about:
      'Cross entropy takes logits and applies softmax itself. If the network ends in one, too, its outputs lie between 0 and 1, the loss cannot go below log(1 + (C − 1)/e), and gradients stay small.',
    sign: 'The loss was given numbers from 0 to 1 that sum to 1; or the accuracy is high while the loss stays above that bound.',
    severity: 'error',
    needs: ['notices', 'losses'],
    isCertain: true,
    detect: (readings) => SOFTMAX_NOTICED(readings) ?? lossIsBounded(readings),
    remedy: 'Leave out the last softmax (or sigmoid): the loss contains it. Passed twice, gradients become tiny.',
  },
  {
    code: 'unoptimised-parameters',
    title: 'The optimiser does not have all parameters',
    about:
      'Parameters that the optimiser was not given keep their first, random values. This happens where a layer is replaced after the optimiser was made.',
    sign: 'Parameters of the model that need gradients are in no group of the optimiser.',
    severity: 'error',
    needs: ['notices'],
    isCertain: true,
    detect: noticed('not-in-optimizer'),
    remedy: 'Make the optimiser from model.parameters() of this very model, after the last layer has been replaced.',
  },
  {
    code: 'frozen-parameters',
    title: 'Layers are frozen that should learn',
    about:
      'A frozen parameter gets no gradient and stays as it is. That is right for the beginning of a network that was trained before, and wrong for random weights.',
    sign: 'Parameters of layers that should learn have requiresGrad false.',
    severity: 'error',
    needs: ['notices'],
    isCertain: true,
    detect: noticed('all-frozen', 'frozen-between'),
    remedy: 'Free them with requiresGrad_(true). To fine-tune, freeze the beginning of the network and train its end.',
  },
  {
    code: 'no-updates',
    title: 'The weights are never changed',
    about:
      'Losses are computed, but nothing ever changes the weights: step() is not called, the rate is 0, or gradients do not reach the parameters.',
    sign: 'The weights are the same after several steps, or the learning rate is 0 in all of them.',
    severity: 'error',
    needs: ['losses', 'notices'],
    isCertain: true,
    detect: (readings) => noticed('no-updates', 'no-gradients')(readings) ?? rateIsZero(readings),
    remedy:
      'A step is zeroGrad(), backward(), await optimizer.step(), with a learning rate above 0. Look at the schedule if there is one.',
  },
  {
    code: 'unconnected-parameters',
    title: 'The loss does not depend on some parameters',
    about:
      'A parameter on which the loss does not depend has no gradient and learns nothing: a layer that forward() leaves out, or a detach() on the way.',
    sign: 'After backward() some parameters had no gradient while others had one.',
    severity: 'warning',
    needs: ['notices'],
    isCertain: true,
    detect: noticed('parameters-without-gradient'),
    remedy: 'Look for a layer that forward() does not use, or a detach() on the way to the loss.',
  },
  {
    code: 'batch-norm-of-one',
    title: 'Batch normalisation of a single sample',
    about:
      'Batch normalisation subtracts the mean of the batch. With one sample and one position that mean is the sample itself, so that every output is the same, whatever the input.',
    sign: 'A batch normalisation in training mode was given one value per channel.',
    severity: 'error',
    needs: ['notices'],
    isCertain: true,
    detect: noticed('batch-of-one'),
    remedy: 'Use larger batches (8 or more; dropLast for the rest of an epoch), or group or layer normalisation.',
  },
];
