// A record as the doctor reads it: the events sorted, and the few figures that most rules ask for.
// RunEvents in, plain numbers out; figures that the record does not give are undefined. Must not know: illnesses.

import type {
  CheckEvent,
  EndEvent,
  EpochEvent,
  LayerStatistics,
  LayersEvent,
  NoticeEvent,
  RunEvent,
  RunFacts,
  StepEvent,
} from '../record.js';

export interface Readings {
  readonly facts: RunFacts;
  readonly steps: readonly StepEvent[];
  readonly epochs: readonly EpochEvent[];
  readonly looks: readonly LayersEvent[];
  readonly notices: ReadonlyMap<string, NoticeEvent>;
  readonly checks: readonly CheckEvent[];
  readonly end: EndEvent | undefined;
  /** Losses of the steps (of the epochs, where no steps are recorded) up to the first that is not finite. */
  readonly losses: readonly number[];
  /** The first loss that is not finite. */
  readonly broken: { readonly step: number; readonly loss: number } | undefined;
  /** The losses, evened out over a window of 1/20 of the run. */
  readonly smooth: readonly number[];
  /** The loss of a model that knows nothing, where the kind of loss tells. */
  readonly chance: Chance | undefined;
  /** Where the run began: the loss of knowing nothing if that is known, else the first loss. */
  readonly start: number;
  /** Mean of the last tenth of the losses. */
  readonly last: number;
  /** Median over weights and looks of ‖update‖ / ‖weight‖, the first looks left out: they are special for Adam. */
  readonly updateRatio: number | undefined;
}

export interface Chance {
  readonly loss: number;
  /** How it is computed: log(10), … */
  readonly formula: string;
}

/** Sorts a record. What a resumed run repeats is read once: later events of the same step or epoch win. */
export function readingsOf(events: Iterable<RunEvent>): Readings {
  let facts: RunFacts = {};
  let end: EndEvent | undefined;
  const steps = new Map<number, StepEvent>();
  const epochs = new Map<number, EpochEvent>();
  const looks = new Map<number, LayersEvent>();
  const notices = new Map<string, NoticeEvent>();
  const checks: CheckEvent[] = [];
  const take: { readonly [K in RunEvent['event']]: (event: Extract<RunEvent, { event: K }>) => void } = {
    start: (event) => (facts = { ...facts, ...event.facts }),
    step: (event) => steps.set(event.step, event),
    epoch: (event) => epochs.set(event.epoch, event),
    layers: (event) => looks.set(event.step, event),
    notice: (event) => notices.has(event.code) || notices.set(event.code, event),
    check: (event) => checks.push(event),
    end: (event) => (end = event),
  };
  for (const event of events) {
    // Events of other versions are passed over, also one that is called `constructor`.
    if (Object.hasOwn(take, event.event)) (take[event.event] as (event: RunEvent) => void)(event);
  }
  facts = { ...seenFacts(looks.values()), ...facts, ...seenLoss(looks.values()) };
  const own = { steps: inOrder(steps), epochs: inOrder(epochs), looks: inOrder(looks) };
  return { facts, ...own, notices, checks, end, ...curveOf(own, facts) };
}

/** What the looks know of a run that did not say it at its start. */
function seenFacts(looks: Iterable<LayersEvent>): RunFacts {
  for (const { targets } of looks) if (targets?.classes !== undefined) return { classes: targets.classes };
  return {};
}

/** The losses' own names are better than those of functions around them. */
function seenLoss(looks: Iterable<LayersEvent>): RunFacts {
  for (const { targets } of looks) if (targets?.loss !== undefined) return { loss: targets.loss };
  return {};
}

function inOrder<T>(byNumber: ReadonlyMap<number, T>): T[] {
  return [...byNumber].sort(([a], [b]) => a - b).map(([, event]) => event);
}

