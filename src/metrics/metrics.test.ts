// Metrics at their edges: nothing seen, classes absent, NaN, ignored labels, wrong arguments; and state that stays exact
// over long runs and inside training steps.
import { beforeEach, describe, expect, test } from 'vitest';
import {
  ArgumentError,
  type AnyTensor,
  IndexError,
  ShapeError,
  compile,
  engineStats,
  setDevice,
  tensor,
} from '../index.js';
import { Linear, crossEntropy } from '../nn/index.js';
import { SGD } from '../optim/index.js';
import {
  AUROC,
  Accuracy,
  AveragePrecision,
  Bleu,
  CalibrationError,
  CohenKappa,
  ConfusionMatrix,
  Dice,
  F1,
  FBeta,
  IoU,
  MatthewsCorrelation,
  Mean,
  MeanIoU,
  MeanLoss,
  MeanSquaredError,
  Perplexity,
  Precision,
  R2Score,
  Recall,
  Stopwatch,
  TopKAccuracy,
} from './index.js';
import { Counts } from './state.js';

const ints = (...values: number[]) => tensor(Int32Array.from(values), { shape: [values.length] }) as AnyTensor;
const table = (...rows: number[][]) => tensor(rows) as unknown as AnyTensor;
const floats = (...values: number[]) => tensor(values) as unknown as AnyTensor;

beforeEach(() => setDevice('cpu'));

test.each([
  new Accuracy(),
  new TopKAccuracy(2),
  new F1(),
  new MeanIoU(),
  new CohenKappa(),
  new MatthewsCorrelation(),
  new MeanLoss(crossEntropy),
  new Perplexity(),
  new MeanSquaredError(),
  new R2Score(),
  new AUROC(),
  new AveragePrecision(),
  new CalibrationError(),
])('$name of nothing is NaN', async (metric) => {
  expect(await metric.compute()).toBeNaN();
  metric.reset();
  expect(await metric.compute()).toBeNaN();
});

test('reset starts afresh', async () => {
  for (const metric of [new Accuracy(), new F1(), new AUROC()]) {
    metric.update(table([2, 1], [1, 2]), ints(1, 0));
    expect(await metric.compute()).toBe(0);
    metric.reset();
    metric.update(table([2, 1], [1, 2]), ints(0, 1));
    expect(await metric.compute()).toBe(1);
  }
  const r2 = new R2Score();
  r2.update(floats(1, 2, 9), floats(5, 1, 2));
  r2.reset();
  r2.update(floats(1, 2, 3), floats(1, 2, 3));
  expect(await r2.compute()).toBe(1);
});

test('a metric goes on from its state, in another object and in its own', async () => {
  const x = table([3, 1, 0], [1, 2, 1], [0, 0, 4], [2, 2.5, 0]);
  const [y, z] = [ints(0, 2, 2, 1), table([3, 1, 1], [1, 2, 2], [0, 1, 3], [2, 2, 1])];
  const kinds = [
    Accuracy,
    F1,
    CohenKappa,
    ConfusionMatrix,
    Perplexity,
    CalibrationError,
    AUROC,
    MeanSquaredError,
    R2Score,
  ];
  for (const Kind of kinds) {
    const target = Kind === MeanSquaredError || Kind === R2Score ? z : y;
    const [metric, other] = [new Kind(), new Kind()];
    metric.update(x, target);
    const state = JSON.parse(JSON.stringify(await metric.state())) as number[];
    metric.update(x.neg() as AnyTensor, target);
    const wanted = await metric.compute();
    for (const again of [metric, other]) {
      again.restore(state);
      again.update(x.neg() as AnyTensor, target);
      expect(await again.compute()).toEqual(wanted);
    }
    other.restore(await new Kind().state());
    other.update(x, target);
    metric.reset();
    metric.update(x, target);
    expect(await other.compute()).toEqual(await metric.compute());
  }
  expect(() => new Accuracy().restore([1, 2, 3])).toThrow('Restore what its state() gave');
});

