import { type Tensor, compile, manualSeed, noGrad } from 'nabla';
import { type CsvTable, HostRandom, TableEncoder, iris, parseCsv } from 'nabla/data';
import { Linear, ReLU, Sequential, crossEntropy, mseLoss } from 'nabla/nn';
import { AdamW } from 'nabla/optim';

export interface Settings {
  /** A CSV file with names in its first line; empty: the irises. */
  file: string;
  /** The column that is to be predicted; empty: the last. */
  target: string;
  task: string;
  width: number;
  rate: number;
  steps: number;
  seed: number;
}

/** Texts with more values than that are names or numbers of rows: nothing to learn from. */
const CATEGORIES = 30;
const STEPS_A_FRAME = 10;

/** Commas, semicolons or tabs, whatever the first line has most of. */
function readTable(text: string): CsvTable {
  const first = text.slice(0, Math.max(0, text.indexOf('\n')));
  const count = (sign: string): number => first.split(sign).length;
  const delimiter = [',', ';', '\t'].reduce((a, b) => (count(b) > count(a) ? b : a));
  return parseCsv(text, { delimiter });
}

function irises(): string {
  const set = iris();
  const [x, y] = [set.column('x'), set.column('y')];
  const rows = Array.from(y, (kind, i) => [...x.slice(4 * i, 4 * i + 4).map((v) => Math.round(10 * v) / 10), ['setosa', 'versicolor', 'virginica'][kind]].join()); // prettier-ignore
  return ['sepal length,sepal width,petal length,petal width,kind', ...rows].join('\n');
}

/** Trains a network with one hidden layer on a table, and shows what it makes of rows that it has not seen. */
export async function* run(settings: Settings) {
  manualSeed(settings.seed);
  const whole = readTable(settings.file.trim() === '' ? irises() : settings.file);
  const target = settings.target.trim() || (whole.names.at(-1) ?? '');
  const { kind, values } = whole.column(target);
  const table = whole.complete([target]);
  if (table.length < 12)
    throw new Error(`File: ${table.length} rows have a value for '${target}'. At least 12 are needed.`);

  const isFew =
    kind === 'number' && new Set(values).size <= 10 && values.every((v) => Number.isInteger(v) || Number.isNaN(v));
  const isClasses = settings.task === 'classes' || (settings.task !== 'numbers' && (kind === 'text' || isFew));
  const left = table.names.filter((name) => {
    const column = table.column(name);
    return name !== target && column.kind === 'text' && new Set(column.values).size > CATEGORIES;
  });
  const features = table.names.filter((name) => name !== target && !left.includes(name));
  if (features.length === 0) throw new Error('File: there is no column left to predict from.');
  const { train, test } = table.split(
    { train: 0.75, test: 0.25 },
    { seed: settings.seed, ...(isClasses ? { stratify: target } : {}) },
  );
  const task = isClasses ? 'classification' : 'regression';
  const encoder = TableEncoder.fit(train, { target, task, features, missing: 'fill' });
  if (encoder.classes.length > CATEGORIES)
    throw new Error(`Target: '${target}' has ${encoder.classes.length} classes; up to ${CATEGORIES} are shown here.`);

  const all = (rows: number) => Array.from({ length: rows }, (_, i) => i);
  /** Features and targets of a part, classes that training did not have left out. */
  const partOf = async (part: CsvTable) => {
    const labels = isClasses ? encoder.labels(part) : undefined;
    const there = part.subset(all(part.length).filter((i) => labels === undefined || labels[i] >= 0));
    const set = isClasses ? encoder.classification(there) : encoder.regression(there);
    const batch = (rows: number[]) => {
      const { x, y } = set.batch(rows);
      return { x, y: y.to('float32') };
    };
    const { x, y } = batch(all(there.length));
    return { x, y, truth: Array.from(await y.data()), batch };
  };
  const [known, held] = [await partOf(train), await partOf(test)];
  // Numbers to predict are standardised, too, so that one learning rate does for prices and for shares.
  const mean = known.truth.reduce((sum, v) => sum + v, 0) / known.truth.length;
  const deviation = Math.sqrt(known.truth.reduce((sum, v) => sum + (v - mean) ** 2, 0) / known.truth.length) || 1;

  const outputs = isClasses ? encoder.classes.length : 1;
  const model = new Sequential(
    new Linear(encoder.width, settings.width),
    new ReLU(),
    new Linear(settings.width, outputs),
  );
  const optimizer = new AdamW(model.parameters(), { lr: settings.rate, weightDecay: 0.01 });
  const lossOf = (x: Tensor<[number, number]>, y: Tensor): Tensor =>
    isClasses
      ? crossEntropy(model.forward(x), y.to('int32').reshape([x.shape[0]]))
      : mseLoss(model.forward(x), y.sub(mean).div(deviation).reshape([x.shape[0], 1]));
  const step = compile(async (x: Tensor<[number, number]>, y: Tensor) => {
    optimizer.zeroGrad();
    const loss = lossOf(x, y);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const random = new HostRandom(settings.seed);
  const rows = known.truth.length;
  const batchSize = Math.min(64, rows);
  const at: number[] = [];
  const losses: [train: number[], test: number[]] = [[], []];

  for (let done = 0; ; done++) {
    if (done % STEPS_A_FRAME === 0 || done === settings.steps) {
      const predict = async (x: Tensor<[number, number]>): Promise<number[]> =>
        noGrad(async () => {
          const output = model.forward(x);
          if (isClasses) return Array.from(await output.argmax(1).data());
          return Array.from(await output.mul(deviation).add(mean).data());
        });
      at.push(done);
      losses[0].push(await noGrad(() => lossOf(known.x, known.y)).item());
      losses[1].push(await noGrad(() => lossOf(held.x, held.y)).item());
      const predicted = await predict(held.x);
      const right = predicted.filter((value, i) => value === held.truth[i]).length / predicted.length;
      const squares = held.truth.map((value, i) => (value - predicted[i]) ** 2);
      const meanSquare = squares.reduce((a, b) => a + b, 0) / squares.length;
      const centre = held.truth.reduce((a, b) => a + b, 0) / held.truth.length;
      const variance = held.truth.reduce((sum, v) => sum + (v - centre) ** 2, 0) / held.truth.length;
      yield {
        values: {
          step: done,
          predicts: target,
          from: `${features.length} columns of ${rows} rows`,
          ...(left.length > 0 ? { 'left out': left.join(', ').slice(0, 80) } : {}),
          ...(isClasses
            ? { 'right of the rest': right }
            : { 'R² on the rest': 1 - meanSquare / variance, 'off by (root mean square)': Math.sqrt(meanSquare) }),
        },
        at: [...at],
        losses: losses.map((curve) => [...curve]),
        classes: encoder.classes,
        truth: held.truth,
        predicted,
        names: encoder.names,
      };
      if (done === settings.steps) return;
    }
    const batch = known.batch(Array.from({ length: batchSize }, () => random.below(rows)));
    await step(batch.x, batch.y);
  }
}
