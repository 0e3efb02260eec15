// Metrics of an order: areas under the ROC and the precision-recall curve. They need all scores at once: updates write
// them into a buffer on the device, which grows outside captured steps; `compute` sorts them on the host, exactly.

import { arange } from '../tensor/creation.js';
import { cat, where } from '../tensor/functions.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import {
  ArgumentError,
  checkOptions,
  eachRun,
  formatShape,
  inUnit,
  isRecording,
  type OptionNames,
  runPending,
  sameShape,
  ShapeError,
  stored,
} from '../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { checkTarget, classDimOf, probabilitiesOf, truthOf } from './labels.js';
import {
  type Bools,
  CollectedMetric,
  type Collection,
  type Ints,
  clear,
  settle,
  storedNumbers,
  storedZeros,
} from './state.js';

export interface RankingOptions {
  /** A label that counts nowhere. None by default. */
  readonly ignoreIndex?: number;
  /** Over classes: each counts the same, or as often as it occurs. Default 'macro'. */
  readonly average?: 'macro' | 'weighted';
  /**
   * Samples that can be held, where a captured step writes them. Default 2¹⁸ divided by the number of classes. Outside
   * captured steps there is no limit.
   */
  readonly capacity?: number;
}

const RANKING_OPTIONS: OptionNames<RankingOptions> = { ignoreIndex: true, average: true, capacity: true };

const DEFAULT_CAPACITY = 2 ** 18;
const FIRST_CAPACITY = 1024;
const IGNORED = -1;

/** Rows of scores with their label, in the order of their arrival. */
class ScoreStore implements Collection {
  /** [capacity, C] and [capacity]. */
  private scores: Tensor | undefined;
  private labels: Ints | undefined;
  private rows: AnyTensor | undefined;
  private count = 0;
  private isCaptured = false;
  private readonly op: string;
  private readonly asked: number | undefined;

  constructor(op: string, capacity: number | undefined) {
    this.op = op;
    this.asked = capacity;
    if (capacity !== undefined && !(Number.isInteger(capacity) && capacity > 0))
      throw new ArgumentError(`${op}: capacity is ${capacity}. Use a whole number above 0.`);
  }

  add(scores: Tensor, labels: Ints): void {
    const [entering, classes] = scores.shape;
    if (this.scores !== undefined && this.scores.shape[1] !== classes) {
      throw new ShapeError(
        `${this.op}: scores of ${classes} classes, earlier ones of ${this.scores.shape[1]}. Use one metric for each.`,
        [scores.shape, this.scores.shape],
      );
    }
    if (entering === 0) return;
    settle([this.scores, this.labels, this.rows].filter((t) => t !== undefined));
    this.isCaptured ||= isRecording();
    this.reserve(this.count + entering, scores);
    const advance = (): void => {
      this.count += entering;
      const capacity = (this.scores as Tensor).shape[0];
      if (this.count <= capacity) return;
      this.count -= entering;
      throw new ArgumentError(
        `${this.op}: more than ${capacity} samples in captured steps. Pass a larger capacity, or call reset() more often.`,
      );
    };
    inUnit(() => {
      eachRun(advance, () => void (this.count -= entering));
      this.write(scores, labels);
    });
  }

  /** Rows from the device's own counter on, so that a replay writes behind what is there. */
  private write(scores: Tensor, labels: Ints): void {
    const [table, column, rows] = [this.scores as Tensor, this.labels as Ints, this.rows as Ints];
    const last = scores.shape[0] - 1;
    const at = arange(table.shape[0]).sub(rows) as Ints;
    const isNew = (at.ge(0) as Bools).logicalAnd(at.le(last) as Bools) as Bools;
    const from = at.clamp(0, last) as Ints;
    table.assign_(where(isNew.unsqueeze(1) as Bools, scores.indexSelect(0, from) as Tensor, table));
    column.assign_(where(isNew, labels.indexSelect(0, from) as Ints, column));
    (rows as AnyTensor).assign_(rows.add(last + 1));
  }

