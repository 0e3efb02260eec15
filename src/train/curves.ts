// Learning curves: the events of runs → charts, one for each metric, training and validation together.
// Must not know: files, and how charts are drawn.

import { ArgumentError, checkOptions, type OptionNames, checkHas, checkList } from '../tensor/library.js';
import { isLowerBetter } from './compare.js';
import type { Chart, Series } from './plot/chart.js';
import type { EpochEvent, RunEvent, StepEvent } from './record.js';

/** A run by its name. */
export interface NamedRun {
  readonly name: string;
  readonly events: readonly RunEvent[];
}

export interface CurveOptions {
  /** Names of metrics, or 'lr'. Default: all metrics of all runs, and the learning rate if it changes. */
  readonly metrics?: readonly string[];
  /** What the x axis is: epochs, steps or seconds. Default 'epoch'. */
  readonly x?: 'epoch' | 'step' | 'time';
  /** Logarithmic y axis for losses, errors and the learning rate. Default false. */
  readonly log?: boolean;
  /** Also the training loss of each step. Default: only for runs without a finished epoch. */
  readonly steps?: boolean;
}

const CURVE_OPTIONS: OptionNames<CurveOptions> = { metrics: true, x: true, log: true, steps: true };

const X_LABELS = { epoch: 'epoch', step: 'step', time: 'seconds' } as const;

/** A chart for each metric. Throws ArgumentError for a metric that no run has, and where there is nothing to draw. */
export function learningCurves(runs: readonly NamedRun[], options: CurveOptions = {}): Chart[] {
  checkOptions('learningCurves', options, CURVE_OPTIONS);
  const { x = 'epoch', log = false, steps } = options;
  checkList('learningCurves', 'the argument', runs, 'runs { name, events }');
  for (const run of runs) checkHas('learningCurves', 'a run', run, ['name', 'events'], 'Give { name, events }');
  const tables = runs.map(({ name, events }) => ({
    name,
    epochs: events.filter((e): e is EpochEvent => e.event === 'epoch'),
    steps: events.filter((e): e is StepEvent => e.event === 'step'),
    perEpoch: stepsPerEpoch(events),
  }));
  const found = namesOf(tables.flatMap((t) => t.epochs));
  if (!found.includes('loss') && tables.some((t) => t.steps.length > 0)) found.unshift('loss');
  const known = [...found, 'lr'];
  for (const name of options.metrics ?? []) {
    if (known.includes(name)) continue;
    throw new ArgumentError(`curves: no run has a metric '${name}'. There are ${known.join(', ')}.`);
  }
  const rates = tables.some((t) => new Set(t.epochs.map((e) => e.lr)).size > 1) ? ['lr'] : [];
  const charts = (options.metrics ?? [...found, ...rates]).map((metric): Chart => {
    const series = tables.flatMap((table, i) => {
      const prefix = tables.length > 1 ? `${table.name} ` : '';
      const look = tables.length > 1 ? i : undefined;
      const lines = curvesOf(table, metric, x, prefix, look);
      const showsSteps = metric === 'loss' && (steps ?? table.epochs.length === 0);
      return showsSteps ? [...stepCurve(table, x, prefix, i), ...lines] : lines;
    });
    return {
      title: metric === 'lr' ? 'learning rate' : metric,
      xLabel: X_LABELS[x],
      series,
      log: log && (metric === 'lr' || isLowerBetter(metric)),
    };
  });
  if (charts.every((chart) => chart.series.length === 0)) {
    throw new ArgumentError('curves: there is no finished epoch, and no step either. Wait for the first ones.');
  }
  return charts.filter((chart) => chart.series.length > 0);
}

interface Table {
  readonly name: string;
  readonly epochs: readonly EpochEvent[];
  readonly steps: readonly StepEvent[];
  readonly perEpoch: number | undefined;
}

/** Training and validation of one metric. A run among others has one colour; alone, each curve has its own. */
function curvesOf({ epochs }: Table, metric: string, x: keyof typeof X_LABELS, prefix: string, run?: number): Series[] {
  const seconds = epochs.map(
    (
      (sum) => (e: EpochEvent) =>
        (sum += e.seconds)
    )(0),
  );
  const place = (e: EpochEvent, i: number) => (x === 'epoch' ? e.epoch : x === 'step' ? e.step : seconds[i]);
  const curve = (part: 'train' | 'validation', value: (e: EpochEvent) => number | undefined): Series[] => {
    const points = epochs.map((e, i) => [place(e, i), value(e)] as const).filter(([, y]) => y !== undefined);
    if (points.length === 0) return [];
    const y = points.map((p) => p[1] as number);
    const isTrain = part === 'train';
    return [
      {
        name: `${prefix}${metric === 'lr' ? 'learning rate' : part}`,
        x: points.map((p) => p[0]),
        y,
        colour: run ?? (isTrain ? 0 : 1),
        look: run !== undefined && isTrain && metric !== 'lr' ? 'dashed' : 'solid',
        ...(!isTrain && { mark: bestOf(y, isLowerBetter(metric)) }),
      },
    ];
  };
  if (metric === 'lr') return curve('train', (e) => e.lr);
  return [...curve('train', (e) => e.train[metric]), ...curve('validation', (e) => e.validation?.[metric])];
}

function stepCurve({ steps, perEpoch, epochs }: Table, x: keyof typeof X_LABELS, prefix: string, i: number): Series[] {
  if (steps.length === 0 || x === 'time' || (x === 'epoch' && perEpoch === undefined)) return [];
  const scale = x === 'epoch' ? (perEpoch as number) : 1;
  const look = epochs.length === 0 ? 'solid' : 'faint';
  const name = `${prefix}train, each step`;
  return [{ name, x: steps.map((s) => s.step / scale), y: steps.map((s) => s.loss), colour: i, look }];
}

/** Of the epochs that are finished, else as the run has said. */
function stepsPerEpoch(events: readonly RunEvent[]): number | undefined {
  const last = events.findLast((e) => e.event === 'epoch');
  if (last !== undefined) return last.step / last.epoch;
  return events.find((e) => e.event === 'start')?.facts.stepsPerEpoch;
}

/** Loss first, then in the order of their first appearance. */
function namesOf(epochs: readonly EpochEvent[]): string[] {
  const names = new Set(epochs.flatMap((e) => [...Object.keys(e.train), ...Object.keys(e.validation ?? {})]));
  return [...names].toSorted((a, b) => Number(b === 'loss') - Number(a === 'loss'));
}

/** Place of the best finite value. */
function bestOf(values: readonly number[], isLower: boolean): number | undefined {
  let best: number | undefined;
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) return;
    if (best === undefined || (isLower ? value < values[best] : value > values[best])) best = i;
  });
  return best;
}
