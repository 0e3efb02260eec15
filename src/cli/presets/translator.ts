// Texts translated by a network, many at once.

import type { Seq2SeqGRU, Seq2SeqTransformer } from '../../models/index.js';
import { generateBatch } from '../../text/index.js';
import { type Coder, END } from './translation-tasks.js';

export type Translator = Seq2SeqGRU | Seq2SeqTransformer;

/** Sentences that are translated together. */
const TOGETHER = 50;

/** Texts by the model, the most probable ones; those of like length together. */
export async function translate(
  model: Translator,
  coder: Coder,
  texts: readonly string[],
  numBeams: number,
): Promise<string[]> {
  const sources = texts.map((text) => [...coder.encode(text), END].slice(0, model.contextLength));
  const order = [...sources.keys()].sort((a, b) => sources[a].length - sources[b].length);
  const found = new Array<string>(texts.length).fill('');
  for (let from = 0; from < order.length; from += TOGETHER) {
    const some = order.slice(from, from + TOGETHER);
    const longest = sources[some[some.length - 1]].length;
    const answers = await generateBatch(
      model,
      some.map((i) => sources[i]),
      { stop: [END], numBeams, maxNewTokens: Math.min(2 * longest + 10, model.contextLength - 1) },
    );
    for (const [i, answer] of answers.entries()) found[some[i]] = coder.decode(answer);
  }
  return found;
}
