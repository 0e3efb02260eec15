// Models of transformers' files: config.json says how a model is built, the weights beside it fill it.

import { NotThereError, isAddress } from '../../io/fetch.js';
import { inFolder, readJson } from '../../io/json-file.js';
import type { FileOptions } from '../../io/source.js';
import { loadWeights, type LoadWeightsOptions, type LoadedWeights } from '../../io/weights/load-weights.js';
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
import type { ImagePreprocessing } from '../../vision/preprocess/preprocessing.js';
import { loadImagePreprocessing } from '../../vision/preprocess/processor-config.js';
import { type PretrainedClass, type PretrainedModel, checkCommon, checkKind, classOf } from './architectures.js';
import { Config } from './config.js';
import { renamed } from './old-keys.js';
import { T5 } from './t5.js';

export interface PretrainedOptions extends Pick<FileOptions, 'onProgress' | 'signal' | 'cache'> {
  /** Of the model's parameters; the file's numbers are converted. Default 'float32'. */
  readonly dtype?: FloatDType;
  /** Throw where the file lacks keys of the model (the default); with false they keep their initial values, as a new head should. */
  readonly strict?: boolean;
  /** Read the tokenizer's files as well. Default false. */
  readonly tokenizer?: boolean;
  /** Read preprocessor_config.json as well, for models of images. Default false. */
  readonly preprocessing?: boolean;
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
  preprocessing: true,
  weights: true,
};

export interface Pretrained<M extends Module> {
  /** In evaluation mode. */
  readonly model: M;
  readonly config: Config;
  /** With `tokenizer: true`. */
  readonly tokenizer: Tokenizer | undefined;
  /** With `preprocessing: true`: from pictures to the model's input. */
  readonly preprocessing: ImagePreprocessing | undefined;
  /** Keys that were loaded, missing and left over. */
  readonly report: LoadedWeights;
}

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
  const { dtype, strict = true, tokenizer = false, preprocessing = false, weights, ...files } = options;
  if (kind !== undefined) checkFunction(CALL, kind.fromConfig, `${kind.name}.fromConfig`);
  const folder = String(source);
  const file = inFolder(folder, 'config.json');
  const config = new Config(await readJson(CALL, file, files), file);
  checkCommon(config);
  if (kind !== undefined) checkKind(CALL, kind, config);
  const chosen = kind ?? classOf(CALL, config);
  const model = chosen.fromConfig(config);
  const loading: LoadWeightsOptions = {
    ...files,
    ...(dtype !== undefined && { dtype }),
    strict: false,
    map: renamed(model, chosen.renames),
  };
  const report = completed(model, await loadInto(model, folder, weights, loading));
  if (strict && report.missing.length > 0)
    throw new ArgumentError(
      `${CALL}: the weights in ${folder} have no ${report.missing.slice(0, 4).join(', ')}${report.missing.length > 4 ? `, and ${report.missing.length - 4} more` : ''}, which ${model.constructor.name} needs. With strict: false they keep their initial values.`,
    );
  const read = tokenizer ? await loadTokenizer(folder, files) : undefined;
  const prepared = preprocessing ? await loadImagePreprocessing(folder, files) : undefined;
  return { model: model.eval(), config, tokenizer: read, preprocessing: prepared, report };
}

/** Of an address the files of weights cannot be listed: these are asked for, one after the other. */
const USUAL = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

async function loadInto(
  model: Module,
  folder: string,
  weights: string | undefined,
  options: LoadWeightsOptions,
): Promise<LoadedWeights> {
  if (weights !== undefined) return loadWeights(model, inFolder(folder, weights), options);
  if (!isAddress(folder)) return loadWeights(model, folder, options);
  for (const name of USUAL) {
    try {
      return await loadWeights(model, inFolder(folder, name), options);
    } catch (error) {
      if (!(error instanceof NotThereError)) throw error;
    }
  }
  throw new ArgumentError(
    `${CALL}: ${folder} has no weights: neither ${USUAL.slice(0, -1).join(', ')} nor ${USUAL.at(-1)!} is there. Name the file with weights.`,
  );
}

/** What follows from other weights, or may be left out, is not missing. */
function completed(model: Module, report: LoadedWeights): LoadedWeights {
  const { missing } = report;
  if (model instanceof T5 && missing.includes('lm_head.weight')) {
    model.headFromEmbedding();
    return { ...report, missing: missing.filter((key) => key !== 'lm_head.weight') };
  }
  if (missing.length > 0 && 'pooler' in model && missing.every((key) => key.startsWith('pooler.'))) {
    model.pooler = undefined;
    return { ...report, missing: [] };
  }
  return report;
}
