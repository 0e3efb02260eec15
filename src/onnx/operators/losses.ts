// Losses of the standard: negative log-likelihood, and cross-entropy of scores.

import { where } from '../../tensor/functions.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { Call, Operators, Result } from './operator.js';

/** logProbabilities [N, C, …], target [N, …] → [N, …], or their sum or (weighted) mean. */
function likelihoodLoss(call: Call, logProbabilities: Tensor): AnyTensor {
  const reduction = call.text('reduction', 'mean');
  const target = call.tensor(1).to('int32');
  const ignored = call.hasAttribute('ignore_index') ? call.int('ignore_index') : undefined;
  const counts = ignored === undefined ? undefined : target.ne(ignored);
  const index = counts === undefined ? target : where(counts, target, target.mul(0));
  const [n, , ...rest] = logProbabilities.shape;
  const wide = index.reshape([n, 1, ...rest]);
  const found: Tensor = logProbabilities.gather(1, wide).reshape([n, ...rest]);
  let weight: Tensor | undefined;
  if (call.has(2))
    weight = call
      .tensor(2)
      .indexSelect(0, index.reshape([index.size]))
      .reshape(index.shape);
  if (counts !== undefined) {
    const isCounted: Tensor = counts.to(found.dtype);
    weight = weight === undefined ? isCounted : weight.mul(isCounted);
  }
  const loss: Tensor = weight === undefined ? found.neg() : found.neg().mul(weight);
  if (reduction === 'none') return loss;
  if (reduction === 'sum') return loss.sum();
  return weight === undefined ? loss.mean() : loss.sum().div(weight.sum());
}

function crossEntropy(call: Call): Result[] {
  const logProbabilities: Tensor = call.tensor(0).logSoftmax(1);
  return [likelihoodLoss(call, logProbabilities), logProbabilities];
}

export const LOSSES: Operators = {
  NegativeLogLikelihoodLoss: { inputs: [2, 3], settings: [2], run: (call) => likelihoodLoss(call, call.tensor(0)) },
  SoftmaxCrossEntropyLoss: { inputs: [2, 3], settings: [2], run: crossEntropy },
};