type Sorted = Pick<Readings, 'steps' | 'epochs' | 'looks'>;
type Curve = Pick<Readings, 'losses' | 'broken' | 'smooth' | 'chance' | 'start' | 'last' | 'updateRatio'>;

function curveOf({ steps, epochs, looks }: Sorted, facts: RunFacts): Curve {
  const points =
    steps.length > 0
      ? steps.map(({ step, loss }) => ({ step, loss }))
      : epochs.flatMap(({ step, train: { loss } }) => (loss === undefined ? [] : [{ step, loss }]));
  const bad = points.findIndex(({ loss }) => !Number.isFinite(loss));
  const losses = (bad === -1 ? points : points.slice(0, bad)).map(({ loss }) => loss);
  const chance = chanceOf(facts, looks);
  return {
    losses,
    broken: points[bad],
    smooth: evened(losses, Math.max(1, Math.round(losses.length / 20))),
    chance,
    start: chance?.loss ?? losses[0] ?? NaN,
    last: mean(losses.slice(-Math.max(1, Math.round(losses.length / 10)))),
    updateRatio: median(
      (looks.length > 3 ? looks.slice(2) : looks).flatMap(({ parameters }) =>
        parameters.flatMap(({ shape, updateRatio }) =>
          updateRatio !== undefined && (shape?.length ?? 2) >= 2 ? [updateRatio] : [],
        ),
      ),
    ),
  };
}

function chanceOf({ classes, loss }: RunFacts, looks: readonly LayersEvent[]): Chance | undefined {
  const isOfClasses = loss === undefined || /cross|nll/i.test(loss);
  if (classes !== undefined && classes > 1 && isOfClasses)
    return { loss: Math.log(classes), formula: `log(${classes})` };
  if (loss !== undefined && /bce|binary/i.test(loss)) return { loss: Math.LN2, formula: 'log(2)' };
  if (loss !== undefined && /mse/i.test(loss)) {
    const squares = looks.flatMap(({ targets }) => (targets ? [targets.mean ** 2 + targets.std ** 2] : []));
    if (squares.length > 0) return { loss: mean(squares), formula: 'the mean square of the targets' };
  }
  return undefined;
}

// ---------------------------------------------------------------- figures

/** Each layer through all looks (through a part of them), by name. */
export function layerHistories(looks: readonly LayersEvent[]): Map<string, LayerStatistics[]> {
  const histories = new Map<string, LayerStatistics[]>();
  for (const { layers } of looks) {
    for (const layer of layers) {
      const history = histories.get(layer.name) ?? [];
      histories.set(layer.name, history);
      history.push(layer);
    }
  }
  return histories;
}

/** The second half: what has come of it. */
export function lateHalf<T>(list: readonly T[]): readonly T[] {
  return list.slice(Math.floor(list.length / 2));
}

/** The loss has not come down by more than `share` of where it began. */
export function isPoor({ start, last, broken }: Readings, share = 0.3): boolean {
  return broken !== undefined || !(last < start * (1 - share));
}

export function mean(list: readonly number[]): number {
  return list.reduce((sum, x) => sum + x, 0) / list.length;
}

export function median(list: readonly number[]): number | undefined {
  if (list.length === 0) return undefined;
  const sorted = [...list].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

export function deviation(list: readonly number[]): number {
  const m = mean(list);
  return Math.sqrt(mean(list.map((x) => (x - m) ** 2)));
}

/** Means over `window` neighbours. */
export function evened(list: readonly number[], window: number): number[] {
  const count = Math.max(0, list.length - window + 1);
  return Array.from({ length: count }, (_, i) => mean(list.slice(i, i + window)));
}

/** Correlation of the numbers with their order: −1 for a straight fall. */
export function trend(list: readonly number[]): number {
  const order = list.map((_, i) => i);
  const [x, y] = [mean(order), mean(list)];
  const both = mean(list.map((value, i) => (i - x) * (value - y)));
  return both / (deviation(order) * deviation(list) || 1);
}
