// Transfer learning: a network that was trained before is opened step by step, from its end to its beginning (Howard and Ruder 2018).
// Before an epoch: which parameters learn. Must not know: where the network comes from.

import { BatchNorm1d, BatchNorm2d, BatchNorm3d, Module } from '../nn/index.js';
import { ArgumentError, type OptionNames, checkList, checkOptions, checkWhole, wrongKind } from '../tensor/library.js';
import type { Callback } from './options.js';

export interface UnfreezeOptions {
  /** Epochs after which the next part is opened. Default 1. */
  readonly every?: number;
}

const UNFREEZE_OPTIONS: OptionNames<UnfreezeOptions> = { every: true };

/**
 * A callback of a Trainer: `parts` are a network's from its beginning to its end; in the first epochs only the last learns, after `every`
 * epochs the one before it as well, and so on. Batch normalisation in parts that are still frozen keeps its statistics. The optimiser has
 * all parameters from the start, best in groups with rates of their own.
 *
 *     callbacks: [unfreezeStepwise([body, head], { every: 3 })]
 */
export function unfreezeStepwise(parts: readonly Module[], options: UnfreezeOptions = {}): Callback {
  checkList('unfreezeStepwise', 'the parts', parts, 'modules: [body, head]');
  if (parts.length === 0) throw new ArgumentError('unfreezeStepwise: there are no parts. Give at least one.');
  parts.forEach((part, i) => {
    if (!(part instanceof Module)) throw wrongKind('unfreezeStepwise', `part ${i}`, part, 'Pass modules: [body, head]');
  });
  checkOptions('unfreezeStepwise', options, UNFREEZE_OPTIONS);
  const { every = 1 } = options;
  checkWhole('unfreezeStepwise', 'every', every, 1);
  return {
    onEpochStart(_, epoch) {
      const open = 1 + Math.floor((epoch - 1) / every);
      for (const [i, part] of parts.entries()) {
        const learns = i >= parts.length - open;
        part.requiresGrad_(learns);
        for (const [, module] of part.namedModules()) if (isBatchNorm(module)) module.training = learns;
      }
    },
  };
}

const isBatchNorm = (module: Module): boolean =>
  module instanceof BatchNorm1d || module instanceof BatchNorm2d || module instanceof BatchNorm3d;
