// The task that BERT is pre-trained with (Devlin et al. 2019): some tokens are hidden or changed, and the model is to say what they were.
//   Ids in, changed ids and labels out, on the device: with other tokens whenever it is called.

import { rand, randint } from '../tensor/creation.js';
import { where } from '../tensor/functions.js';
import {
  ArgumentError,
  DTypeError,
  type OptionNames,
  checkNeededOptions,
  checkNumber,
  checkNumbers,
  checkWhole,
} from '../tensor/library.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';

export interface MaskTokensOptions {
  /** Id of the token that stands for a hidden one. */
  readonly maskId: number;
  /** Number of all tokens, for random ones. */
  readonly vocabularySize: number;
  /** Ids that are never chosen, such as those of padding. Default [0]. */
  readonly specialIds?: readonly number[];
  /** Share of the tokens that are chosen. Default 0.15. */
  readonly probability?: number;
}

const MASK_TOKENS_OPTIONS: OptionNames<MaskTokensOptions> = {
  maskId: true,
  vocabularySize: true,
  specialIds: true,
  probability: true,
};

/** What `crossEntropy` leaves out. */
const IGNORED = -100;

/** Of the chosen tokens, the share that is hidden, and that share and the one that becomes any token; the rest stays as it is. */
const [HIDDEN, CHANGED] = [0.8, 0.9];

/**
 * Ids int32 [B, T] → the ids with 15 % of their tokens hidden (8 of 10 of them), changed (1 of 10) or kept (1 of 10), and labels [B, T]: what these
 * were, and −100, which `crossEntropy` leaves out, everywhere else. transformers: DataCollatorForLanguageModeling.
 *
 *     const { ids, labels } = maskTokens(batch, { maskId: 3, vocabularySize: 1000 });
 *     crossEntropy(model.forward(ids).reshape([-1, 1000]), labels.reshape([-1])).backward();
 */
export function maskTokens(
  tokens: Tensor<[number, number], 'int32'>,
  options: MaskTokensOptions,
): { readonly ids: Tensor<[number, number], 'int32'>; readonly labels: Tensor<[number, number], 'int32'> } {
  const call = 'maskTokens';
  checkTensor(tokens, call, 'the ids');
  if (tokens.dtype !== 'int32')
    throw new DTypeError(`${call}: ids are ${String(tokens.dtype)}. Convert with to('int32').`, [tokens.dtype]);
  checkNeededOptions(call, options, MASK_TOKENS_OPTIONS, '{ maskId: 3, vocabularySize: 1000 }');
  const { maskId, vocabularySize, specialIds = [0], probability = 0.15 } = options;
  checkWhole(call, 'maskId', maskId);
  checkWhole(call, 'vocabularySize', vocabularySize, 1);
  checkNumbers(call, 'specialIds', specialIds);
  checkNumber(call, 'probability', probability);
  if (!(probability > 0 && probability <= 1))
    throw new ArgumentError(`${call}: probability is ${probability}. Use a number above 0, up to 1.`);
  const { shape } = tokens;
  let chosen = rand(shape).lt(probability);
  for (const id of specialIds) chosen = chosen.logicalAnd(tokens.ne(id));
  const fate = rand(shape);
  const other = where(fate.lt(CHANGED), randint(0, vocabularySize, shape), tokens);
  const changed = where(fate.lt(HIDDEN), maskId, other);
  return { ids: where(chosen, changed, tokens), labels: where(chosen, tokens, IGNORED) };
}
