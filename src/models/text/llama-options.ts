// Llama's options: those of transformers' LlamaConfig, and what Mistral, Qwen2, Qwen3, Gemma, Gemma 2 and Phi-3 have beside them; with their
// defaults, and checked.

import { checkCount } from '../../nn/layer.js';
import { ArgumentError, type OptionNames, checkChoice, checkList, checkNumber, shown } from '../../tensor/library.js';
import type { Activation } from './activations.js';
import { type RopeScaling, checkRopeScaling } from './rope-scaling.js';

/** Names and defaults are those of transformers' LlamaConfig, in camelCase. */
export interface LlamaOptions {
  /** Default 32000. */
  readonly vocabSize?: number;
  /** Features of a token. Default 4096. */
  readonly hiddenSize?: number;
  /** Width of the gated network. Default 11008. */
  readonly intermediateSize?: number;
  /** Layers. Default 32. */
  readonly numHiddenLayers?: number;
  /** Heads of queries. Default 32. */
  readonly numAttentionHeads?: number;
  /** Heads of keys and values, which divide those of queries. Default `numAttentionHeads`. */
  readonly numKeyValueHeads?: number;
  /** Features of a head. Default `hiddenSize` / `numAttentionHeads`. */
  readonly headDim?: number;
  /** Default 'silu'. */
  readonly hiddenAct?: Activation;
  /** Longest sequence of the training. Default 2048. */
  readonly maxPositionEmbeddings?: number;
  /** Default 1e-6. */
  readonly rmsNormEps?: number;
  /** Base of the rotary angles. Default 10000. */
  readonly ropeTheta?: number;
  /** For longer sequences than those of the training. Default: none. */
  readonly ropeScaling?: RopeScaling;
  /** The output shares the weights of the embedding. Default false. */
  readonly tieWordEmbeddings?: boolean;
  /** Biases in the attention. Default false. */
  readonly attentionBias?: boolean;
  /** A bias behind the attention too. Default `attentionBias`; false in Qwen2. */
  readonly attentionOutputBias?: boolean;
  /** Biases in the network. Default false. */
  readonly mlpBias?: boolean;
  /** RMS norms of each head's queries and keys, as Qwen3 has them. Default false. */
  readonly queryKeyNorm?: boolean;
  /** A position sees so many of the last ones, itself among them, as in Mistral. Default: all before it. */
  readonly slidingWindow?: number;
  /** Which layers have the window. Default: all. */
  readonly layerTypes?: readonly LayerType[];
  /** Weights of norms count from 1, and embeddings are multiplied by √hiddenSize, as in Gemma. Default false. */
  readonly gemma?: boolean;
  /** RMS norms behind attention and network too, before their results are added, as in Gemma 2. Default false. */
  readonly sandwichNorms?: boolean;
  /** Scores of the attention are divided by the root of this. Default `headDim`. */
  readonly queryPreAttnScalar?: number;
  /** Scores x of the attention become c · tanh(x / c), as in Gemma 2. Default: they stay. */
  readonly attnLogitSoftcapping?: number;
  /** The same of the output's logits. */
  readonly finalLogitSoftcapping?: number;
  /** One matrix for queries, keys and values, and one for both inputs of the gated network, as in Phi-3; without biases. Default false. */
  readonly fusedProjections?: boolean;
  /** The share of each head's features that is turned by rotary positions. Default 1. */
  readonly partialRotaryFactor?: number;
  /** Of the attention's weights. Default 0. */
  readonly attentionDropout?: number;
  /** Of what attention and network add, as in Phi-3. Default 0. */
  readonly residPdrop?: number;
  /** Deviation of the initial weights. Default 0.02. */
  readonly initializerRange?: number;
}

export type LayerType = 'full_attention' | 'sliding_attention';

export const LLAMA_OPTIONS: OptionNames<LlamaOptions> = {
  vocabSize: true,
  hiddenSize: true,
  intermediateSize: true,
  numHiddenLayers: true,
  numAttentionHeads: true,
  numKeyValueHeads: true,
  headDim: true,
  hiddenAct: true,
  maxPositionEmbeddings: true,
  rmsNormEps: true,
  ropeTheta: true,
  ropeScaling: true,
  tieWordEmbeddings: true,
  attentionBias: true,
  attentionOutputBias: true,
  mlpBias: true,
  queryKeyNorm: true,
  slidingWindow: true,
  layerTypes: true,
  gemma: true,
  sandwichNorms: true,
  queryPreAttnScalar: true,
  attnLogitSoftcapping: true,
  finalLogitSoftcapping: true,
  fusedProjections: true,
  partialRotaryFactor: true,
  attentionDropout: true,
  residPdrop: true,
  initializerRange: true,
};

/** Options that may be missing, or are in another form among the sizes. */
type Open =
  | 'ropeScaling'
  | 'slidingWindow'
  | 'layerTypes'
  | 'attnLogitSoftcapping'
  | 'finalLogitSoftcapping'
  | 'partialRotaryFactor';

