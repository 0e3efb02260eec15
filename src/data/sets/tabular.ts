// The small tables that come with the package, for classification and regression: iris, wine, breast cancer, diabetes. They
// are the sets that scikit-learn distributes (BSD-3-Clause), first published at UCI (CC BY 4.0) and by Efron and others
// (2004): see the heads of assets/*.ts. No file is read, so a browser has them too.

import { type OptionNames, checkOptions } from '../../tensor/library.js';
import * as breastCancerData from '../assets/breast-cancer.js';
import * as diabetesData from '../assets/diabetes.js';
import * as irisData from '../assets/iris.js';
import * as wineData from '../assets/wine.js';
import { ArrayDataset } from '../dataset.js';
import type { Field } from '../fields.js';
import { type ColumnLayout, unpackColumns } from './packed.js';

type Features<N extends number> = Field<Float32Array, readonly [N]>;

/** x: N features; y: the class. */
export type ClassTable<N extends number> = ArrayDataset<{
  readonly x: Features<N>;
  readonly y: Field<Int32Array, readonly []>;
}>;

/** x: N features; y: the number to predict. */
export type NumberTable<N extends number> = ArrayDataset<{
  readonly x: Features<N>;
  readonly y: Field<Float32Array, readonly []>;
}>;

interface Asset {
  readonly COUNT: number;
  readonly COLUMNS: readonly ColumnLayout[];
  readonly DATA: string;
}

/** What the columns of `iris()` mean. */
export const IRIS = {
  features: ['sepal length (cm)', 'sepal width (cm)', 'petal length (cm)', 'petal width (cm)'],
  classes: ['setosa', 'versicolor', 'virginica'],
} as const;

/** What the columns of `wine()` mean. */
export const WINE = {
  features: [
    'alcohol',
    'malic acid',
    'ash',
    'alcalinity of ash',
    'magnesium',
    'total phenols',
    'flavanoids',
    'nonflavanoid phenols',
    'proanthocyanins',
    'color intensity',
    'hue',
    'od280/od315 of diluted wines',
    'proline',
  ],
  classes: ['class 0', 'class 1', 'class 2'],
} as const;

const CELL_MEASURES = [
  'radius',
  'texture',
  'perimeter',
  'area',
  'smoothness',
  'compactness',
  'concavity',
  'concave points',
  'symmetry',
  'fractal dimension',
];

/** What the columns of `breastCancer()` mean. */
export const BREAST_CANCER = {
  features: [
    ...CELL_MEASURES.map((name) => `mean ${name}`),
    ...CELL_MEASURES.map((name) => `${name} error`),
    ...CELL_MEASURES.map((name) => `worst ${name}`),
  ],
  classes: ['malignant', 'benign'],
} as const;

/** What the columns of `diabetes()` mean; the target is the progression of the disease after a year. */
export const DIABETES = {
  features: ['age', 'sex', 'bmi', 'bp', 's1', 's2', 's3', 's4', 's5', 's6'],
} as const;

/** 150 flowers of three kinds, 50 each. Items: x float32 [4] in cm, y int32. scikit-learn: load_iris. */
export function iris(): ClassTable<4> {
  return classTable(irisData, 4);
}

/** 178 wines of three cultivars. Items: x float32 [13] in the units of the analysis, y int32. scikit-learn: load_wine. */
export function wine(): ClassTable<13> {
  return classTable(wineData, 13);
}

/** 569 tumours, 212 malignant (0) and 357 benign (1). Items: x float32 [30], y int32. scikit-learn: load_breast_cancer. */
export function breastCancer(): ClassTable<30> {
  return classTable(breastCancerData, 30);
}

export interface DiabetesOptions {
  /** Features with mean 0 and a sum of squares of 1, as scikit-learn gives them. Default true; false: as measured. */
  readonly scaled?: boolean;
}

const DIABETES_OPTIONS: OptionNames<DiabetesOptions> = { scaled: true };

/** 442 patients. Items: x float32 [10], y float32, 25 to 346. scikit-learn: load_diabetes. */
export function diabetes(options: DiabetesOptions = {}): NumberTable<10> {
  checkOptions('diabetes', options, DIABETES_OPTIONS);
  const { scaled = true } = options;
  const { columns, target } = table(diabetesData);
  const features = scaled ? columns.map(scaleToUnit) : columns;
  return new ArrayDataset({ x: interleave(features, 10), y: { data: Float32Array.from(target), shape: [] } });
}

function classTable<N extends number>(asset: Asset, count: N): ClassTable<N> {
  const { columns, target } = table(asset);
  return new ArrayDataset({ x: interleave(columns, count), y: { data: Int32Array.from(target), shape: [] } });
}

function table({ COUNT, COLUMNS, DATA }: Asset): { columns: Float64Array[]; target: Float64Array } {
  const columns = unpackColumns(DATA, COLUMNS, COUNT);
  return { columns: columns.slice(0, -1), target: columns.at(-1)! };
}

function interleave<N extends number>(columns: readonly Float64Array[], count: N): Features<N> {
  const data = new Float32Array(columns[0].length * count);
  columns.forEach((column, c) => column.forEach((value, row) => (data[row * count + c] = value)));
  return { data, shape: [count] };
}

function scaleToUnit(column: Float64Array): Float64Array {
  const mean = column.reduce((a, b) => a + b, 0) / column.length;
  const norm = Math.sqrt(column.reduce((sum, v) => sum + (v - mean) ** 2, 0));
  return column.map((v) => (v - mean) / norm);
}
