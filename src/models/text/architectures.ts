// Which model belongs to which of transformers' classes, and to which kind of config.json.

import type { Module } from '../../nn/index.js';
import { ArgumentError } from '../../tensor/library.js';
import { ViT, ViTClassifier } from '../vision/transformers-vit.js';
import { Bert, BertClassifier, BertMaskedLM, BertQuestionAnswering, BertTokenClassifier } from './bert.js';
import type { Config } from './config.js';
import {
  DistilBert,
  DistilBertClassifier,
  DistilBertMaskedLM,
  DistilBertQuestionAnswering,
  DistilBertTokenClassifier,
} from './distilbert.js';
import {
  Electra,
  ElectraClassifier,
  ElectraDiscriminator,
  ElectraMaskedLM,
  ElectraQuestionAnswering,
  ElectraTokenClassifier,
} from './electra.js';
import { GPT2 } from './gpt2.js';
import { Llama } from './llama.js';
import {
  Roberta,
  RobertaClassifier,
  RobertaMaskedLM,
  RobertaQuestionAnswering,
  RobertaTokenClassifier,
} from './roberta.js';
import { T5, T5Encoder } from './t5.js';

/** A class of models that can be made from a config.json. */
export interface PretrainedClass<M extends Module> {
  /** The kinds of config.json (`model_type`) that it can be made from. */
  readonly modelType: string | readonly string[];
  readonly name: string;
  /** What older files call keys, and their present names: applied one after the other. */
  readonly renames?: readonly (readonly [RegExp, string])[];
  fromConfig(config: Config): M;
}

/** RoBERTa's heads, under the names of each kind that has its keys. */
const robertas = <P extends string>(prefix: P) =>
  ({
    [`${prefix}Model`]: Roberta,
    [`${prefix}ForMaskedLM`]: RobertaMaskedLM,
    [`${prefix}ForSequenceClassification`]: RobertaClassifier,
    [`${prefix}ForTokenClassification`]: RobertaTokenClassifier,
    [`${prefix}ForQuestionAnswering`]: RobertaQuestionAnswering,
  }) as const;

/** Models by the names of transformers' classes. */
const ARCHITECTURES: Readonly<Record<string, PretrainedClass<PretrainedModel>>> = {
  BertModel: Bert,
  BertForMaskedLM: BertMaskedLM,
  BertForPreTraining: BertMaskedLM,
  BertForSequenceClassification: BertClassifier,
  BertForTokenClassification: BertTokenClassifier,
  BertForQuestionAnswering: BertQuestionAnswering,
  ...robertas('Roberta'),
  ...robertas('XLMRoberta'),
  ...robertas('Camembert'),
  DistilBertModel: DistilBert,
  DistilBertForMaskedLM: DistilBertMaskedLM,
  DistilBertForSequenceClassification: DistilBertClassifier,
  DistilBertForTokenClassification: DistilBertTokenClassifier,
  DistilBertForQuestionAnswering: DistilBertQuestionAnswering,
  ElectraModel: Electra,
  ElectraForMaskedLM: ElectraMaskedLM,
  ElectraForPreTraining: ElectraDiscriminator,
  ElectraForSequenceClassification: ElectraClassifier,
  ElectraForTokenClassification: ElectraTokenClassifier,
  ElectraForQuestionAnswering: ElectraQuestionAnswering,
  GPT2LMHeadModel: GPT2,
  GPT2Model: GPT2,
  LlamaForCausalLM: Llama,
  MistralForCausalLM: Llama,
  Qwen2ForCausalLM: Llama,
  Qwen3ForCausalLM: Llama,
  GemmaForCausalLM: Llama,
  Gemma2ForCausalLM: Llama,
  Phi3ForCausalLM: Llama,
  T5ForConditionalGeneration: T5,
  T5Model: T5,
  T5EncoderModel: T5Encoder,
  MT5ForConditionalGeneration: T5,
  MT5Model: T5,
  MT5EncoderModel: T5Encoder,
  ViTModel: ViT,
  ViTForImageClassification: ViTClassifier,
};

/** Of a config.json that names no class: what transformers' AutoModel makes of it, or the model with its output. */
const BY_TYPE: Readonly<Record<string, PretrainedClass<PretrainedModel>>> = {
  bert: Bert,
  roberta: Roberta,
  'xlm-roberta': Roberta,
  camembert: Roberta,
  distilbert: DistilBert,
  electra: Electra,
  gpt2: GPT2,
  llama: Llama,
  mistral: Llama,
  qwen2: Llama,
  qwen3: Llama,
  gemma: Llama,
  gemma2: Llama,
  phi3: Llama,
  t5: T5,
  mt5: T5,
  vit: ViT,
};

/** One of the models that `fromPretrained` knows: `model instanceof GPT2` says which. */
export type PretrainedModel =
  | Bert
  | BertMaskedLM
  | BertClassifier
  | BertTokenClassifier
  | BertQuestionAnswering
  | Roberta
  | RobertaMaskedLM
  | RobertaClassifier
  | RobertaTokenClassifier
  | RobertaQuestionAnswering
  | DistilBert
  | DistilBertMaskedLM
  | DistilBertClassifier
  | DistilBertTokenClassifier
  | DistilBertQuestionAnswering
  | Electra
  | ElectraMaskedLM
  | ElectraDiscriminator
  | ElectraClassifier
  | ElectraTokenClassifier
  | ElectraQuestionAnswering
  | GPT2
  | Llama
  | T5
  | T5Encoder
  | ViT
  | ViTClassifier;

/** The class that a config.json names. Throws ArgumentError for one that is not here. */
export function classOf(call: string, config: Config): PretrainedClass<PretrainedModel> {
  const named = config.architectures.find((name) => Object.hasOwn(ARCHITECTURES, name));
  if (named !== undefined) return ARCHITECTURES[named];
  if (config.architectures.length === 0 && Object.hasOwn(BY_TYPE, config.modelType)) return BY_TYPE[config.modelType];
  const wanted = config.architectures.join(', ') || `model_type '${config.modelType}'`;
  throw new ArgumentError(
    `${call}: there is no model for ${wanted} of ${config.name}. There are ${Object.keys(ARCHITECTURES).join(', ')}.`,
  );
}

/** Throws ArgumentError unless the class can be made from the file. */
export function checkKind(call: string, kind: PretrainedClass<Module>, config: Config): void {
  const kinds = [kind.modelType].flat();
  if (kinds.includes(config.modelType)) return;
  throw new ArgumentError(
    `${call}: ${config.name} has model_type '${config.modelType}', and ${kind.name} is for ${kinds.map((type) => `'${type}'`).join(', ')}.`,
  );
}

/** Entries of any config.json that change numbers and are not done here. */
export function checkCommon(config: Config): void {
  for (const key of ['quantization_config', 'adapter_config']) config.refuse(key, [undefined]);
  const pruned: unknown = config.get('pruned_heads');
  if (typeof pruned === 'object' && pruned !== null && Object.keys(pruned).length > 0)
    config.refuse('pruned_heads', [undefined]);
}
