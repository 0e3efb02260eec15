// The public surface of `nabla/text`.

export { embed, meanPool, nearest, type Encoder, type Neighbour, type TokenBatch } from './embed.js';
export { generate, type GenerateOptions } from './generate.js';
export { type SamplingOptions } from './sampling.js';
export {
  Tokenizer,
  loadTokenizer,
  type BatchOptions,
  type DecodeOptions,
  type Encoded,
  type EncodedBatch,
  type EncodeOptions,
} from './tokenizer.js';
