// Llama's options: those of transformers' LlamaConfig, and what Mistral, Qwen2, Qwen3 and Gemma have beside them; with their defaults, checked,
// and read from the config.json of each.

import { checkCount } from '../../nn/layer.js';
import { ArgumentError, type OptionNames, checkChoice, checkList, checkNumber, shown } from '../../tensor/library.js';
import type { Activation } from './activations.js';
import type { Config } from './config.js';
import { type RopeScaling, checkRopeScaling, ropeOf } from './rope-scaling.js';

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
  /** Of the attention's weights. Default 0. */
  readonly attentionDropout?: number;
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
  attentionDropout: true,
  initializerRange: true,
};

export interface LlamaSizes extends Required<Omit<LlamaOptions, 'ropeScaling' | 'slidingWindow' | 'layerTypes'>> {
  readonly ropeScaling: RopeScaling | undefined;
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
  const { queryKeyNorm = false, gemma = false, attentionDropout = 0, initializerRange = 0.02 } = options;
  const counts = { vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads, numKeyValueHeads };
  const more = { headDim, maxPositionEmbeddings };
  for (const [name, count] of Object.entries({ ...counts, ...more })) checkCount(count, 1, `${CALL}: ${name}`);
  if (numAttentionHeads % numKeyValueHeads !== 0)
    throw new ArgumentError(
      `${CALL}: numKeyValueHeads ${numKeyValueHeads} does not divide numAttentionHeads ${numAttentionHeads}. Use a number that does.`,
    );
  if (headDim % 2 !== 0) throw new ArgumentError(`${CALL}: headDim is ${headDim}. Use an even number.`);
  const flags = { tieWordEmbeddings, attentionBias, attentionOutputBias, mlpBias, queryKeyNorm, gemma };
  const numbers = { rmsNormEps, ropeTheta, attentionDropout, initializerRange };
  for (const [name, value] of Object.entries(numbers)) checkNumber(CALL, name, value);
  checkRopeScaling(CALL, ropeScaling);
  const stretched = ropeScaling?.ropeType === 'linear' || ropeScaling?.ropeType === 'dynamic';
  const contextLength = stretched ? Math.floor(maxPositionEmbeddings * ropeScaling.factor) : maxPositionEmbeddings;
  const windows = windowsOf(numHiddenLayers, options);
  return { ...counts, ...more, ...flags, ...numbers, hiddenAct, ropeScaling, windows, contextLength };
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

// ---------------------------------------------------------------- config.json

const QWEN = { vocabSize: 151936, intermediateSize: 22016, maxPositionEmbeddings: 32768 } as const;

/** What each kind has where its config.json is silent. */
const KINDS: Readonly<Record<string, LlamaOptions>> = {
  llama: {},
  mistral: { intermediateSize: 14336, numKeyValueHeads: 8, maxPositionEmbeddings: 131072, slidingWindow: 4096 },
  qwen2: { ...QWEN, slidingWindow: 4096 },
  qwen3: { ...QWEN, slidingWindow: 4096, headDim: 128 },
  gemma: {
    vocabSize: 256000,
    hiddenSize: 3072,
    intermediateSize: 24576,
    numHiddenLayers: 28,
    numAttentionHeads: 16,
    headDim: 256,
    hiddenAct: 'gelu_pytorch_tanh',
    maxPositionEmbeddings: 8192,
    tieWordEmbeddings: true,
  },
};

/** What each kind has whatever its config.json says. */
const FIXED: Readonly<Record<string, LlamaOptions>> = {
  mistral: { attentionBias: false, mlpBias: false },
  qwen2: { attentionBias: true, attentionOutputBias: false, mlpBias: false },
  qwen3: { queryKeyNorm: true, mlpBias: false },
  gemma: { gemma: true, mlpBias: false },
};

export const LLAMA_KINDS: readonly string[] = Object.keys(KINDS);

/** Entries that a config.json has, under their own names or in another form. */
const OTHERWISE: readonly (keyof LlamaOptions)[] = [
  'ropeScaling',
  'ropeTheta',
  'slidingWindow',
  'layerTypes',
  'attentionOutputBias',
  'queryKeyNorm',
  'gemma',
];

export function llamaOptionsOf(config: Config): LlamaOptions {
  config.refuse('pretraining_tp', [1, undefined]);
  config.refuse('use_bidirectional_attention', [false, undefined]);
  if (config.modelType === 'gemma') config.refuse('hidden_activation', ['gelu_pytorch_tanh', undefined]);
  const kind = KINDS[config.modelType] ?? {};
  const given: Record<string, unknown> = { ...kind, ...config.options<LlamaOptions>(LLAMA_OPTIONS) };
  for (const name of OTHERWISE) delete given[name];
  if (config.has('num_key_value_heads') && config.get('num_key_value_heads') === undefined)
    delete given['numKeyValueHeads']; // null: as many as there are heads of queries
  // transformers takes the first files' "gelu" for the one by tanh
  if (config.modelType === 'gemma' && given['hiddenAct'] === 'gelu') given['hiddenAct'] = 'gelu_pytorch_tanh';
  const options: LlamaOptions = { ...given, ...FIXED[config.modelType] };
  const { maxPositionEmbeddings = 2048, numHiddenLayers = 32 } = options;
  return { ...options, ...ropeOf(config, maxPositionEmbeddings), ...windowOf(config, kind, numHiddenLayers) };
}

type Windows = Pick<LlamaOptions, 'slidingWindow' | 'layerTypes'>;

function windowOf(config: Config, kind: LlamaOptions, layers: number): Windows {
  if (kind.slidingWindow === undefined) return {};
  const slidingWindow = config.has('sliding_window') ? config.number('sliding_window') : kind.slidingWindow;
  if (slidingWindow === undefined) return {};
  if (config.modelType === 'mistral') return { slidingWindow };
  if (config.get('use_sliding_window') !== true) return {};
  const types: unknown = config.get('layer_types');
  if (types !== undefined) {
    if (!Array.isArray(types)) throw new ArgumentError(`fromPretrained: layer_types is ${shown(types)}, and no list.`);
    return { slidingWindow, layerTypes: types as readonly LayerType[] };
  }
  const first = config.number('max_window_layers') ?? 28;
  const typeOf = (i: number): LayerType => (i >= first ? 'sliding_attention' : 'full_attention');
  return { slidingWindow, layerTypes: Array.from({ length: layers }, (_, i) => typeOf(i)) };
}