export interface LlamaSizes extends Required<Omit<LlamaOptions, Open>> {
  readonly ropeScaling: RopeScaling | undefined;
  readonly attnLogitSoftcapping: number | undefined;
  readonly finalLogitSoftcapping: number | undefined;
  /** Features of a head that are turned. */
  readonly rotaryWidth: number;
  /** Of each layer. */
  readonly windows: readonly (number | undefined)[];
  /** Positions that a sequence can have. */
  readonly contextLength: number;
}

const CALL = 'Llama';

export function llamaSizes(options: LlamaOptions): LlamaSizes {
  const { vocabSize = 32000, hiddenSize = 4096, intermediateSize = 11008, numHiddenLayers = 32 } = options;
  const { numAttentionHeads = 32, numKeyValueHeads = numAttentionHeads } = options;
  const { headDim = hiddenSize / numAttentionHeads, maxPositionEmbeddings = 2048, hiddenAct = 'silu' } = options;
  const { rmsNormEps = 1e-6, ropeTheta = 10000, ropeScaling, tieWordEmbeddings = false } = options;
  const { attentionBias = false, attentionOutputBias = attentionBias, mlpBias = false } = options;
  const { queryKeyNorm = false, gemma = false, sandwichNorms = false, fusedProjections = false } = options;
  const { attentionDropout = 0, residPdrop = 0, initializerRange = 0.02 } = options;
  const {
    queryPreAttnScalar = headDim,
    attnLogitSoftcapping,
    finalLogitSoftcapping,
    partialRotaryFactor = 1,
  } = options;
  const counts = { vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads, numKeyValueHeads };
  const more = { headDim, maxPositionEmbeddings };
  for (const [name, count] of Object.entries({ ...counts, ...more })) checkCount(count, 1, `${CALL}: ${name}`);
  if (numAttentionHeads % numKeyValueHeads !== 0)
    throw new ArgumentError(
      `${CALL}: numKeyValueHeads ${numKeyValueHeads} does not divide numAttentionHeads ${numAttentionHeads}. Use a number that does.`,
    );
  if (headDim % 2 !== 0) throw new ArgumentError(`${CALL}: headDim is ${headDim}. Use an even number.`);
  const flags = { tieWordEmbeddings, attentionBias, attentionOutputBias, mlpBias, queryKeyNorm, gemma };
  const numbers = { rmsNormEps, ropeTheta, attentionDropout, residPdrop, initializerRange, queryPreAttnScalar };
  for (const [name, value] of Object.entries(numbers)) checkNumber(CALL, name, value);
  const caps = { attnLogitSoftcapping, finalLogitSoftcapping };
  for (const [name, value] of Object.entries({ ...caps, queryPreAttnScalar }))
    if (value !== undefined && !(value > 0 && Number.isFinite(value)))
      throw new ArgumentError(`${CALL}: ${name} is ${shown(value)}. Use a number above 0.`);
  if (fusedProjections && (attentionBias || mlpBias || attentionOutputBias))
    throw new ArgumentError(
      `${CALL}: fusedProjections have no biases. Leave out attentionBias, attentionOutputBias and mlpBias.`,
    );
  const rotaryWidth = rotaryWidthOf(headDim, partialRotaryFactor);
  checkRopeScaling(CALL, ropeScaling, rotaryWidth);
  const stretched = ropeScaling?.ropeType === 'linear' || ropeScaling?.ropeType === 'dynamic';
  const contextLength = stretched ? Math.floor(maxPositionEmbeddings * ropeScaling.factor) : maxPositionEmbeddings;
  const windows = windowsOf(numHiddenLayers, options);
  const parts = { sandwichNorms, fusedProjections, rotaryWidth, ropeScaling, windows, contextLength };
  return { ...counts, ...more, ...flags, ...numbers, ...caps, ...parts, hiddenAct };
}

function rotaryWidthOf(headDim: number, share: number): number {
  const width = Math.floor(headDim * share);
  if (share > 0 && share <= 1 && width > 0 && width % 2 === 0) return width;
  throw new ArgumentError(
    `${CALL}: partialRotaryFactor is ${shown(share)}, which leaves ${width} of ${headDim} features. Use a number above 0, at most 1, that leaves an even number.`,
  );
}

function windowsOf(layers: number, { slidingWindow, layerTypes }: LlamaOptions): (number | undefined)[] {
  if (slidingWindow !== undefined) checkCount(slidingWindow, 1, `${CALL}: slidingWindow`);
  if (layerTypes === undefined) return Array.from({ length: layers }, () => slidingWindow);
  checkList(CALL, 'layerTypes', layerTypes, 'types of layers');
  if (layerTypes.length !== layers)
    throw new ArgumentError(`${CALL}: there are ${layerTypes.length} layerTypes for ${layers} layers. Give one each.`);
  return layerTypes.map((type) => {
    checkChoice(CALL, 'layerTypes', type, ['full_attention', 'sliding_attention']);
    if (type === 'full_attention') return undefined;
    if (slidingWindow !== undefined) return slidingWindow;
    throw new ArgumentError(
      `${CALL}: layerTypes has 'sliding_attention', and slidingWindow is missing. Give its length.`,
    );
  });
}
