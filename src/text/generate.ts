// Text by a model, a token at a time. Keys and values of what it has seen stay in buffers of fixed size, so that one compiled program
// serves every token: its position is an argument.

import type { CausalModel } from '../models/text/blocks.js';
import { tensor } from '../tensor/creation.js';
import { compile } from '../tensor/compile.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { HostRandom, nextHostRandom } from '../tensor/host-random.js';
import {
  ArgumentError,
  type OptionNames,
  checkHas,
  checkNumbers,
  checkOptions,
  checkWhole,
  runPending,
  shown,
} from '../tensor/library.js';
import { type Tensor } from '../tensor/tensor.js';
import { type SamplingOptions, SAMPLING_OPTIONS, checkSampling, pickToken } from './sampling.js';

export interface GenerateOptions extends SamplingOptions {
  /** Most tokens that are made. Default: as many as the model has room for. */
  readonly maxNewTokens?: number;
  /** Ids at which it ends; they are not given out. Default: none. */
  readonly stop?: readonly number[];
  /** Of the random numbers. Default: the generator that `manualSeed` seeds. */
  readonly seed?: number;
}

const OPTIONS: OptionNames<GenerateOptions> = { ...SAMPLING_OPTIONS, maxNewTokens: true, stop: true, seed: true };

/** Tokens of a prompt that are taken in at once. */
const CHUNK = 32;

/**
 * The tokens that a model puts behind `prompt`, ids of at least one token, one after the other. Without options the most probable one is
 * taken each time; with `temperature`, `topK` or `topP` it is drawn. It ends after `maxNewTokens`, at an id of `stop`, or when the
 * model's context is full. The model should be in evaluation mode. transformers: model.generate.
 *
 *     for await (const id of generate(model, tokenizer.encode('Once upon a time').ids, { maxNewTokens: 50, topP: 0.9 }))
 *       process.stdout.write(tokenizer.decode([id]));
 */
export async function* generate(
  model: CausalModel,
  prompt: ArrayLike<number>,
  options: GenerateOptions = {},
): AsyncGenerator<number, void, undefined> {
  const call = 'generate';
  checkHas(
    call,
    'the model',
    model,
    ['newCache', 'step', 'contextLength'],
    'Give a GPT2, a Llama, or a module of yours with these',
  );
  checkOptions(call, options, OPTIONS);
  checkSampling(call, options);
  checkNumbers(call, 'the prompt', prompt);
  const ids = Array.from(prompt);
  const { contextLength } = model;
  const { maxNewTokens = Math.max(0, contextLength - ids.length), stop = [], seed } = options;
  checkWhole(call, 'maxNewTokens', maxNewTokens);
  checkNumbers(call, 'stop', stop);
  if (seed !== undefined) checkWhole(call, 'seed', seed);
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0);
  if (wrong !== undefined)
    throw new ArgumentError(`${call}: the prompt has ${shown(wrong)}. Give ids, whole numbers from 0 on.`);
  if (ids.length === 0)
    throw new ArgumentError(
      `${call}: the prompt is empty. Give at least one id, such as that of the text's beginning.`,
    );
  const length = Math.min(contextLength, ids.length + maxNewTokens);
  if (ids.length > contextLength)
    throw new ArgumentError(
      `${call}: the prompt has ${ids.length} tokens, the model's context is ${contextLength}. Give its last ones: ids.slice(${-contextLength}).`,
    );
  const random = seed === undefined ? nextHostRandom() : new HostRandom(seed);
  const cache = model.newCache(1, contextLength);
  const step = compile((tokens: Tensor<[number, number], 'int32'>, first: Tensor<[number], 'int32'>) =>
    withoutGrad(() => model.step(tokens, first, cache)),
  );
  const stops = new Set(stop);
  for (let seen = 0; ids.length < length;) {
    const rest = ids.length - seen;
    const count = rest >= CHUNK ? CHUNK : 1;
    const tokens: Tensor<[number, number], 'int32'> = tensor(Int32Array.from(ids.slice(seen, seen + count)), {
      shape: [1, count],
    });
    const logits = await step(tokens, tensor([seen], { dtype: 'int32' }));
    seen += count;
    if (seen < ids.length) {
      runPending(); // the cache is written, the logits are not asked for
      continue;
    }
    const id = pickToken(await logits.data(), ids, options, random);
    if (stops.has(id)) return;
    ids.push(id);
    yield id;
  }
}
