// Charts of what estimators have learned: regions of classes, steps of k-means, lines through points, components as images.
//   Estimators and rows in, charts of nabla/train out (`chartSvg`, `chartText`), or images for `encodePng`.

import { contactSheet } from '../data/contact-sheet.js';
import type { HostImage } from '../data/transform.js';
import {
  ArgumentError,
  type OptionNames,
  checkHas,
  checkList,
  checkNumbers,
  checkOptions,
  checkRecord,
  checkWhole,
} from '../tensor/library.js';
import type { Chart, Series } from '../train/plot/chart.js';
import type { Classifier, Regressor } from './estimator.js';
import { KMeans } from './k-means.js';
import { type Label, type Labels, readLabelList } from './labels.js';
import type { PCA } from './pca.js';
import { type Matrix, type Rows, type Targets, readRows, readTargets, tensorOf } from './rows.js';
import { largest } from '../tensor/extremes.js';

export interface RegionOptions {
  /** Default 'decision regions'. */
  readonly title?: string;
  /** What the two features are called. Default ['x0', 'x1']. */
  readonly features?: readonly [string, string];
  /** What the classes are called, in the order of `model.classes`. Default: as they are. */
  readonly classes?: readonly string[];
  /** Cells along each axis. Default 120. */
  readonly resolution?: number;
}

const REGION_OPTIONS: OptionNames<RegionOptions> = { title: true, features: true, classes: true, resolution: true };

/**
 * Which class is predicted where, for a classifier of two features, and the rows on top in the colours of their own classes.
 *
 *     await writeFile('regions.svg', chartSvg([await decisionRegions(model, x, y)]));
 */
export async function decisionRegions(
  model: Classifier,
  x: Rows,
  y: Labels,
  options: RegionOptions = {},
): Promise<Chart> {
  const op = 'decisionRegions';
  checkHas(op, 'the model', model, ['predict', 'classes'], 'Give a fitted classifier');
  checkOptions(op, options, REGION_OPTIONS);
  const { title = 'decision regions', features = ['x0', 'x1'], resolution = 120 } = options;
  checkWhole(op, 'resolution', resolution, 2);
  const rows = await readRows(op, x);
  if (rows.columns !== 2)
    throw new ArgumentError(
      `${op}: x has ${rows.columns} features, and a plane has two. Fit a model to two of them, or to new PCA({ components: 2 }).`,
    );
  const labels = await readLabelList(op, y, rows.rows);
  const names = options.classes ?? model.classes.map(String);
  if (names.length !== model.classes.length)
    throw new ArgumentError(`${op}: there are ${names.length} names for ${model.classes.length} classes.`);
  const [across, up] = [endsOf(rows, 0), endsOf(rows, 1)];
  const grid = gridOf(across, up, resolution);
  const places = new Map<Label, number>(model.classes.map((label, i) => [label, i]));
  const values = Float64Array.from(await model.predict(tensorOf(grid)), (label) => places.get(label) ?? NaN);
  const series = model.classes.map((label, i) => cloud(names[i], rows, (row) => labels[row] === label, i));
  const area = { x: across, y: up, columns: resolution, rows: resolution, values, kind: 'classes' as const };
  return { title, xLabel: features[0], yLabel: features[1], xScale: 'linear', series, log: false, area };
}

/** Points that are chosen from the rows, by their first two columns. */
function cloud(name: string, { data, rows, columns }: Matrix, has: (row: number) => boolean, colour: number): Series {
  const own = Array.from({ length: rows }, (_, i) => i).filter(has);
  return {
    name,
    x: own.map((i) => data[i * columns]),
    y: own.map((i) => data[i * columns + 1]),
    colour,
    look: 'points',
  };
}

/** Ends of a column with some room. */
function endsOf({ data, rows, columns }: Matrix, column: number): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < rows; i++) {
    low = Math.min(low, data[i * columns + column]);
    high = Math.max(high, data[i * columns + column]);
  }
  const room = (high - low) * 0.06 || 1;
  return [low - room, high + room];
}

function gridOf(across: readonly [number, number], up: readonly [number, number], resolution: number): Matrix {
  const data = new Float64Array(2 * resolution * resolution);
  const at = ([low, high]: readonly [number, number], i: number): number =>
    low + ((high - low) * (i + 0.5)) / resolution;
  for (let i = 0; i < resolution * resolution; i++) {
    data[2 * i] = at(across, i % resolution);
    data[2 * i + 1] = at(up, Math.floor(i / resolution));
  }
  return { data, rows: resolution * resolution, columns: 2 };
}

export interface StepOptions {
  /** Steps that are drawn: the beginning is 0. Default [0, 1, 2, and the last]. */
  readonly steps?: readonly number[];
  /** What the two features are called. Default ['x0', 'x1']. */
  readonly features?: readonly [string, string];
}

const STEP_OPTIONS: OptionNames<StepOptions> = { steps: true, features: true };

/**
 * Steps of k-means on rows with two features, from its beginning to its end: the rows in the colours of their clusters, centres as crosses,
 * and the regions that are nearest to each. `init` are the first centres [clusters, 2].
 *
 *     chartSvg(await kMeansSteps(x, [[0, 0], [1, 1], [2, 0]]));
 */
