// T5's options: those of transformers' T5Config, checked, with their defaults.

import { checkCount } from '../../nn/layer.js';
import { type OptionNames, checkNumber, checkText, checkWhole, checkChoice } from '../../tensor/library.js';
import { ACTIVATION_NAMES, type Activation } from './activations.js';
import type { Config } from './config.js';

/** Names and defaults are those of transformers' T5Config, in camelCase. */
export interface T5Options {
  /** Default 32128. */
  readonly vocabSize?: number;
  /** Features of a token. Default 512. */
  readonly dModel?: number;
  /** Features of a head; heads need not divide `dModel`. Default 64. */
  readonly dKv?: number;
  /** Width of the network behind the attention. Default 2048. */
  readonly dFf?: number;
  /** Blocks of the encoder. Default 6. */
  readonly numLayers?: number;
  /** Blocks of the decoder. Default `numLayers`. */
  readonly numDecoderLayers?: number;
  /** Default 8. */
  readonly numHeads?: number;
  /** Classes of distances. Default 32. */
  readonly relativeAttentionNumBuckets?: number;
  /** From this distance on there is one class. Default 128. */
  readonly relativeAttentionMaxDistance?: number;
  /** Default 0.1. */
  readonly dropoutRate?: number;
  /** Default 1e-6. */
  readonly layerNormEpsilon?: number;
  /** Factor of the initial weights. Default 1. */
  readonly initializerFactor?: number;
  /** The network's activation, 'relu' (the default), or 'gated-gelu' as version 1.1 has it, a second linear layer as its gate. */
  readonly feedForwardProj?: Activation | `gated-${Activation}`;
  /** The output shares the weights of the embedding. Default true. */
  readonly tieWordEmbeddings?: boolean;
  /** Features are divided by √dModel in front of the output. Default `tieWordEmbeddings`. */
  readonly scaleDecoderOutputs?: boolean;
  /** What every answer begins with. Default 0. */
  readonly decoderStartTokenId?: number;
  /** Default 0. */
  readonly padTokenId?: number;
  /** Tokens that an answer of `generate` can have; there is no other bound. Default 512. */
  readonly nPositions?: number;
}

export const T5_OPTIONS: OptionNames<T5Options> = {
  vocabSize: true,
  dModel: true,
  dKv: true,
  dFf: true,
  numLayers: true,
  numDecoderLayers: true,
  numHeads: true,
  relativeAttentionNumBuckets: true,
  relativeAttentionMaxDistance: true,
  dropoutRate: true,
  layerNormEpsilon: true,
  initializerFactor: true,
  feedForwardProj: true,
  tieWordEmbeddings: true,
  scaleDecoderOutputs: true,
  decoderStartTokenId: true,
  padTokenId: true,
  nPositions: true,
};

export interface T5Sizes extends Required<Omit<T5Options, 'feedForwardProj'>> {
  readonly isGated: boolean;
  readonly activation: Activation;
}

export function sizesOf(name: string, options: T5Options): T5Sizes {
  const { vocabSize = 32128, dModel = 512, dKv = 64, dFf = 2048, numLayers = 6, numHeads = 8 } = options;
  const { numDecoderLayers = numLayers, nPositions = 512 } = options;
  const { relativeAttentionNumBuckets = 32, relativeAttentionMaxDistance = 128 } = options;
  const { dropoutRate = 0.1, layerNormEpsilon = 1e-6, initializerFactor = 1 } = options;
  const { tieWordEmbeddings = true, scaleDecoderOutputs = tieWordEmbeddings } = options;
  const { decoderStartTokenId = 0, padTokenId = 0, feedForwardProj = 'relu' } = options;
  const counts = { vocabSize, dModel, dKv, dFf, numLayers, numHeads, numDecoderLayers, nPositions };
  const buckets = { relativeAttentionNumBuckets, relativeAttentionMaxDistance };
  for (const [option, count] of Object.entries(counts)) checkCount(count, 1, `${name}: ${option}`);
  // half of a stack's classes are exact distances, and a bidirectional stack has two halves
  checkCount(relativeAttentionNumBuckets, 4, `${name}: relativeAttentionNumBuckets`);
  checkCount(
    relativeAttentionMaxDistance,
    relativeAttentionNumBuckets / 2 + 1,
    `${name}: relativeAttentionMaxDistance`,
  );
  const numbers = { dropoutRate, layerNormEpsilon, initializerFactor };
  for (const [option, value] of Object.entries(numbers)) checkNumber(name, option, value);
  const ids = { decoderStartTokenId, padTokenId };
  for (const [option, id] of Object.entries(ids)) checkWhole(name, option, id);
  const flags = { tieWordEmbeddings, scaleDecoderOutputs };
  return { ...counts, ...buckets, ...numbers, ...ids, ...flags, ...networkOf(name, feedForwardProj) };
}

function networkOf(name: string, text: string): { readonly isGated: boolean; readonly activation: Activation } {
  checkText(name, 'feedForwardProj', text);
  const isGated = text.startsWith('gated-');
  const own = isGated ? text.slice('gated-'.length) : text;
  // transformers reads the first models' "gated-gelu" as the GELU by tanh
  if (text === 'gated-gelu') return { isGated, activation: 'gelu_new' };
  const activation = ACTIVATION_NAMES.find((known): known is Activation => known === own);
  if (activation === undefined)
    checkChoice(name, 'feedForwardProj', text, [...ACTIVATION_NAMES, ...ACTIVATION_NAMES.map((a) => `gated-${a}`)]);
  return { isGated, activation: activation! };
}

/** Entries under which other versions of transformers have the same. */
const ALIASES = {
  hidden_size: 'd_model',
  num_attention_heads: 'num_heads',
  num_hidden_layers: 'num_layers',
  head_dim: 'd_kv',
};

/** The options that a config.json has. */
export function checkT5Config(config: Config): T5Options {
  config.refuse('is_decoder', [false, undefined]);
  const own = { ...config.renamed(ALIASES).options<T5Options>(T5_OPTIONS), ...derivedOf(config) };
  if (config.modelType !== 'mt5') return own;
  const defaults = { vocabSize: 250112, dFf: 1024, numLayers: 8, numHeads: 6, feedForwardProj: 'gated-gelu' } as const;
  // its output is never scaled, and shares weights only where its file has no others
  return { ...defaults, ...own, tieWordEmbeddings: false, scaleDecoderOutputs: false };
}

/** What transformers derives from `feed_forward_proj` and writes beside it: where it is there, it counts. */
function derivedOf(config: Config): Pick<T5Options, 'feedForwardProj'> {
  const named: unknown = config.get('dense_act_fn');
  const activation = ACTIVATION_NAMES.find((known): known is Activation => known === named);
  if (activation === undefined) {
    config.refuse('dense_act_fn', [undefined]);
    return {};
  }
  if (config.get('is_gated_act') !== true) return { feedForwardProj: activation };
  // 'gated-gelu' stands for the GELU by tanh
  return { feedForwardProj: activation === 'gelu' ? 'gated-gelu_python' : `gated-${activation}` };
}
