// Texts as the input of a model: by its tokenizer, or by its characters.

import { CliError } from '../errors.js';
import type { Numbers, Runnable } from './runnable.js';

/** Inputs of transformers' models by what a tokenizer gives for them. */
const PARTS = { input_ids: 'ids', attention_mask: 'attentionMask', token_type_ids: 'tokenTypeIds' } as const;

/** Numbers of all inputs that texts are for. Throws CliError for a model without such inputs, and for characters that it does not know. */
export function textFeeds(
  { tokenizer, characters, inputs }: Runnable,
  texts: readonly string[],
): Record<string, Numbers> {
  if (tokenizer === undefined) return { [inputs[0].name]: characterFeed(characters ?? [], texts) };
  const encoded = texts.map((text) => tokenizer.encode(text));
  const length = encoded.reduce((most, { ids }) => Math.max(most, ids.length), 1);
  const batch = {
    ids: encoded.map(({ ids }) => padded(ids, length, tokenizer.padId ?? 0)),
    attentionMask: encoded.map(({ ids }) =>
      padded(
        ids.map(() => 1),
        length,
        0,
      ),
    ),
    tokenTypeIds: encoded.map(({ tokenTypeIds }) => padded(tokenTypeIds, length, 0)),
  };
  const feeds = inputs.flatMap(({ name }): [string, Numbers][] => {
    const part = Object.hasOwn(PARTS, name) ? PARTS[name as keyof typeof PARTS] : undefined;
    return part === undefined ? [] : [[name, { data: batch[part].flat(), shape: [texts.length, length] }]];
  });
  // A model of one input takes the tokens, whatever it is called.
  if (feeds.length === 0 && inputs.length === 1)
    return { [inputs[0].name]: { data: batch.ids.flat(), shape: [texts.length, length] } };
  if (feeds.length > 0) return Object.fromEntries(feeds);
  throw new CliError(
    `--input: texts go to inputs called ${Object.keys(PARTS).join(', ')}, and the model has ${inputs.map(({ name }) => name).join(', ')}.`,
  );
}

function padded(numbers: readonly number[], length: number, fill: number): number[] {
  return [...numbers, ...new Array<number>(length - numbers.length).fill(fill)];
}

function characterFeed(characters: readonly string[], texts: readonly string[]): Numbers {
  const numbers = new Map(characters.map((character, i) => [character, i]));
  const rows = texts.map((text) =>
    [...text].map((character) => {
      const number = numbers.get(character);
      if (number !== undefined) return number;
      throw new CliError(
        `--input: the model does not know '${character}'. It knows ${JSON.stringify(characters.join(''))}.`,
      );
    }),
  );
  const [{ length }] = rows;
  if (rows.some((row) => row.length !== length || length === 0))
    throw new CliError('--input: texts for a model of characters have to be equally long, and not empty.');
  return { data: rows.flat(), shape: [rows.length, length] };
}