  private reserve(needed: number, like: Tensor): void {
    const classes = like.shape[1];
    const most = this.asked ?? Math.max(FIRST_CAPACITY, Math.floor(DEFAULT_CAPACITY / classes));
    const capacity = this.scores?.shape[0] ?? 0;
    if (needed <= capacity || (this.isCaptured && capacity >= most)) return;
    const wanted = this.isCaptured
      ? most
      : Math.max(FIRST_CAPACITY, 2 ** Math.ceil(Math.log2(needed)), this.asked ?? 0);
    const more = wanted - capacity;
    const [scores, labels] = [
      storedZeros(like, [more, classes], 'float32') as Tensor,
      storedZeros(like, [more], 'int32') as Ints,
    ];
    this.rows ??= storedZeros(like, [], 'int32');
    const table = this.scores === undefined ? scores : (stored(cat([this.scores, scores])) as Tensor);
    const column = this.labels === undefined ? labels : (stored(cat([this.labels, labels])) as Ints);
    runPending();
    [this.scores, this.labels] = [table, column];
  }

  /** Everything that counts: scores of each class, and labels. */
  async read(): Promise<{ scores: Float64Array[]; labels: number[] }> {
    if (this.scores === undefined || this.labels === undefined) return { scores: [], labels: [] };
    const classes = this.scores.shape[1];
    const [flat, all] = [await this.scores.data(), await this.labels.data()];
    const kept = Array.from({ length: this.count }, (_, i) => i).filter((i) => all[i] !== IGNORED);
    const scores = Array.from({ length: classes }, (_, c) => Float64Array.from(kept, (i) => flat[i * classes + c]));
    return { scores, labels: kept.map((i) => all[i]) };
  }

  /** [] or the number of classes, then the rows, then their labels. */
  async dump(): Promise<number[]> {
    if (this.count === 0 || this.scores === undefined || this.labels === undefined) return [];
    const classes = this.scores.shape[1];
    const [flat, labels] = [await this.scores.data(), await this.labels.data()];
    return [classes, ...flat.subarray(0, this.count * classes), ...labels.subarray(0, this.count)];
  }

  merge(dumps: readonly (readonly number[])[]): number[] {
    const given = dumps.filter(({ length }) => length > 0);
    if (given.length === 0) return [];
    const [[classes]] = given;
    if (given.some(([other]) => other !== classes))
      throw new ShapeError(
        `${this.op}: the processes have scores of different numbers of classes. Use one metric for each.`,
      );
    const rowsOf = (dump: readonly number[]): number => ((dump.length - 1) / (classes + 1)) * classes;
    const scores = given.flatMap((dump) => dump.slice(1, 1 + rowsOf(dump)));
    const labels = given.flatMap((dump) => dump.slice(1 + rowsOf(dump)));
    return [classes].concat(scores, labels);
  }

  load([classes, ...numbers]: readonly number[]): void {
    this.reset();
    if (classes === undefined) return;
    const rows = numbers.length / (classes + 1);
    if (!Number.isInteger(rows))
      throw new ArgumentError(`${this.op}: the state is not one of this metric. Restore what its state() gave.`);
    const scores = storedNumbers(numbers.slice(0, rows * classes), [rows, classes], 'float32', this.scores) as Tensor;
    withoutGrad(() =>
      this.add(scores, storedNumbers(numbers.slice(rows * classes), [rows], 'int32', this.scores) as Ints),
    );
  }

  reset(): void {
    this.count = 0;
    if (this.rows === undefined) return;
    clear([this.rows]);
  }
}

abstract class Ranking extends CollectedMetric {
  readonly better = 'higher';
  protected readonly collected: ScoreStore;
  private readonly options: RankingOptions;

  constructor(options: RankingOptions = {}) {
    checkOptions(new.target.name, options, RANKING_OPTIONS);
    super();
    const { average } = options;
    if (average !== undefined && average !== 'macro' && average !== 'weighted')
      throw new ArgumentError(`${this.constructor.name}: average is '${String(average)}'. Use 'macro' or 'weighted'.`);
    this.options = options;
    this.collected = new ScoreStore(this.constructor.name, options.capacity);
  }

  /** The area of one class: scores, and which of them are its own. NaN where it is not defined. */
  protected abstract area(ranked: Ranked): number;

