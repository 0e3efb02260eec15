// Ids that come one after the other as pieces of text. A piece is given out when no later id changes it: characters may need several ids, and
// SentencePiece leaves a space out at the beginning.
//   Ids in, pieces out; together they are what `decode` makes of all ids.

import { checkHas } from '../tensor/library.js';
import type { DecodeOptions, Tokenizer } from './tokenizer.js';

/** Of an unfinished character. */
const REPLACEMENT = '\ufffd';
/** Ids that are decoded together at most: text before them does not change any more. */
const MOST = 64;

/**
 * The text that a tokenizer makes of ids which come one after the other. transformers: TextIteratorStreamer.
 *
 *     for await (const piece of decodeStream(tokenizer, generate(model, ids))) process.stdout.write(piece);
 */
export async function* decodeStream(
  tokenizer: Tokenizer,
  ids: AsyncIterable<number> | Iterable<number>,
  options: DecodeOptions = {},
): AsyncGenerator<string, void, undefined> {
  checkHas('decodeStream', 'the tokenizer', tokenizer, ['decode'], 'Give what loadTokenizer gives');
  let recent: number[] = [];
  let given = '';
  for await (const id of ids) {
    recent.push(id);
    const text = tokenizer.decode(recent, options);
    if (text.endsWith(REPLACEMENT) || !text.startsWith(given)) continue;
    if (text.length > given.length) yield text.slice(given.length);
    given = text;
    if (recent.length < MOST) continue;
    recent = recent.slice(-MOST / 2);
    given = tokenizer.decode(recent, options);
  }
  const text = tokenizer.decode(recent, options);
  if (text.startsWith(given) && text.length > given.length) yield text.slice(given.length);
}
