// `nabla generate`: goes on with a text, by a model in transformers' files or by that of a run; what is written appears as it comes.

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { disposeDevices } from '../../index.js';
import { NotThereError, isAddress } from '../../io/fetch.js';
import { inFolder, readJson } from '../../io/json-file.js';
import type { DownloadProgress } from '../../io/node/download.js';
import { type Config, GPT2, Llama, T5, fromPretrained } from '../../models/index.js';
import { type GenerateOptions, decodeStream, generate as generateIds } from '../../text/index.js';
import { useDevice } from '../device.js';
import { CliError, fileFault } from '../errors.js';
import { openPredictor } from '../networks/run-network.js';
import { generateText } from '../predict/text.js';
import { ProgressBar, downloadLine } from '../progress.js';
import { printable } from '../printable.js';
import { readText, weightsAt } from '../run-folder.js';
import { type Terminal, terminalOf } from '../terminal.js';
import { openRun } from '../trained-run.js';
import { loadWeights } from '../weights.js';

interface Options {
  readonly prompt: string;
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly greedy?: true;
  readonly beams?: number;
  readonly lengthPenalty?: number;
  readonly repetitionPenalty?: number;
  readonly ngramOnce?: number;
  readonly seed: number;
  readonly weights?: string;
  readonly definition?: string;
  readonly trust?: true;
  readonly device: string;
  readonly json?: true;
}

export async function generate(model: string, options: Options): Promise<void> {
  useDevice(options.device);
  const terminal = terminalOf(process.stdout);
  try {
    const pieces = isRun(model) ? ofRun(model, options) : ofModel(model, options);
    let text = '';
    for await (const piece of pieces) {
      text += piece;
      if (options.json !== true) terminal.write(piece);
    }
    terminal.line(options.json === true ? JSON.stringify({ prompt: options.prompt, text }) : '');
  } finally {
    await disposeDevices();
  }
}

/** Is it a folder that nabla train has left? Its config.json has settings, transformers' has the model's type. */
function isRun(model: string): boolean {
  if (isAddress(model)) return false;
  try {
    if (!statSync(model).isDirectory())
      throw new CliError(`${model} is no folder. Name that of a model, or its address.`);
  } catch (error) {
    throw error instanceof CliError ? error : fileFault('read', model, error);
  }
  const file = join(model, 'config.json');
  if (!existsSync(file))
    throw new CliError(`${model} has no config.json. Name a folder in transformers' layout, or a run folder.`);
  return /"settings"\s*:/.test(readText(file)) && !/"model_type"\s*:/.test(readText(file));
}

// ---------------------------------------------------------------- runs

async function* ofRun(path: string, options: Options): AsyncGenerator<string> {
  const { topK, topP, beams, repetitionPenalty, ngramOnce, greedy, prompt, seed } = options;
  const foreign = Object.entries({
    'top-k': topK,
    'top-p': topP,
    beams,
    'repetition-penalty': repetitionPenalty,
    'ngram-once': ngramOnce,
  });
  const wrong = foreign.find(([, value]) => value !== undefined);
  if (wrong !== undefined)
    throw new CliError(`--${wrong[0]} is for models in transformers' files. A run takes --temperature and --greedy.`);
  const { folder, weights } = weightsAt(path);
  const run = await openRun(folder, options);
  const predictor = await openPredictor(run);
  if (predictor.kind !== 'text') throw new CliError(`${run.definition.name} writes no text. Use nabla predict.`);
  await loadWeights(weights, predictor.model);
  const temperature = greedy === true ? 0 : (options.temperature ?? 0.8);
  yield* generateText(predictor, { prompt, length: options.maxTokens, temperature, seed });
}

// ---------------------------------------------------------------- transformers' files

