// `nabla run`: computes the outputs of a model (ONNX, a run folder, transformers' files, a network by name) for inputs from files.

import { disposeDevices, realize } from '../../index.js';
import { labelsOf } from '../class-labels.js';
import { useDevice } from '../device.js';
import { allowDownloads } from '../downloads.js';
import { CliError } from '../errors.js';
import { printable, printableData } from '../printable.js';
import { type Timing, printTiming, timed } from '../run/bench.js';
import { type Feeds, madeUpInputs, readInputs } from '../run/inputs.js';
import { resultFormatOf, writeResults } from '../run/output-file.js';
import {
  type Ranking,
  type Result,
  tokenLogits,
  printRanking,
  printResults,
  rank,
  readResults,
} from '../run/results.js';
import { type OpenOptions, type Runnable, openRunnable } from '../run/runnable.js';
import { type Terminal, terminalOf } from '../terminal.js';

export interface RunOptions extends OpenOptions {
  readonly input?: readonly string[];
  readonly preprocess?: string;
  readonly rate?: number;
  /** A file with a name a line, or the name of a data set. */
  readonly labels?: string;
  readonly top?: number;
  readonly output?: string;
  readonly bench?: number;
  readonly seed: number;
  readonly device: string;
  readonly json?: true;
}

const TOP = 5;

export async function runModel(source: string, options: RunOptions): Promise<void> {
  useDevice(options.device);
  allowDownloads(options);
  if (options.output !== undefined) resultFormatOf(options.output);
  const terminal = terminalOf(process.stdout);
  try {
    const begin = performance.now();
    const model = await openRunnable(source, options);
    const load = performance.now() - begin;
    const feeds = await feedsOf(model, options);
    const started = performance.now();
    const outputs = await model.run(feeds.numbers);
    await realize(...Object.values(outputs));
    const first = performance.now() - started;
    if (options.bench !== undefined) {
      const timing = await timed(model, feeds.numbers, options.bench, options.device, { load, first });
      tellTiming(terminal, model, feeds, timing, options);
      if (options.output === undefined) return;
    }
    const results = await readResults(outputs);
    if (options.output !== undefined) await writeResults(options.output, results);
    if (options.bench !== undefined) return;
    await tell(terminal, model, feeds, results, options);
  } finally {
    await disposeDevices();
  }
}

async function feedsOf(model: Runnable, { input = [], bench, ...options }: RunOptions): Promise<Feeds> {
  if (input.length > 0) return readInputs(model, input, options);
  if (bench !== undefined) return madeUpInputs(model, options.seed);
  const list = model.inputs.map(
    ({ name, dtype, shape }) => `${name} ${dtype ?? ''} [${shape?.map((n) => n ?? '?').join(', ') ?? '…'}]`,
  );
  throw new CliError(`nothing to run it on. It takes ${list.join('; ')}: give --input, or --bench 20 to measure it.`);
}

function tellTiming(terminal: Terminal, model: Runnable, { notes }: Feeds, timing: Timing, { json }: RunOptions): void {
  if (json) return terminal.line(JSON.stringify(printableData({ model: model.what, ...timing })));
  terminal.line(terminal.style.bold(printable(model.what)));
  for (const note of notes) terminal.line(terminal.style.dim(printable(note)));
  printTiming(terminal, timing);
}

async function tell(
  terminal: Terminal,
  model: Runnable,
  feeds: Feeds,
  results: readonly Result[],
  options: RunOptions,
): Promise<void> {
  const { names, notes } = feeds;
  const ranking = await rankingOf(model, results, feeds, options);
  if (options.json) {
    for (const { name, tensor, data } of results)
      terminal.line(
        JSON.stringify(
          printableData({ output: name, dtype: tensor.dtype, shape: tensor.shape, data: Array.from(data) }),
        ),
      );
    ranking?.rows.forEach((row, i) => terminal.line(JSON.stringify(printableData({ input: names[i], classes: row }))));
    return;
  }
  for (const note of notes) terminal.line(terminal.style.dim(printable(note)));
  if (ranking === undefined) printResults(terminal, results);
  else printRanking(terminal, ranking, names);
  if (options.output !== undefined) terminal.line(printable(options.output));
}

/** The most probable classes, where the model has such or they are asked for. */
async function rankingOf(
  model: Runnable,
  results: readonly Result[],
  feeds: Feeds,
  options: RunOptions,
): Promise<Ranking | undefined> {
  const { top = TOP } = options;
  const next = tokenLogits(model, results, feeds);
  if (next !== undefined) {
    const labels = model.characters ?? [];
    const { rows, output } = await rank([next], { top, labels: labels.length > 0 ? labels : undefined });
    const { tokenizer } = model;
    const text = (index: number, label: string): string =>
      JSON.stringify(tokenizer?.decode([index], { skipSpecialTokens: false }) ?? label);
    return { output, rows: rows.map((row) => row.map((one) => ({ ...one, label: text(one.index, one.label) }))) };
  }
  const labels = (await labelsOf(options.labels)) ?? model.classes;
  if (labels === undefined && options.top === undefined) return undefined;
  return rank(results, { top, labels });
}