  update(output: AnyTensor, target: AnyTensor): void {
    const op = this.constructor.name;
    checkTensor(output, op, 'the output');
    checkTensor(target, op, 'the target');
    withoutGrad(() => {
      const isBinary = sameShape(output.shape, target.shape) || output.shape[1] === 1;
      if (isBinary && output.size !== target.size)
        throw new ShapeError(
          `${op}: output ${formatShape(output.shape)} and target ${formatShape(target.shape)} differ`,
          [output.shape, target.shape],
        );
      if (isBinary && output.rank > 1 && !output.shape.slice(1).every((n) => n === 1))
        throw new ArgumentError(`${op}: several labels a sample. Use one metric for each label.`);
      const dim = isBinary ? undefined : classDimOf(op, output);
      if (!isBinary) checkTarget(op, output, target, dim);
      const { truth, valid } = truthOf(
        op,
        target,
        this.options.ignoreIndex,
        isBinary ? 2 : output.shape[dim as number],
      );
      const labels = (valid === undefined ? truth : where(valid, truth, IGNORED)).reshape([-1]) as Ints;
      this.collected.add(isBinary ? output.to('float32').reshape([-1, 1]) : probabilities(output), labels);
    });
  }

  /** Of each class against the others; one number for a single score. */
  async perClass(): Promise<number[]> {
    const { scores, labels } = await this.collected.read();
    const isOne = scores.length === 1;
    return scores.map((s, c) => this.area(rank(s, labels, isOne ? 1 : c)));
  }

  async compute(): Promise<number> {
    const { scores, labels } = await this.collected.read();
    if (scores.some((s) => s.some(Number.isNaN))) return NaN;
    if (scores.length === 1) return this.area(rank(scores[0], labels, 1));
    const weights = scores.map((_, c) => labels.filter((label) => label === c).length);
    let [sum, total] = [0, 0];
    scores.forEach((s, c) => {
      const value = weights[c] === 0 ? NaN : this.area(rank(s, labels, c));
      if (Number.isNaN(value)) return; // the class does not occur, or nothing else does
      const weight = this.options.average === 'weighted' ? weights[c] : 1;
      sum += weight * value;
      total += weight;
    });
    return sum / total;
  }
}

/** Rows of class probabilities: scores of different samples must be comparable. */
function probabilities(output: AnyTensor): Tensor {
  const p = probabilitiesOf(output as Tensor, 1);
  const order = [0, ...Array.from({ length: p.rank - 2 }, (_, i) => i + 2), 1];
  return p.permute(order).reshape([-1, p.shape[1]]);
}

/** Positive and negative samples at and above each distinct score, from the highest on. */
interface Ranked {
  readonly steps: readonly (readonly [positives: number, negatives: number])[];
  readonly positives: number;
  readonly negatives: number;
}

function rank(scores: Float64Array, labels: readonly number[], positive: number): Ranked {
  const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a]);
  const steps: [number, number][] = [];
  let [positives, negatives] = [0, 0];
  order.forEach((i, place) => {
    if (labels[i] === positive) positives++;
    else negatives++;
    const next = order[place + 1];
    if (next === undefined || scores[next] !== scores[i]) steps.push([positives, negatives]);
  });
  return { steps, positives, negatives };
}

/**
 * Area under the ROC curve: the probability that a sample of the class scores higher than one of the others. One score a
 * sample and labels of 0 and 1, or scores [N, C, …] and int32 labels, each class against the rest. NaN if only one of the
 * two occurs. scikit-learn: roc_auc_score (multi_class='ovr').
 */
export class AUROC extends Ranking {
  readonly name = 'auroc';

  protected area({ steps, positives, negatives }: Ranked): number {
    let [area, tp, fp] = [0, 0, 0];
    for (const [p, n] of steps) {
      area += ((n - fp) * (p + tp)) / 2;
      [tp, fp] = [p, n];
    }
    return area / (positives * negatives);
  }
}

/** Area under the precision-recall curve, Σ (Rₙ − Rₙ₋₁) Pₙ. scikit-learn: average_precision_score. */
export class AveragePrecision extends Ranking {
  readonly name = 'averagePrecision';

  protected area({ steps, positives }: Ranked): number {
    let [area, tp] = [0, 0];
    for (const [p, n] of steps) {
      area += (p - tp) * (p / (p + n));
      tp = p;
    }
    return area / positives;
  }
}