describe('classes', () => {
  test('the first of equal scores is the prediction', async () => {
    const [accuracy, top2] = [new Accuracy(), new TopKAccuracy(2)];
    for (const metric of [accuracy, top2]) metric.update(table([1, 1, 1], [1, 1, 1], [1, 1, 1]), ints(0, 1, 2));
    expect(await accuracy.compute()).toBeCloseTo(1 / 3);
    expect(await top2.compute()).toBeCloseTo(2 / 3);
  });

  test('a sample with NaN counts as wrong', async () => {
    const [x, y] = [table([NaN, 0], [NaN, NaN], [0, 1]), ints(0, 0, 1)];
    const metrics = [new Accuracy(), new TopKAccuracy(1), new Recall({ average: 'micro' })];
    for (const metric of metrics) {
      metric.update(x, y);
      expect(await metric.compute()).toBeCloseTo(1 / 3);
    }
    const confusion = new ConfusionMatrix();
    confusion.update(x, y);
    expect(await confusion.compute()).toEqual([
      [0, 0],
      [0, 1],
    ]);
    const binary = new Accuracy();
    binary.update(floats(NaN, 3, -1), ints(0, 1, 0));
    expect(await binary.compute()).toBeCloseTo(2 / 3);
  });

  test('ignored labels count nowhere', async () => {
    const [x, y] = [table([2, 1], [1, 2], [1, 2], [5, 0]), ints(0, 1, -100, -100)];
    const options = { ignoreIndex: -100 };
    for (const metric of [new Accuracy(options), new TopKAccuracy(1, options), new F1(options), new AUROC(options)]) {
      metric.update(x, y);
      expect(await metric.compute()).toBe(1);
    }
    const [confusion, perplexity] = [new ConfusionMatrix(options), new Perplexity(options)];
    const loss = new MeanLoss((o, t) => crossEntropy(o, t, options), options);
    for (const metric of [confusion, perplexity, loss]) metric.update(x, y);
    expect((await confusion.compute()).flat()).toEqual([1, 0, 0, 1]);
    expect(await perplexity.compute()).toBeCloseTo(1 + Math.exp(-1), 6);
    expect(await loss.compute()).toBeCloseTo(Math.log(1 + Math.exp(-1)), 6);
  });

  test('a batch of ignored labels only does not spoil a mean loss', async () => {
    const options = { ignoreIndex: 9 };
    const loss = new MeanLoss((o, t) => crossEntropy(o, t, options), options);
    loss.update(table([0, 0]), ints(1));
    loss.update(table([0, 0]), ints(9));
    expect(await loss.compute()).toBeCloseTo(Math.log(2), 6);
  });

  test('pixels: intersection over union and Dice, classes in dimension 1 or last', async () => {
    const truth = tensor(Int32Array.from([0, 1, 1, 1]), { shape: [1, 4, 1] }) as AnyTensor;
    const predicted = tensor(Int32Array.from([0, 0, 1, 1]), { shape: [1, 4, 1] });
    const last = predicted.oneHot(2) as AnyTensor;
    const first = last.permute([0, 3, 1, 2]) as AnyTensor;
    for (const [scores, classDim] of [[first, 1] as const, [last, -1] as const]) {
      const rows = [
        [new IoU({ classDim }), 2 / 3],
        [new MeanIoU({ classDim }), (1 / 2 + 2 / 3) / 2],
        [new Dice({ classDim }), 4 / 5],
      ] as const;
      for (const [metric, wanted] of rows) {
        metric.update(scores, truth);
        expect(await metric.compute()).toBeCloseTo(wanted, 12);
      }
    }
    expect(() => new IoU().update(last, truth)).toThrow('classDim: -1');
  });

  test('class numbers and truth values', async () => {
    const f1 = new F1({ numClasses: 3 });
    f1.update(ints(0, 1, 2, 2), ints(0, 1, 2, 1));
    expect(await f1.perClass()).toEqual([1, 2 / 3, 2 / 3]);
    const accuracy = new Accuracy();
    accuracy.update(ints(7, 8), ints(7, 9));
    expect(await accuracy.compute()).toBe(0.5);
    const precision = new Precision();
    precision.update(floats(1, 0, 1).gt(0.5), floats(1, 1, 0).gt(0.5));
    expect(await precision.compute()).toBe(0.5);
  });

  test('probabilities are compared with 0.5, logits with 0', async () => {
    const [logits, truth] = [floats(-1, 0.2, 2), ints(0, 1, 1)];
    for (const scores of [logits, logits.sigmoid() as AnyTensor]) {
      const accuracy = new Accuracy();
      accuracy.update(scores, truth);
      expect(await accuracy.compute()).toBe(1);
    }
  });

  test('0 / 0 is what zeroDivision says', async () => {
    for (const zeroDivision of [0, 1]) {
      const precision = new Precision({ zeroDivision });
      precision.update(floats(-1, -1), ints(1, 0));
      expect(await precision.compute()).toBe(zeroDivision);
    }
  });
});

