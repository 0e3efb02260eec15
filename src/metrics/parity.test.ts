// Metrics against scikit-learn and sacrebleu: in batches of different sizes, and in a step that is captured and replayed.
import { describe, expect, test } from 'vitest';
import { type AnyTensor, compile, setDevice, tensor } from '../index.js';
import { expectNear, readFixture } from '../../test/support/pytorch.js';
import {
  AUROC,
  Accuracy,
  AveragePrecision,
  Bleu,
  type BleuOptions,
  CalibrationError,
  CohenKappa,
  ConfusionMatrix,
  F1,
  FBeta,
  MatthewsCorrelation,
  MeanAbsoluteError,
  MeanIoU,
  MeanSquaredError,
  type Metric,
  Perplexity,
  Precision,
  R2Score,
  Recall,
  RootMeanSquaredError,
  TopKAccuracy,
  TopKError,
} from './index.js';

interface Table {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
type Averages = Record<'micro' | 'macro' | 'weighted' | 'binary', Record<string, number>>;
interface Labelled {
  readonly scores: Table;
  readonly labels: readonly number[];
  readonly accuracy: number;
  readonly kappa: number;
  readonly mcc: number;
  readonly averages: Averages;
}
interface Fixture {
  readonly multiclass: Labelled & {
    readonly perClassF1: readonly number[];
    readonly foreground: number;
    readonly confusion: readonly number[][];
    readonly confusionTrue: readonly number[][];
    readonly topk: Record<string, number>;
    readonly perplexity: number;
    readonly ece: Record<string, number>;
    readonly auroc: readonly number[];
    readonly averagePrecision: readonly number[];
    readonly weights: readonly number[];
  };
  readonly binary: Labelled & { readonly auroc: number; readonly averagePrecision: number };
  readonly multilabel: Labelled;
  readonly regression: { readonly output: Table; readonly target: Table } & Record<
    'mae' | 'mse' | 'rmse' | 'r2',
    number
  >;
  readonly bleu: {
    readonly sets: Record<string, readonly { readonly candidate: string; readonly references: readonly string[] }[]>;
    readonly cases: readonly {
      readonly set: string;
      readonly options: Readonly<Record<string, unknown>>;
      readonly score: number;
      readonly precisions: readonly number[];
      readonly bp: number;
      readonly length: number;
      readonly referenceLength: number;
    }[];
  };
}

const { multiclass, binary, multilabel, regression, bleu } = readFixture<Fixture>('metrics.json');

type Batches = readonly (readonly [AnyTensor, AnyTensor])[];
/** Rows cut at these places: unequal batches, one of them empty. */
const CUTS = [0, 17, 17, 18];

function batches(output: Table, target: readonly number[], dtype: 'int32' | 'float32', isLabel: boolean): Batches {
  const rows = output.shape[0];
  const part = (
    data: readonly number[],
    from: number,
    to: number,
    type: 'int32' | 'float32',
    shape: readonly number[],
  ) => {
    const width = data.length / rows;
    const numbers = data.slice(from * width, to * width);
    const typed = type === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers);
    return tensor(typed as never, { shape: [to - from, ...shape] as number[], dtype: type }) as unknown as AnyTensor;
  };
  return CUTS.map((from, i) => {
    const to = CUTS[i + 1] ?? rows;
    const inner = output.shape.slice(1);
    return [
      part(output.data, from, to, 'float32', inner),
      part(target, from, to, dtype, isLabel ? [] : inner),
    ] as const;
  });
}

/** Ten equal batches, as a captured step sees them. */
function equalBatches(output: Table, target: readonly number[], dtype: 'int32' | 'float32', isLabel: boolean): Batches {
  const rows = output.shape[0];
  const size = rows / 10;
  const cut = (data: readonly number[], b: number) =>
    data.slice((b * size * data.length) / rows, ((b + 1) * size * data.length) / rows);
  return Array.from({ length: 10 }, (_, b) => {
    const inner = output.shape.slice(1);
    const x = tensor(Float32Array.from(cut(output.data, b)) as never, { shape: [size, ...inner] as number[] });
    const numbers = cut(target, b);
    const y = tensor((dtype === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers)) as never, {
      shape: [size, ...(isLabel ? [] : inner)] as number[],
      dtype,
    });
    return [x as unknown as AnyTensor, y as unknown as AnyTensor];
  });
}

async function results(metrics: readonly Metric<number | number[][]>[], given: Batches): Promise<unknown[]> {
  for (const [x, y] of given) for (const metric of metrics) metric.update(x, y);
  return Promise.all(metrics.map((metric) => metric.compute()));
}

/** The same through compile: captured in the first call, replayed in the others; twice, with a reset between. */
async function captured(metrics: readonly Metric<number | number[][]>[], given: Batches): Promise<unknown[]> {
  const step = compile((x: AnyTensor, y: AnyTensor) => {
    for (const metric of metrics) metric.update(x, y);
  });
  for (const [x, y] of given.slice(0, 3)) await step(x, y);
  await metrics[0].compute();
  for (const metric of metrics) metric.reset();
  for (const [x, y] of given) await step(x, y);
  expect(step.captures).toBe(1);
  return Promise.all(metrics.map((metric) => metric.compute()));
}

