// The picture that `nabla fit` leaves: what a plane can show of a fitted model.

import {
  Classifier,
  KMeans,
  PCA,
  Regressor,
  decisionRegions,
  kMeansSteps,
  regressionChart,
} from '../../classic/index.js';
import { tensor } from '../../index.js';
import type { Chart, Series } from '../../train/index.js';
import type { Part } from './report.js';

/** Rows as numbers, and what their columns are called. */
export interface Pictured extends Part {
  readonly data: Float32Array;
  readonly names: readonly string[];
}

/** Charts for a model and the rows that it was scored on. */
export async function chartsOf(model: unknown, rows: Pictured, title: string): Promise<Chart[]> {
  const width = rows.names.length;
  const features: [string, string] = [rows.names[0], rows.names[1] ?? ''];
  if (model instanceof Classifier) {
    if (width === 2) return [await decisionRegions(model, rows.x, [...rows.y] as string[], { title, features })];
    return [await rightAndWrong(model, rows, title)];
  }
  if (model instanceof Regressor) {
    const y = rows.y as number[];
    if (width === 1) return [await regressionChart({ model }, rows.x, y, { title, axes: [rows.names[0], 'target'] })];
    return [await predictedAndTrue(model, rows, title)];
  }
  if (model instanceof KMeans) {
    if (width === 2) return kMeansSteps(rows.x, model.centers, { features, steps: [0] });
    return [await clustersInPlane(model, rows, title)];
  }
  if (model instanceof PCA) return componentCharts(model, rows, title);
  return [];
}

interface Plane {
  readonly points: (readonly [number, number])[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly project: (x: Parameters<PCA['transform']>[0]) => Promise<(readonly [number, number])[]>;
}

/** The two directions along which the rows vary most. */
async function planeOf({ x, names }: Pictured): Promise<Plane> {
  const pca = await new PCA({ components: Math.min(2, names.length) }).fit(x);
  const shares = await pca.explainedVarianceRatio.data();
  const label = (k: number): string => `component ${k + 1} (${(100 * (shares[k] ?? 0)).toFixed(0)} %)`;
  const project: Plane['project'] = async (rows) => {
    const list = await (await pca.transform(rows)).array();
    return list.map((row) => [row[0], row[1] ?? 0] as const);
  };
  return { points: await project(x), xLabel: label(0), yLabel: label(1), project };
}

function cloud(
  name: string,
  points: readonly (readonly [number, number])[],
  colour: number,
  look: Series['look'],
): Series {
  return { name, x: points.map((p) => p[0]), y: points.map((p) => p[1]), colour, look };
}

async function rightAndWrong(model: Classifier, rows: Pictured, title: string): Promise<Chart> {
  const plane = await planeOf(rows);
  const predicted = await model.predict(rows.x);
  const clouds = model.classes.map((label, c) =>
    cloud(
      String(label),
      plane.points.filter((_, i) => predicted[i] === label),
      c,
      'points',
    ),
  );
  const wrong = cloud(
    'wrong',
    plane.points.filter((_, i) => predicted[i] !== rows.y[i]),
    7,
    'crosses',
  );
  const series = wrong.x.length > 0 ? [...clouds, wrong] : clouds;
  return { title, xLabel: plane.xLabel, yLabel: plane.yLabel, xScale: 'linear', series, log: false };
}

async function predictedAndTrue(model: Regressor, rows: Pictured, title: string): Promise<Chart> {
  const y = rows.y as number[];
  const predicted = Array.from(await model.predict(rows.x));
  const ends = [...y].sort((a, b) => a - b);
  const [low, high] = [ends[0], ends[ends.length - 1]];
  const series: Series[] = [
    { name: 'rows', x: y, y: predicted, colour: 0, look: 'points' },
    { name: 'predicted = true', x: [low, high], y: [low, high], colour: 6, look: 'dashed' },
  ];
  return { title, xLabel: 'true', yLabel: 'predicted', xScale: 'linear', series, log: false };
}

async function clustersInPlane(model: KMeans, rows: Pictured, title: string): Promise<Chart> {
  const plane = await planeOf(rows);
  const labels = await model.predict(rows.x);
  const count = model.centers.shape[0];
  const clouds = Array.from({ length: count }, (_, c) =>
    cloud(
      `cluster ${c}`,
      plane.points.filter((__, i) => labels[i] === c),
      c,
      'points',
    ),
  );
  const centres = cloud('centres', await plane.project(model.centers), 7, 'crosses');
  return {
    title,
    xLabel: plane.xLabel,
    yLabel: plane.yLabel,
    xScale: 'linear',
    series: [...clouds, centres],
    log: false,
  };
}

async function componentCharts(model: PCA, rows: Pictured, title: string): Promise<Chart[]> {
  const shares = Array.from(await model.explainedVarianceRatio.data());
  const list = await (await model.transform(tensor(rows.data, { shape: [rows.y.length, rows.names.length] }))).array();
  const points = list.map((row) => [row[0], row[1] ?? 0] as const);
  const classes = [...new Set(rows.y)];
  const areFew = classes.length <= 10 && classes.some((label) => typeof label === 'string');
  const clouds = areFew
    ? classes.sort().map((label, c) =>
        cloud(
          String(label),
          points.filter((_, i) => rows.y[i] === label),
          c,
          'points',
        ),
      )
    : [cloud('rows', points, 0, 'points')];
  let sum = 0;
  const kept = shares.map((share) => (sum += share));
  const places = shares.map((_, k) => k + 1);
  return [
    { title, xLabel: 'component 1', yLabel: 'component 2', xScale: 'linear', series: clouds, log: false },
    {
      title: 'share of the variance',
      xLabel: 'component',
      series: [
        { name: 'each', x: places, y: shares, colour: 0, look: 'solid' },
        { name: 'together', x: places, y: kept, colour: 1, look: 'solid' },
      ],
      log: false,
    },
  ];
}