async function* ofModel(folder: string, options: Options): AsyncGenerator<string> {
  const errors = terminalOf(process.stderr);
  const { weights } = options;
  const downloads = shownDownloads(errors);
  const { model, config, tokenizer } = await fromPretrained(folder, {
    tokenizer: true,
    onProgress: downloads.show,
    ...(weights !== undefined && { weights }),
  }).finally(downloads.end);
  if (!(model instanceof GPT2 || model instanceof Llama || model instanceof T5))
    throw new CliError(
      `${folder} has a ${model.constructor.name}, which writes no text. GPT-2, Llama's kinds and T5 do.`,
    );
  if (tokenizer === undefined) throw new CliError(`${folder} has no tokenizer.`);
  const encoded = tokenizer.encode(options.prompt).ids;
  const ids = encoded.length > 0 ? encoded : beginning(config);
  const isAnswer = model instanceof T5;
  if (!isAnswer) yield options.prompt;
  const rules = rulesOf(options, isAnswer, await stopsOf(folder, config));
  const made = generateIds(model, ids, rules);
  // of what goes on with a text, the pieces behind it: spaces between them belong to the text
  yield* isAnswer
    ? decodeStream(tokenizer, made)
    : behind(decodeStream(tokenizer, following(ids, made)), tokenizer.decode(ids));
}

async function* following(ids: readonly number[], made: AsyncIterable<number>): AsyncGenerator<number> {
  yield* ids;
  yield* made;
}

/** Pieces without the text that they begin with. */
async function* behind(pieces: AsyncIterable<string>, begin: string): AsyncGenerator<string> {
  let rest = begin.length;
  for await (const piece of pieces) {
    if (piece.length > rest) yield piece.slice(rest);
    rest = Math.max(0, rest - piece.length);
  }
}

function beginning(config: Config): number[] {
  const id = config.number('bos_token_id') ?? config.number('eos_token_id');
  if (id === undefined) throw new CliError('--prompt is empty, and the model names no token that texts begin with.');
  return [id];
}

function rulesOf(options: Options, isAnswer: boolean, stop: readonly number[]): GenerateOptions {
  const { temperature, topK, topP, greedy, beams, lengthPenalty, repetitionPenalty, ngramOnce } = options;
  const isDrawn = greedy !== true && beams === undefined;
  const heat = temperature ?? (isAnswer && topK === undefined && topP === undefined ? 0 : 0.8);
  if (lengthPenalty !== undefined && beams === undefined) throw new CliError('--length-penalty goes with --beams.');
  return {
    maxNewTokens: options.maxTokens,
    stop,
    seed: options.seed,
    ...(isDrawn && { temperature: heat }),
    ...(isDrawn && topK !== undefined && { topK }),
    ...(isDrawn && topP !== undefined && { topP }),
    ...(beams !== undefined && { numBeams: beams }),
    ...(lengthPenalty !== undefined && { lengthPenalty }),
    ...(repetitionPenalty !== undefined && { repetitionPenalty }),
    ...(ngramOnce !== undefined && { noRepeatNgramSize: ngramOnce }),
  };
}

/** Ids that texts end at: of generation_config.json where there is one, else of config.json. */
async function stopsOf(folder: string, config: Config): Promise<readonly number[]> {
  const file = inFolder(folder, 'generation_config.json');
  const own = isAddress(folder) || existsSync(file) ? await fetchedOrNone(file) : undefined;
  const found: unknown = own?.['eos_token_id'] ?? config.get('eos_token_id') ?? [];
  return [found].flat().filter((id): id is number => typeof id === 'number');
}

async function fetchedOrNone(file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    return await readJson('generate', file, {});
  } catch (error) {
    if (error instanceof NotThereError) return undefined;
    throw error;
  }
}

/** Downloads, drawn on standard error. */
function shownDownloads(terminal: Terminal): {
  readonly show: (progress: DownloadProgress) => void;
  readonly end: () => void;
} {
  const bar = new ProgressBar(terminal, undefined, false);
  let named = '';
  const show = ({ url, received, total }: DownloadProgress): void => {
    const name = printable(decodeURIComponent(url.slice(url.lastIndexOf('/') + 1)));
    if (named !== url && !terminal.isInteractive) terminal.line(`Downloading ${name}`);
    named = url;
    bar.draw((columns, style) => downloadLine({ name, received, total }, columns, style));
  };
  return { show, end: () => bar.clear() };
}
