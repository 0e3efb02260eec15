// `nabla fit`: a classical model for a table. Splits, fits, scores; leaves model, picture and results in a folder.

import { join } from 'node:path';
import { PCA, componentImages, crossValidate } from '../../classic/index.js';
import { type CsvTable, TableEncoder } from '../../data/index.js';
import { ArgumentError, FormatError, disposeDevices, tensor } from '../../index.js';
import { encodePng } from '../../io/index.js';
import { chartSvg, formatJson } from '../../train/index.js';
import { useDevice } from '../device.js';
import { CliError } from '../errors.js';
import { makeClassifier, makeRegressor, makeUnsupervised, readOptions } from '../fit/models.js';
import { KINDS, type Kind, type KindName } from '../fit/names.js';
import { type Pictured, chartsOf } from '../fit/picture.js';
import {
  type Results,
  classifierResults,
  clusterResults,
  componentResults,
  regressorResults,
  resultLines,
} from '../fit/report.js';
import { type NamedTable, isSet, openTable } from '../fit/tables.js';
import { writeOutput } from '../output-file.js';
import { MODEL_FILE } from '../predict/estimator.js';
import { oneLine, printable } from '../printable.js';
import { createFolder, createFreeFolder } from '../run-folder.js';
import { commandLine } from '../self.js';
import { type Terminal, grouped, terminalOf } from '../terminal.js';

interface Options {
  readonly target?: string;
  readonly task?: 'classification' | 'regression';
  readonly set?: Readonly<Record<string, string>>;
  readonly test: number;
  readonly folds?: number;
  readonly seed: number;
  readonly out?: string;
  readonly device: string;
  readonly json?: true;
}

export async function fit(kind: KindName, data: string, options: Options): Promise<void> {
  useDevice(options.device);
  const terminal = terminalOf(process.stdout);
  try {
    await fitTable(kind, openTable(data), data, options, terminal);
  } catch (error) {
    // Options of the model and values of the table come from the command line: what is wrong with them is no fault of ours.
    if (error instanceof ArgumentError || error instanceof FormatError) throw new CliError(oneLine(error));
    throw error;
  } finally {
    await disposeDevices();
  }
}

async function fitTable(
  kind: KindName,
  named: NamedTable,
  data: string,
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const { predicts, isScaled }: Kind = KINDS[kind];
  const target = options.target ?? named.target;
  const isSupervised = predicts !== 'nothing';
  if (target === undefined && isSupervised)
    throw new CliError(
      `which column is to be predicted? Name it with --target: ${named.table.names.map(printable).join(', ')}.`,
    );
  if (target !== undefined) named.table.column(target); // says which there are
  const task = taskOf(kind, predicts, named.table, target, options.task);
  const stratify = task === 'classification' ? target : undefined;
  const { train, test } = splitOf(named.table, options, stratify, isSupervised);
  const encoder = TableEncoder.fit(train, {
    ...(target !== undefined && { target }),
    ...(task !== undefined && { task }),
    ...(!isScaled && { columns: plainNumbers(train, target) }),
    missing: 'fill',
  });
  const own = partOf(encoder, train, target, task);
  const rest = test.length > 0 ? partOf(encoder, test, target, task) : own;
  const settings = readOptions(options.set ?? {});
  const fitted = await fitAndScore(kind, task, settings, own, rest, options);
  const folder =
    options.out === undefined ? createFreeFolder(`fit-${kind}`) : createFolder(options.out, 'create the folder');
  const facts = {
    model: kind,
    data: named.name,
    ...(target !== undefined && { target }),
    ...(task !== undefined && { task }),
  };
  await fitted.model.save(join(folder, MODEL_FILE), { ...facts, encoder: JSON.stringify(encoder) });
  const picture = join(folder, 'picture.svg');
  await writeOutput(picture, chartSvg(await chartsOf(fitted.model, rest, `${kind} on ${named.name}`)));
  if (fitted.model instanceof PCA && named.image !== undefined)
    await writeOutput(join(folder, 'components.png'), encodePng(await componentImages(fitted.model, named.image)));
  const report = { ...facts, rows: { train: train.length, test: test.length }, options: settings, ...fitted.results };
  await writeOutput(join(folder, 'results.json'), `${formatJson(report)}\n`);
  if (options.json) return terminal.line(formatJson({ ...report, folder }));
  const { style } = terminal;
  terminal.line(style.bold(`${kind} on ${printable(named.name)}`));
  terminal.line();
  const parts =
    test.length > 0
      ? `${grouped(train.length)} rows to fit, ${grouped(test.length)} to score`
      : `${grouped(train.length)} rows`;
  terminal.line(
    `  ${style.dim('data')}  ${parts}, ${encoder.width} features${target === undefined ? '' : `; target ${printable(target)}`}`,
  );
  terminal.line();
  for (const line of resultLines(fitted.results, style.dim)) terminal.line(line);
  terminal.line();
  terminal.line(`Model, picture and results are in ${printable(folder)}.`);
  if (!isSet(data)) terminal.line(`Next: ${commandLine('predict', data, '--weights', folder)}`);
}