describe('wrong arguments are named', () => {
  const rows: [string, () => unknown, new (...args: never[]) => Error][] = [
    [
      'target [3] does not fit output [2, 2]: needs [2]',
      () => new Accuracy().update(table([1, 2], [1, 2]), ints(0, 1, 1)),
      ShapeError,
    ],
    [
      "labels are float32. Convert with to('int32')",
      () => new Accuracy().update(table([1, 2], [1, 2]), floats(0, 1)),
      Error,
    ],
    ['Pass { numClasses }', () => new F1().update(ints(1), ints(1)), ArgumentError],
    [
      "average is 'binary', but there are 3 classes",
      () => new F1({ average: 'binary' }).update(table([1, 2, 3]), ints(1)),
      ArgumentError,
    ],
    ["Use 'binary', 'micro', 'macro' or 'weighted'", () => new F1({ average: 'mean' as 'macro' }), ArgumentError],
    ['beta is 0', () => new FBeta(0), ArgumentError],
    ['k is 3, but there are 2 classes', () => new TopKAccuracy(3).update(table([1, 2]), ints(1)), ArgumentError],
    ['k is 0.5', () => new TopKAccuracy(0.5), ArgumentError],
    ['labels contain 7', () => new F1({ labels: [7] }).update(table([1, 2]), ints(1)), ArgumentError],
    ['several labels a sample', () => new ConfusionMatrix().update(table([1, 2]), table([1, 0])), ArgumentError],
    ['Use output.reshape([2])', () => new MeanSquaredError().update(table([1], [2]), floats(1, 2)), ShapeError],
    ['takes logits', () => new Perplexity().update(ints(1), ints(1)), Error],
    ['the loss gives 2 numbers', () => new MeanLoss((o) => o).update(floats(1, 2), ints(1)), ArgumentError],
    ['weight is -1', () => new Mean().update(floats(1), -1), ArgumentError],
    ['bins is 0', () => new CalibrationError({ bins: 0 }), ArgumentError],
    ['capacity is 0', () => new AUROC({ capacity: 0 }), ArgumentError],
    ['2 candidates, 1 references', () => new Bleu().update(['a', 'b'], ['a']), ArgumentError],
    ['sentence 0 has no reference', () => new Bleu().update(['a'], [[]]), ArgumentError],
    ["Use 'none', 'floor', 'add-k', 'exp'", () => new Bleu({ smoothing: 'log' as 'exp' }), ArgumentError],
    ['lap without start', () => new Stopwatch().lap(), ArgumentError],
  ];
  test.each(rows)('%s', (text, act, kind) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(text);
  });

  test('another number of classes than before', () => {
    const f1 = new F1();
    f1.update(table([1, 2]), ints(1));
    expect(() => f1.update(table([1, 2, 3]), ints(1))).toThrow('Call reset()');
  });

  test('a label that is no class', async () => {
    for (const metric of [new F1(), new ConfusionMatrix(), new Perplexity(), new TopKAccuracy(1)]) {
      metric.update(table([1, 2]), ints(2));
      await expect(metric.compute()).rejects.toThrow(IndexError);
    }
    const confusion = new ConfusionMatrix({ numClasses: 2 });
    confusion.update(ints(2), ints(0));
    await expect(confusion.compute()).rejects.toThrow(IndexError);
  });
});

