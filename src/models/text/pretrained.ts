// Models of transformers' files: config.json says how a model is built, the weights beside it fill it.

import { isAddress } from '../../io/fetch.js';
import { inFolder, readJson } from '../../io/json-file.js';
import type { FileOptions } from '../../io/source.js';
import { loadWeights, type LoadedWeights } from '../../io/weights/load-weights.js';
import type { Module } from '../../nn/index.js';
import { type Tokenizer, loadTokenizer } from '../../text/tokenizer.js';
import {
  ArgumentError,
  type FloatDType,
  type OptionNames,
  checkFunction,
  checkOptions,
  shown,
} from '../../tensor/library.js';
import { Bert, BertClassifier, BertMaskedLM } from './bert.js';
import { Config } from './config.js';
import { GPT2 } from './gpt2.js';
import { Llama } from './llama.js';

export interface PretrainedOptions extends Pick<FileOptions, 'onProgress' | 'signal' | 'cache'> {
  /** Of the model's parameters; the file's numbers are converted. Default 'float32'. */
  readonly dtype?: FloatDType;
  /** Throw where the file lacks keys of the model (the default); with false they keep their initial values, as a new head should. */
  readonly strict?: boolean;
  /** Read tokenizer.json as well. Default false. */
  readonly tokenizer?: boolean;
  /** The file of weights in the folder. Default: that in which transformers writes them; of an address, 'model.safetensors'. */
  readonly weights?: string;
}

const OPTIONS: OptionNames<PretrainedOptions> = {
  onProgress: true,
  signal: true,
  cache: true,
  dtype: true,
  strict: true,
  tokenizer: true,
  weights: true,
};

export interface Pretrained<M extends Module> {
  /** In evaluation mode. */
  readonly model: M;
  readonly config: Config;
  /** With `tokenizer: true`. */
  readonly tokenizer: Tokenizer | undefined;
  /** Keys that were loaded, missing and left over. */
  readonly report: LoadedWeights;
}

/** A class of models that can be made from a config.json. */
export interface PretrainedClass<M extends Module> {
  readonly modelType: string;
  readonly name: string;
  fromConfig(config: Config): M;
}

/** Models by the names of transformers' classes. */
const ARCHITECTURES = {
  BertModel: Bert,
  BertForMaskedLM: BertMaskedLM,
  BertForPreTraining: BertMaskedLM,
  BertForSequenceClassification: BertClassifier,
  GPT2LMHeadModel: GPT2,
  GPT2Model: GPT2,
  LlamaForCausalLM: Llama,
} as const;

/** One of the models that `fromPretrained` knows: `model instanceof GPT2` says which. */
export type PretrainedModel = Bert | BertMaskedLM | BertClassifier | GPT2 | Llama;

const CALL = 'fromPretrained';

/**
 * A model from a folder in transformers' layout, or the address of one: `config.json` and weights as safetensors, shards with an index, or
 * pytorch_model.bin. Without a class, the one that config.json names. Throws ArgumentError for what there is no model of here, and for
 * options that it does not have; StateDictError where the weights do not fit. transformers: AutoModel.from_pretrained.
 *
 *     const { model, tokenizer } = await fromPretrained(GPT2, 'gpt2', { tokenizer: true });
 */
export function fromPretrained<M extends Module>(
  kind: PretrainedClass<M>,
  folder: string | URL,
  options?: PretrainedOptions,
): Promise<Pretrained<M>>;
export function fromPretrained(folder: string | URL, options?: PretrainedOptions): Promise<Pretrained<PretrainedModel>>;
export function fromPretrained(
  first: PretrainedClass<Module> | string | URL,
  second?: string | URL | PretrainedOptions,
  third?: PretrainedOptions,
): Promise<Pretrained<Module>> {
  if (typeof first === 'function') return load(first, second, third);
  return load(undefined, first, second);
}

async function load(
  kind: PretrainedClass<Module> | undefined,
  source: unknown,
  given: string | URL | PretrainedOptions = {},
): Promise<Pretrained<Module>> {
  if (typeof source !== 'string' && !(source instanceof URL))
    throw new ArgumentError(`${CALL}: the folder is ${shown(source)}. Give its path or its address.`);
  if (typeof given === 'string' || given instanceof URL)
    throw new ArgumentError(
      `${CALL}: the options are ${shown(given)}. Give a class, a folder and options, in this order.`,
    );
  const options: PretrainedOptions = given;
  checkOptions(CALL, options, OPTIONS);
  const { dtype, strict = true, tokenizer = false, weights, ...files } = options;
  if (kind !== undefined) checkFunction(CALL, kind.fromConfig, `${kind.name}.fromConfig`);
  const folder = String(source);
  const file = inFolder(folder, 'config.json');
  const config = new Config(await readJson(CALL, file, files), file);
  const model = (kind ?? classOf(config)).fromConfig(checked(kind, config));
  const filled = weights ?? (isAddress(folder) ? 'model.safetensors' : undefined);
  const report = await loadWeights(model, filled === undefined ? folder : inFolder(folder, filled), {
    ...files,
    ...(dtype !== undefined && { dtype }),
    strict: false,
    map: renamed(model),
  });
  if (strict && report.missing.length > 0)
    throw new ArgumentError(
      `${CALL}: the weights in ${folder} have no ${report.missing.slice(0, 4).join(', ')}${report.missing.length > 4 ? `, and ${report.missing.length - 4} more` : ''}, which ${model.constructor.name} needs. With strict: false they keep their initial values.`,
    );
  const read = tokenizer ? await loadTokenizer(inFolder(folder, 'tokenizer.json'), files) : undefined;
  return { model: model.eval(), config, tokenizer: read, report };
}

function checked(kind: PretrainedClass<Module> | undefined, config: Config): Config {
  if (kind === undefined || config.modelType === kind.modelType) return config;
  throw new ArgumentError(
    `${CALL}: ${config.name} has model_type '${config.modelType}', and ${kind.name} is for '${kind.modelType}'.`,
  );
}

function classOf(config: Config): PretrainedClass<PretrainedModel> {
  const named = Object.entries(ARCHITECTURES).find(([name]) => config.architectures.includes(name));
  if (named !== undefined) return named[1];
  const wanted = config.architectures.join(', ') || `model_type '${config.modelType}'`;
  throw new ArgumentError(
    `${CALL}: there is no model for ${wanted} of ${config.name}. There are ${Object.keys(ARCHITECTURES).join(', ')}.`,
  );
}

/** Buffers that older versions of transformers saved; they follow from the model's sizes. */
const FOLLOWS = /(^|\.)(attn\.(masked_)?bias|position_ids|rotary_emb\.inv_freq)$/;

/** Keys as this model has them: those of the body alone lack its prefix, and very old files call scale and shift gamma and beta. */
function renamed(model: Module): (key: string) => string | undefined {
  const own = new Set(Object.keys(model.stateDict()));
  const prefixes = ['transformer.', 'bert.', 'model.'];
  return (key) => {
    const name = key.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias');
    if (own.has(name)) return name;
    if (FOLLOWS.test(name)) return undefined;
    const inside = prefixes.map((prefix) => prefix + name).find((longer) => own.has(longer));
    const outside = prefixes.filter((prefix) => name.startsWith(prefix)).map((prefix) => name.slice(prefix.length));
    return inside ?? outside.find((shorter) => own.has(shorter)) ?? name;
  };
}
