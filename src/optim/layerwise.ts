// Rates by depth: the beginning of a network that was trained before, which sees what all pictures have in common, learns more slowly
// than its end (discriminative fine-tuning, Howard and Ruder 2018).

import { ArgumentError, type OptionNames, checkList, checkNumber, checkOptions } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';

export interface LayerwiseOptions {
  /** Rate of the last part. */
  readonly lr: number;
  /** What each part before it has of the rate behind it. Default 1 / 2.6. */
  readonly decay?: number;
}

const LAYERWISE_OPTIONS: OptionNames<LayerwiseOptions> = { lr: true, decay: true };

export interface LayerwiseGroup {
  readonly params: readonly Tensor[];
  readonly lr: number;
}

/**
 * Parameter groups for an optimiser: `parts` are a network's from its beginning to its end, the last with rate `lr`, each before it with
 * `decay` of the rate behind it. Parts without parameters are left out.
 *
 *     new AdamW(layerwiseGroups([stem, body, head], { lr: 1e-3 }), { weightDecay: 0.01 })
 */
export function layerwiseGroups(
  parts: readonly { parameters(): readonly Tensor[] }[],
  options: LayerwiseOptions,
): readonly LayerwiseGroup[] {
  checkList('layerwiseGroups', 'the parts', parts, 'modules: [body, head]');
  checkOptions('layerwiseGroups', options, LAYERWISE_OPTIONS);
  const { lr, decay = 1 / 2.6 } = options ?? {};
  checkNumber('layerwiseGroups', 'lr', lr);
  checkNumber('layerwiseGroups', 'decay', decay);
  if (!(lr >= 0)) throw new ArgumentError(`layerwiseGroups: lr is ${lr}. Use a number of at least 0.`);
  if (!(decay > 0 && decay <= 1))
    throw new ArgumentError(`layerwiseGroups: decay is ${decay}. Use a number above 0 and at most 1.`);
  const groups = parts.map((part, i) => {
    if (typeof part?.parameters !== 'function')
      throw new ArgumentError(`layerwiseGroups: part ${i} is no module. Pass modules: [body, head].`);
    return { params: part.parameters(), lr: lr * decay ** (parts.length - 1 - i) };
  });
  return groups.filter(({ params }) => params.length > 0);
}
