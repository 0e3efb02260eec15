// Llama's options from the config.json of transformers' models that are built like it, with the defaults of each kind.

import { ArgumentError, shown } from '../../tensor/library.js';
import type { Config } from './config.js';
import { LLAMA_OPTIONS, type LayerType, type LlamaOptions } from './llama-options.js';
import { ropeOf } from './rope-scaling.js';

/** The longest texts that Phi-3 was trained on, if its config.json does not say it. */
const PHI_LENGTH = 4096;

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
  gemma2: {
    vocabSize: 256000,
    hiddenSize: 2304,
    intermediateSize: 9216,
    numHiddenLayers: 26,
    numAttentionHeads: 8,
    numKeyValueHeads: 4,
    headDim: 256,
    maxPositionEmbeddings: 8192,
    tieWordEmbeddings: true,
    slidingWindow: 4096,
    queryPreAttnScalar: 256,
    attnLogitSoftcapping: 50,
    finalLogitSoftcapping: 30,
  },
  phi3: {
    vocabSize: 32064,
    hiddenSize: 3072,
    intermediateSize: 8192,
    maxPositionEmbeddings: PHI_LENGTH,
    rmsNormEps: 1e-5,
  },
};

/** What each kind has whatever its config.json says. */
const FIXED: Readonly<Record<string, LlamaOptions>> = {
  mistral: { attentionBias: false, mlpBias: false },
  qwen2: { attentionBias: true, attentionOutputBias: false, mlpBias: false },
  qwen3: { queryKeyNorm: true, mlpBias: false },
  gemma: { gemma: true, mlpBias: false },
  gemma2: { gemma: true, sandwichNorms: true, mlpBias: false, hiddenAct: 'gelu_pytorch_tanh' },
  phi3: { fusedProjections: true, attentionBias: false, mlpBias: false },
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
  'sandwichNorms',
  'fusedProjections',
  'partialRotaryFactor',
  'residPdrop',
];

/** Entries whose null means none, whatever the kind has where they are missing. */
const NULLABLE = {
  num_key_value_heads: 'numKeyValueHeads', // as many as there are heads of queries
  attn_logit_softcapping: 'attnLogitSoftcapping',
  final_logit_softcapping: 'finalLogitSoftcapping',
} as const;

export function llamaOptionsOf(config: Config): LlamaOptions {
  config.refuse('pretraining_tp', [1, undefined]);
  config.refuse('use_bidirectional_attention', [false, undefined]);
  if (config.modelType.startsWith('gemma')) config.refuse('hidden_activation', ['gelu_pytorch_tanh', undefined]);
  const kind = KINDS[config.modelType] ?? {};
  const given: Record<string, unknown> = { ...kind, ...config.options<LlamaOptions>(LLAMA_OPTIONS) };
  for (const name of OTHERWISE) delete given[name];
  for (const [key, name] of Object.entries(NULLABLE))
    if (config.has(key) && config.get(key) === undefined) delete given[name];
  // transformers takes the first files' "gelu" for the one by tanh
  if (config.modelType === 'gemma' && given['hiddenAct'] === 'gelu') given['hiddenAct'] = 'gelu_pytorch_tanh';
  const options: LlamaOptions = { ...given, ...FIXED[config.modelType] };
  const { maxPositionEmbeddings = 2048, numHiddenLayers = 32 } = options;
  const ofPhi = config.modelType === 'phi3' ? phiOf(config) : {};
  const rope = ropeOf(config, maxPositionEmbeddings, config.modelType === 'phi3' ? PHI_LENGTH : undefined);
  return { ...options, ...ofPhi, ...rope, ...windowOf(config, kind, numHiddenLayers) };
}

function phiOf(config: Config): LlamaOptions {
  const rope = config.part('rope_parameters') ?? config.part('rope_scaling');
  const share = rope?.number('partial_rotary_factor') ?? config.number('partial_rotary_factor');
  const residPdrop = config.number('resid_pdrop');
  return {
    ...(share !== undefined && { partialRotaryFactor: share }),
    ...(residPdrop !== undefined && { residPdrop }),
  };
}

type Windows = Pick<LlamaOptions, 'slidingWindow' | 'layerTypes'>;

function windowOf(config: Config, kind: LlamaOptions, layers: number): Windows {
  if (config.modelType === 'phi3') {
    const window = config.number('sliding_window');
    return window === undefined ? {} : { slidingWindow: window };
  }
  if (kind.slidingWindow === undefined) return {};
  const slidingWindow = config.has('sliding_window') ? config.number('sliding_window') : kind.slidingWindow;
  if (slidingWindow === undefined) return {};
  if (config.modelType === 'mistral') return { slidingWindow };
  const isGemma = config.modelType === 'gemma2';
  if (!isGemma && config.get('use_sliding_window') !== true) return {};
  const types: unknown = config.get('layer_types');
  if (types !== undefined) {
    if (!Array.isArray(types)) throw new ArgumentError(`fromPretrained: layer_types is ${shown(types)}, and no list.`);
    return { slidingWindow, layerTypes: types };
  }
  const first = config.number('max_window_layers') ?? 28;
  const hasWindow = (i: number): boolean => (isGemma ? i % 2 === 0 : i >= first);
  const typeOf = (i: number): LayerType => (hasWindow(i) ? 'sliding_attention' : 'full_attention');
  return { slidingWindow, layerTypes: Array.from({ length: layers }, (_, i) => typeOf(i)) };
}
