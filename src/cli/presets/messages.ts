// The messages of the SMS Spam Collection as numbers, for `nabla train spam` and `nabla train masked-lm`: 70 % to learn from, 10 % to validate, 20 %
// to test, the same ones for both and for every seed; spam has its share in each part. Digits are all the same, so that a telephone number is
// known by its length. Each message begins with the token that BERT tells its class from.

import { SequenceDataset, WordVocabulary, smsSpam, splitIndices, tokenizeWords } from '../../data/index.js';

const SPECIALS = ['<pad>', '<unk>', '<cls>', '<mask>'];
export const [CLS, MASK] = [2, 3];

/** Tokens of a message that are read, the first one among them. */
export const MOST_TOKENS = 64;

/** Words and signs, digits as 0. */
export const wordsOf = (text: string): string[] => tokenizeWords(text.replace(/\d/g, '0'));

export async function messages(minFrequency = 2) {
  const { texts, labels } = await smsSpam();
  const parts = splitIndices(texts.length, [0.7, 0.1, 0.2], { seed: 0, classes: labels });
  const known = Array.from(parts[0], (i) => texts[i]);
  const vocabulary = WordVocabulary.of(known, { minFrequency, specials: SPECIALS, tokenize: wordsOf });
  const x = texts.map((text) => Int32Array.from([CLS, ...vocabulary.encode(text).subarray(0, MOST_TOKENS - 1)]));
  const all = new SequenceDataset({ x, y: { data: labels, shape: [] } }, { multipleOf: 16 });
  const [train, validation, test] = parts.map((rows) => all.subset(rows));
  return { train, validation, test, testTexts: Array.from(parts[2], (i) => texts[i]), vocabulary };
}

export type Messages = Awaited<ReturnType<typeof messages>>['train'];

/** The BERT that both presets train: 2 layers of 4 heads. */
export const bertSizes = (vocabSize: number, dropout: number) => ({
  vocabSize,
  hiddenSize: 96,
  numHiddenLayers: 2,
  numAttentionHeads: 4,
  intermediateSize: 384,
  maxPositionEmbeddings: MOST_TOKENS,
  hiddenDropoutProb: dropout,
  attentionProbsDropoutProb: dropout,
});