export async function kMeansSteps(x: Rows, init: Rows, options: StepOptions = {}): Promise<Chart[]> {
  const op = 'kMeansSteps';
  checkOptions(op, options, STEP_OPTIONS);
  const { features = ['x0', 'x1'] } = options;
  if (options.steps !== undefined) checkNumbers(op, 'steps', options.steps);
  const rows = await readRows(op, x);
  const first = await readRows(op, init);
  if (rows.columns !== 2 || first.columns !== 2)
    throw new ArgumentError(`${op}: x has ${rows.columns} features, init ${first.columns}. A plane has two.`);
  const clusters = first.rows;
  const own = tensorOf(rows);
  const whole = await new KMeans({ clusters, init: tensorOf(first) }).fit(own);
  const last = whole.iterations;
  const steps = options.steps ?? [...new Set([0, 1, 2, last])].filter((step) => step <= last);
  const [across, up] = [endsOf(rows, 0), endsOf(rows, 1)];
  const charts: Chart[] = [];
  for (const step of steps) {
    checkWhole(op, 'a step', step);
    // The centres after some steps are those of a run that ends there.
    const centres =
      step === 0
        ? first
        : await readRows(
            op,
            (await new KMeans({ clusters, init: tensorOf(first), maxIterations: step, tolerance: 0 }).fit(own)).centers,
          );
    const resolution = 100;
    const values = nearestOf(gridOf(across, up, resolution), centres);
    const labels = nearestOf(rows, centres);
    const clouds = Array.from({ length: clusters }, (_, c) =>
      cloud(`cluster ${c}`, rows, (row) => labels[row] === c, c),
    );
    const marks = { ...cloud('centres', centres, () => true, 7), look: 'crosses' as const };
    charts.push({
      title: step === 0 ? 'beginning' : `step ${step}${step === last ? ', the last' : ''}`,
      xLabel: features[0],
      yLabel: features[1],
      xScale: 'linear',
      series: [...clouds, marks],
      log: false,
      area: { x: across, y: up, columns: resolution, rows: resolution, values, kind: 'classes' },
    });
  }
  return charts;
}

function nearestOf(x: Matrix, centres: Matrix): Float64Array {
  return Float64Array.from({ length: x.rows }, (_, i) => {
    let [best, least] = [0, Infinity];
    for (let c = 0; c < centres.rows; c++) {
      const far = (x.data[2 * i] - centres.data[2 * c]) ** 2 + (x.data[2 * i + 1] - centres.data[2 * c + 1]) ** 2;
      if (far < least) [best, least] = [c, far];
    }
    return best;
  });
}

export interface FitChartOptions {
  /** Default 'regression'. */
  readonly title?: string;
  /** What the feature and the target are called. Default ['x', 'y']. */
  readonly axes?: readonly [string, string];
}

const FIT_OPTIONS: OptionNames<FitChartOptions> = { title: true, axes: true };

/**
 * Rows with one feature, and what regressors predict between their ends, each by its name.
 *
 *     chartSvg([await regressionChart({ line: linear, tree }, x, y)]);
 */
export async function regressionChart(
  models: Readonly<Record<string, Regressor>>,
  x: Rows,
  y: Targets,
  options: FitChartOptions = {},
): Promise<Chart> {
  const op = 'regressionChart';
  checkRecord(op, 'the argument', models, 'fitted regressors');
  checkOptions(op, options, FIT_OPTIONS);
  const { title = 'regression', axes = ['x', 'y'] } = options;
  const rows = await readRows(op, x);
  if (rows.columns !== 1) throw new ArgumentError(`${op}: x has ${rows.columns} features. Give rows of one.`);
  const targets = await readTargets(op, y, rows.rows);
  const [low, high] = endsOf(rows, 0);
  const line = Array.from({ length: 301 }, (_, i) => low + ((high - low) * i) / 300);
  const curves: Series[] = [];
  for (const [name, model] of Object.entries(models)) {
    checkHas(op, `'${name}'`, model, ['predict'], 'Give fitted regressors by name');
    const predicted = await model.predict(line.map((v) => [v]));
    curves.push({ name, x: line, y: Array.from(predicted), colour: curves.length + 1, look: 'solid' });
  }
  const points: Series = { name: 'rows', x: Array.from(rows.data), y: Array.from(targets), colour: 0, look: 'points' };
  return { title, xLabel: axes[0], yLabel: axes[1], xScale: 'linear', series: [points, ...curves], log: false };
}

/**
 * Components as images of a height and a width, grey in the middle, black below, white above; the mean comes first. An RGB image for
 * `encodePng`.
 *
 *     await writeFile('components.png', encodePng(await componentImages(pca, [8, 8])));
 */
export async function componentImages(
  pca: PCA,
  shape: readonly [height: number, width: number],
): Promise<HostImage<readonly [3, number, number], Uint8Array>> {
  const op = 'componentImages';
  checkHas(op, 'the argument', pca, ['components', 'explainedVarianceRatio'], 'Give a fitted PCA');
  checkList(op, 'the shape', shape, 'two numbers, [height, width]');
  const [height, width] = shape;
  if (height * width !== pca.features)
    throw new ArgumentError(`${op}: ${height} × ${width} pixels are not ${pca.features} features.`);
  const [mean, directions, shares] = await Promise.all([
    pca.mean.data(),
    pca.components.data(),
    pca.explainedVarianceRatio.data(),
  ]);
  const image = (values: ArrayLike<number>, from: number, low: number, high: number): HostImage => ({
    data: Float32Array.from({ length: height * width }, (_, i) => (values[from + i] - low) / (high - low || 1)),
    shape: [1, height, width],
  });
  const ends = (values: ArrayLike<number>, from: number): [number, number] => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = 0; i < height * width; i++) {
      low = Math.min(low, values[from + i]);
      high = Math.max(high, values[from + i]);
    }
    return [low, high];
  };
  const images = [image(mean, 0, ...ends(mean, 0))];
  const labels = ['MEAN'];
  for (let k = 0; k < shares.length; k++) {
    const from = k * height * width;
    const most = largest(ends(directions, from).map(Math.abs));
    images.push(image(directions, from, -most, most));
    labels.push(`${(100 * shares[k]).toFixed(1)}%`);
  }
  return contactSheet(images, { labels });
}
