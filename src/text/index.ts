// The public surface of `nabla/text`.

export { decodeStream } from './decode-stream.js';
export { embed, meanPool, nearest, type Encoder, type Neighbour, type TokenBatch } from './embed.js';
export { generate, generateBatch, type GenerateOptions, type GenerativeModel } from './generate.js';
export type { LogitRules, SamplingOptions } from './sampling.js';
export {
  Tokenizer,
  loadTokenizer,
  type BatchOptions,
  type DecodeOptions,
  type Encoded,
  type EncodedBatch,
  type EncodeOptions,
} from './tokenizer.js';