async function expectMetrics(
  make: () => readonly (readonly [Metric<number | number[][]>, unknown])[],
  source: readonly [Table, readonly number[], 'int32' | 'float32', boolean],
): Promise<void> {
  for (const [how, given] of [
    [results, batches(...source)],
    [captured, equalBatches(...source)],
  ] as const) {
    const rows = make();
    const actual = await how(
      rows.map(([metric]) => metric),
      given,
    );
    rows.forEach(([metric, wanted], i) => {
      if (typeof wanted !== 'number') return expect(actual[i]).toEqual(wanted);
      expectNear([actual[i] as number], [wanted], `${metric.name}, ${how.name}`);
    });
  }
}

const byAverage = (averages: Averages): (readonly [Metric, number])[] =>
  (Object.keys(averages) as (keyof Averages)[]).flatMap((average) => {
    const wanted = averages[average];
    return [
      [new Precision({ average }), wanted.precision],
      [new Recall({ average }), wanted.recall],
      [new F1({ average }), wanted.f1],
      [new FBeta(2, { average }), wanted.f2],
      [new FBeta(0.5, { average }), wanted['f0.5']],
      [new MeanIoU({ average }), wanted.iou],
    ] as const;
  });

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const weighted = (values: readonly number[], weights: readonly number[]) =>
  values.reduce((sum, v, i) => sum + v * weights[i], 0) / weights.reduce((a, b) => a + b, 0);

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test('classes', async () => {
    setDevice(device);
    const { scores, labels, accuracy, kappa, mcc, averages, confusion, topk, perplexity, ece } = multiclass;
    await expectMetrics(
      () => [
        [new Accuracy(), accuracy],
        [new CohenKappa(), kappa],
        [new MatthewsCorrelation(), mcc],
        ...byAverage(averages),
        [new F1({ labels: [1, 2, 3] }), multiclass.foreground],
        [new ConfusionMatrix(), confusion],
        [new ConfusionMatrix({ normalize: 'true' }), multiclass.confusionTrue],
        ...[1, 2, 3].map((k) => [new TopKAccuracy(k), topk[k]] as const),
        [new TopKError(2), 1 - topk[2]],
        [new Perplexity(), perplexity],
        [new CalibrationError({ bins: 10 }), ece[10]],
        [new CalibrationError(), ece[15]],
        [new AUROC({ capacity: 128 }), mean(multiclass.auroc)],
        [new AUROC({ average: 'weighted', capacity: 128 }), weighted(multiclass.auroc, multiclass.weights)],
        [new AveragePrecision({ capacity: 128 }), mean(multiclass.averagePrecision)],
      ],
      [scores, labels, 'int32', true],
    );
  });

  test('two classes by one score', async () => {
    setDevice(device);
    const { scores, labels, accuracy, kappa, mcc, averages } = binary;
    await expectMetrics(
      () => [
        [new Accuracy(), accuracy],
        [new CohenKappa(), kappa],
        [new MatthewsCorrelation(), mcc],
        ...byAverage(averages),
        [new F1(), averages.binary.f1],
        [new AUROC({ capacity: 128 }), binary.auroc],
        [new AveragePrecision({ capacity: 128 }), binary.averagePrecision],
      ],
      [scores, labels, 'float32', true],
    );
  });

  test('several labels a sample', async () => {
    setDevice(device);
    const { scores, labels, accuracy, averages } = multilabel;
    await expectMetrics(
      () => [[new Accuracy(), accuracy], ...byAverage(averages), [new F1(), averages.macro.f1]],
      [scores, labels, 'float32', false],
    );
  });

  test('numbers', async () => {
    setDevice(device);
    const { output, target, mae, mse, rmse, r2 } = regression;
    await expectMetrics(
      () => [
        [new MeanAbsoluteError(), mae],
        [new MeanSquaredError(), mse],
        [new RootMeanSquaredError(), rmse],
        [new R2Score(), r2],
      ],
      [output, target.data, 'float32', false],
    );
  });
});

test('F1 of each class', async () => {
  setDevice('cpu');
  const f1 = new F1();
  for (const [x, y] of batches(multiclass.scores, multiclass.labels, 'int32', true)) f1.update(x, y);
  const perClass = await f1.perClass();
  expect(perClass.at(-1)).toBeNaN(); // neither label nor prediction
  perClass.slice(0, -1).forEach((value, c) => expect(value).toBeCloseTo(multiclass.perClassF1[c], 12));
});

const NAMES: Readonly<Record<string, string>> = {
  smooth_method: 'smoothing',
  smooth_value: 'smoothingValue',
  max_ngram_order: 'maxOrder',
  effective_order: 'effectiveOrder',
};

test.each(bleu.cases)(
  'BLEU of $set with $options',
  ({ set, options, score, precisions, bp, length, referenceLength }) => {
    const named = Object.fromEntries(Object.entries(options).map(([key, value]) => [NAMES[key] ?? key, value]));
    const metric = new Bleu(named as BleuOptions);
    for (const { candidate, references } of bleu.sets[set]) metric.update([candidate], [references]);
    const actual = metric.compute();
    expect(actual).toMatchObject({ length, referenceLength });
    expect(actual.brevityPenalty).toBeCloseTo(bp, 12);
    expect(actual.score).toBeCloseTo(score, 9);
    actual.precisions.forEach((p, i) => expect(p).toBeCloseTo(precisions[i], 10));
  },
);