type Task = 'classification' | 'regression' | undefined;

function taskOf(
  kind: KindName,
  predicts: Kind['predicts'],
  table: CsvTable,
  target: string | undefined,
  asked: Task,
): Task {
  if (predicts === 'nothing' || target === undefined) return target === undefined ? undefined : asked;
  if (predicts === 'either') return asked ?? (table.column(target).kind === 'text' ? 'classification' : 'regression');
  const own = predicts === 'classes' ? 'classification' : 'regression';
  if (asked !== undefined && asked !== own) throw new CliError(`--task ${asked}: ${kind} does ${own}.`);
  if (own === 'regression' && table.column(target).kind === 'text')
    throw new CliError(
      `${kind} predicts numbers, and column '${printable(target)}' is text. Use knn, logistic, softmax, svm, bayes, tree or forest.`,
    );
  return own;
}

/** Without a target all rows are fitted. */
function splitOf(
  table: CsvTable,
  { test, seed }: Options,
  stratify: string | undefined,
  isSupervised: boolean,
): { train: CsvTable; test: CsvTable } {
  if (!isSupervised) return { train: table, test: table.subset([]) };
  const parts = table.split({ train: 1 - test, test }, { seed, ...(stratify !== undefined && { stratify }) });
  if (parts.train.length === 0) throw new CliError(`--test ${test} leaves no row to fit. Use a smaller share.`);
  return parts;
}

function plainNumbers(table: CsvTable, target: string | undefined): Record<string, 'number'> {
  const names = table.names.filter((name) => name !== target && table.column(name).kind === 'number');
  return Object.fromEntries(names.map((name) => [name, 'number']));
}

function partOf(encoder: TableEncoder, table: CsvTable, target: string | undefined, task: Task): Pictured {
  const { data } = encoder.encode(table);
  const x = tensor(data, { shape: [table.length, encoder.width] });
  const y = target === undefined ? Array.from(table.lines) : targetsOf(table, target, task);
  return { x, y, data, names: encoder.names };
}

function targetsOf(table: CsvTable, target: string, task: Task): (string | number)[] {
  const { values, missing, kind } = table.column(target);
  if (task !== undefined && missing.length > 0) throw table.fault(`column '${target}' has no value`, missing[0]);
  if (task === 'regression' || (task === undefined && kind === 'number')) return Array.from<string | number>(values);
  return Array.from<string | number, string>(values, String);
}

async function fitAndScore(
  kind: KindName,
  task: Task,
  settings: Readonly<Record<string, unknown>>,
  own: Pictured,
  rest: Pictured,
  options: Options,
) {
  if (kind === 'kmeans' || kind === 'pca') {
    const model = await makeUnsupervised(kind, settings).fit(own.x);
    return {
      model,
      results: model instanceof PCA ? await componentResults(model) : await clusterResults(model, own.y.length),
    };
  }
  const folds = options.folds === undefined ? undefined : { folds: options.folds, seed: options.seed };
  const validated = (scores: { mean: number; std: number } | undefined, name: string): Results =>
    scores === undefined ? {} : { [name]: scores.mean, deviation: scores.std };
  const classifier = task === 'classification' ? makeClassifier(kind, settings) : undefined;
  if (classifier !== undefined) {
    const labels = own.y as string[];
    const scores = folds && (await crossValidate(classifier, own.x, labels, folds));
    const model = await classifier.fit(own.x, labels);
    return {
      model,
      results: { ...(await classifierResults(model, own, rest)), ...validated(scores, 'crossValidationAccuracy') },
    };
  }
  const regressor = makeRegressor(kind, settings);
  if (regressor === undefined) throw new CliError(`${kind} does no regression.`);
  const numbers = own.y as number[];
  const scores = folds && (await crossValidate(regressor, own.x, numbers, folds));
  const model = await regressor.fit(own.x, numbers);
  return {
    model,
    results: { ...(await regressorResults(model, own, rest)), ...validated(scores, 'crossValidationR2') },
  };
}