describe('long runs', () => {
  test('a mean keeps what float32 would lose', async () => {
    const mean = new Mean();
    const step = compile((x: AnyTensor) => mean.update(x));
    const [big, small] = [floats(2 ** 25, 2 ** 25), floats(0.5, 0.5)];
    await step(big);
    for (let i = 0; i < 400; i++) await step(small);
    expect(await mean.compute()).toBe((2 ** 26 + 400) / 802);
  });

  test('infinity stays, NaN stays', async () => {
    for (const value of [Infinity, -Infinity, NaN]) {
      const mean = new Mean();
      for (const x of [1, value, 1]) mean.update(floats(x));
      expect(await mean.compute()).toBe(value);
    }
  });

  test('counts go beyond 2³²', async () => {
    const counts = new Counts('test');
    for (let i = 0; i < 10; i++) counts.add(ints(2 ** 30 - 1, 3));
    expect(await counts.read()).toEqual([10 * (2 ** 30 - 1), 30]);
  });

  test('R² of targets far from 0', async () => {
    const r2 = new R2Score();
    for (let i = 0; i < 50; i++) r2.update(floats(1000 + i, 1001 + i), floats(1000 + i, 1002 + i));
    const y = Array.from({ length: 50 }, (_, i) => [1000 + i, 1002 + i]).flat();
    const mean = y.reduce((a, b) => a + b) / 100;
    const spread = y.reduce((sum, v) => sum + (v - mean) ** 2, 0);
    expect(await r2.compute()).toBeCloseTo(1 - 50 / spread, 5);
  });

  test('scores beyond the first buffer; a captured step says when its buffer is full', async () => {
    const auroc = new AUROC();
    for (let i = 0; i < 5; i++) {
      const x = Array.from({ length: 1000 }, (_, j) => j + i / 10);
      auroc.update(floats(...x), ints(...x.map((_, j) => (j >= 500 ? 1 : 0))));
    }
    expect(await auroc.compute()).toBe(1);
    const small = new AUROC({ capacity: 5 });
    const step = compile((x: AnyTensor, y: AnyTensor) => small.update(x, y));
    await step(floats(1, 2), ints(0, 1));
    await step(floats(1, 2), ints(0, 1));
    await expect(step(floats(1, 2), ints(0, 1))).rejects.toThrow('Pass a larger capacity');
    expect(await small.compute()).toBe(1);
    small.reset();
    await step(floats(3, 2), ints(0, 1));
    expect(await small.compute()).toBe(0);
  });
});

test('in a training step metrics are part of its program; between updates nothing waits for long', async () => {
  const model = new Linear(4, 3);
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const [accuracy, loss, f1] = [new Accuracy(), new Mean('loss'), new F1()];
  const x = table([1, 0, 0, 1], [0, 1, 1, 0]);
  const y = ints(0, 2);
  const train = async () => {
    optimizer.zeroGrad();
    const output = model.forward(x as never) as AnyTensor;
    const value = crossEntropy(output, y);
    accuracy.update(output, y);
    f1.update(output, y);
    loss.update(value, 2);
    value.backward();
    await optimizer.step();
  };
  await train();
  const before = engineStats().runs;
  for (let i = 0; i < 3; i++) await train();
  expect(engineStats().runs - before).toBe(3);
  const alone = engineStats().runs;
  for (let i = 0; i < 3; i++) accuracy.update(model.forward(x as never) as AnyTensor, y);
  expect(engineStats().runs - alone).toBe(2);
  await accuracy.compute();
  expect(await loss.compute()).toBeGreaterThan(0);
});

test('a stopwatch', () => {
  let time = 0;
  const watch = new Stopwatch({ warmup: 1, now: () => time });
  expect(watch.timing().medianMs).toBeNaN();
  watch.start();
  for (const ms of [500, 10, 20, 30, 40]) {
    time += ms;
    expect(watch.lap(8)).toBe(ms);
  }
  time += 5;
  watch.pause();
  time += 1000;
  watch.start();
  time += 5;
  watch.lap(8);
  expect(watch.timing()).toMatchObject({ steps: 5, samples: 40, medianMs: 20, meanMs: 22, minMs: 10 });
  expect(watch.timing().samplesPerSecond).toBeCloseTo(40 / 0.11, 6);
  watch.reset();
  expect(watch.timing().steps).toBe(0);
});
