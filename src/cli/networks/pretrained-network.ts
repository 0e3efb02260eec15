// A model in a folder of transformers', with its tokenizer or its preprocessing where they are there. Inputs and outputs have the names of
// transformers' exports.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type AnyTensor, Tensor } from '../../index.js';
import {
  BertClassifier,
  BertMaskedLM,
  type BertInputs,
  type Config,
  DistilBert,
  DistilBertClassifier,
  DistilBertMaskedLM,
  DistilBertQuestionAnswering,
  DistilBertTokenClassifier,
  ElectraClassifier,
  ElectraMaskedLM,
  GPT2,
  type Ids,
  Llama,
  type PretrainedModel,
  RobertaClassifier,
  RobertaMaskedLM,
  T5,
  T5Encoder,
  ViT,
  ViTClassifier,
  fromPretrained,
} from '../../models/index.js';
import { Module } from '../../nn/index.js';
import type { ImagePreprocessing } from '../../vision/index.js';
import { userFault } from '../inspect/tensors.js';
import type { Network, NetworkInput, PictureInput } from './network.js';
import { preprocessedBy } from './pictures.js';

const CLASSIFIERS = [BertClassifier, RobertaClassifier, DistilBertClassifier, ElectraClassifier, ViTClassifier];
const MASKED = [BertMaskedLM, RobertaMaskedLM, DistilBertMaskedLM, ElectraMaskedLM];
/** They know nothing of first and second texts. */
const DISTILLED = [
  DistilBert,
  DistilBertClassifier,
  DistilBertMaskedLM,
  DistilBertQuestionAnswering,
  DistilBertTokenClassifier,
];

const isOneOf = (model: Module, classes: readonly (new (...given: never[]) => Module)[]): boolean =>
  classes.some((kind) => model instanceof kind);

const ids = (name: string, length = 'length'): NetworkInput => ({ name, dtype: 'int32', shape: ['batch', length] });
const optional = (name: string): NetworkInput => ({ ...ids(name), isOptional: true });

export async function openPretrained(folder: string): Promise<Network> {
  const has = (name: string): boolean => existsSync(join(folder, name));
  const { model, config, tokenizer, preprocessing } = await userFault(() =>
    fromPretrained(folder, {
      tokenizer: has('tokenizer.json'),
      preprocessing: has('preprocessor_config.json'),
    }),
  );
  const { inputs, call } = usageOf(model, config);
  const [{ shape }] = inputs;
  return {
    what: `${model.constructor.name}, weights from ${folder}`,
    module: new NamedInputs(model, call).eval(),
    inputs,
    ...(isOneOf(model, CLASSIFIERS) && config.labels.length > 0 && { classes: config.labels }),
    ...(isOneOf(model, MASKED) && { predicts: 'masked' }),
    ...((model instanceof GPT2 || model instanceof Llama) && { predicts: 'next' }),
    ...(tokenizer !== undefined && { tokenizer }),
    ...(preprocessing !== undefined && shape.length === 4 && { picture: pictureOf(preprocessing, shape) }),
  };
}

interface Usage {
  readonly inputs: readonly NetworkInput[];
  /** Of the inputs, in their order, those that are left out as undefined. Their dtypes are those of the inputs. */
  readonly call: (...given: (AnyTensor | undefined)[]) => object;
}

function usageOf(model: PretrainedModel, config: Config): Usage {
  if (model instanceof ViT || model instanceof ViTClassifier) {
    const call = (x?: AnyTensor): object => named(model.forward(x as Tensor), model instanceof ViTClassifier);
    return { inputs: [{ name: 'pixel_values', dtype: 'float32', shape: ['batch', ...imageOf(config)] }], call };
  }
  if (model instanceof T5) {
    const inputs = [ids('input_ids'), ids('decoder_input_ids', 'decoder_length'), optional('attention_mask')];
    return { inputs, call: (x, y, mask) => ({ logits: model.forward(x as Ids, y as Ids, textInputs(mask)) }) };
  }
  if (model instanceof GPT2 || model instanceof Llama)
    return { inputs: [ids('input_ids')], call: (x) => ({ logits: model.forward(x as Ids) }) };
  if (model instanceof T5Encoder || isOneOf(model, DISTILLED)) {
    const inputs = [ids('input_ids'), optional('attention_mask')];
    return { inputs, call: (x, mask) => outputOf(model, x as Ids, textInputs(mask)) };
  }
  const inputs = [ids('input_ids'), optional('attention_mask'), optional('token_type_ids')];
  return { inputs, call: (x, mask, types) => outputOf(model, x as Ids, textInputs(mask, types as Ids | undefined)) };
}

const textInputs = (attentionMask?: AnyTensor, tokenTypeIds?: Ids): BertInputs => ({
  ...(attentionMask !== undefined && { attentionMask }),
  ...(tokenTypeIds !== undefined && { tokenTypeIds }),
});

/** Of any encoder of texts. */
function outputOf(model: Module, x: Ids, inputs: BertInputs): object {
  const encoder = model as Module & { forward(x: Ids, inputs: BertInputs): unknown };
  return named(encoder.forward(x, inputs), !isBody(model));
}

/** Encoders without a head are called by one word: Bert, Roberta. */
const isBody = (model: Module): boolean => /^(Bert|Roberta|DistilBert|Electra|T5Encoder)$/.test(model.constructor.name);

function named(result: unknown, hasHead: boolean): object {
  if (result instanceof Tensor) return hasHead ? { logits: result } : { last_hidden_state: result };
  return result as object; // several by their names
}

/** Channels, height, width. */
function imageOf(config: Config): readonly [number, number, number] {
  const size = config.get('image_size');
  const [height, width]: readonly unknown[] = Array.isArray(size) ? size : [size, size];
  const side = (n: unknown): number => (typeof n === 'number' ? n : 224);
  return [config.number('num_channels') ?? 3, side(height), side(width)];
}

function pictureOf(preprocess: ImagePreprocessing, [, ...shape]: NetworkInput['shape']): PictureInput {
  const [channels, height, width] = shape.map(Number);
  return preprocessedBy(preprocess, [channels, height, width]);
}

/** A model whose inputs are all tensors in a row, with the keys of the model. */
class NamedInputs extends Module {
  readonly #model: Module;
  readonly #call: Usage['call'];

  constructor(model: Module, call: Usage['call']) {
    super();
    this.#model = model;
    this.#call = call;
  }

  override fields(): Iterable<readonly [string, unknown]> {
    return this.#model.fields();
  }

  forward(...given: (AnyTensor | undefined)[]): object {
    return this.#call(...given);
  }
}
