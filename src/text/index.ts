// The public surface of `nabla/text`.

export { decodeStream } from './decode-stream.js';
export {
  ctcBeamSearch,
  ctcGreedyDecode,
  type CtcBeamOptions,
  type CtcDecodeOptions,
  type CtcPath,
  type CtcSequence,
} from './ctc.js';
export type { CtcLanguageModel } from './ctc-beams.js';
export { embed, meanPool, nearest, type Encoder, type Neighbour, type TokenBatch } from './embed.js';
export { generate, generateBatch, type GenerateOptions, type GenerativeModel } from './generate.js';
export type { LogitRules, SamplingOptions } from './sampling.js';
export {
  Tokenizer,
  loadTokenizer,
  tokenizerFrom,
  type BatchOptions,
  type DecodeOptions,
  type Encoded,
  type EncodedBatch,
  type EncodeOptions,
} from './tokenizer.js';
export { trainTokenizer, type TokenizerJson, type TrainTokenizerOptions } from './train-tokenizer.js';
export { maskTokens, type MaskTokensOptions } from './mask-tokens.js';
