// `nabla fit` and what `nabla predict` makes of its folders: sets of the package and CSV files, results, pictures, and what is refused.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandLine } from '../../test/support/command-line.js';
import { KNeighborsClassifier, loadEstimator } from '../classic/index.js';
import { KINDS } from './fit/names.js';

let folder: string;
const before = process.cwd();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-fit-'));
  process.chdir(folder);
  const rows = Array.from({ length: 60 }, (_, i) => {
    const kind = ['apple', 'pear', 'plum'][i % 3];
    return `${[150, 180, 40][i % 3] + (i % 7)};${['red', 'green', 'blue'][(i + (i > 50 ? 1 : 0)) % 3]};${i % 3};${kind}`;
  });
  writeFileSync('fruit.csv', ['mass;colour;code;kind', ...rows].join('\n'));
  writeFileSync('new.csv', 'mass;colour;code\n152;red;0\n41;blue;2\n');
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

/** One command line: its exit code, and what it prints. */
const nabla = (...args: string[]) => commandLine(args);

const SCORED: Readonly<Record<string, [data: string, least: number, ...string[]]>> = {
  knn: ['wine', 0.9],
  kmeans: ['blobs', 0, '--set', 'clusters=3'],
  pca: ['digits', 0, '--set', 'components=4'],
  linear: ['diabetes', 0.3],
  ridge: ['diabetes', 0.3],
  lasso: ['diabetes', 0.3, '--set', 'alpha=0.5'],
  logistic: ['moons', 0.8],
  softmax: ['iris', 0.9, '--folds', '3'],
  svm: ['breast-cancer', 0.9],
  bayes: ['iris', 0.9],
  tree: ['iris', 0.9, '--set', 'maxDepth=3'],
  forest: ['diabetes', 0.2, '--set', 'count=10'],
};

test.each(Object.keys(KINDS))('fit %s', async (kind) => {
  const [data, least, ...more] = SCORED[kind];
  const out = `out-${kind}`;
  const { code, out: text, err } = await nabla('fit', kind, data, '--out', out, '--json', ...more);
  expect([code, err]).toEqual([0, '']);
  const report = JSON.parse(text) as Record<string, number>;
  if (least > 0) expect(report['accuracy'] ?? report['r2']).toBeGreaterThan(least);
  if (kind === 'softmax') expect(report['crossValidationAccuracy']).toBeGreaterThan(0.9);
  if (kind === 'kmeans') expect(report['sizes']).toHaveLength(3);
  expect(readdirSync(out).toSorted()).toEqual(
    [...(kind === 'pca' ? ['components.png'] : []), 'model.safetensors', 'picture.svg', 'results.json'].toSorted(),
  );
  expect(readFileSync(join(out, 'picture.svg'), 'utf8')).not.toMatch(/NaN|Infinity|undefined/);
});

test('a table of numbers and texts: results for a person, and predictions from the folder and from the file', async () => {
  const { code, out } = await nabla('fit', 'knn', 'fruit.csv', '--target', 'kind', '--set', 'k=3', '--out', 'fruit');
  expect(code).toBe(0);
  expect(out).toMatch(/^knn on fruit\n\n {2}data {2}45 rows to fit, 15 to score, 5 features; target kind\n/);
  expect(out).toMatch(/accuracy +100\.00 %/);
  expect(out).toMatch(/class +precision +recall +F1 +rows\n {2}apple +100\.0 %/);
  expect(out).toMatch(/Next: .*predict fruit\.csv --weights fruit\n$/);
  expect(await loadEstimator('fruit/model.safetensors')).toBeInstanceOf(KNeighborsClassifier);
  const said = await nabla('predict', 'new.csv', '--weights', 'fruit', '--json');
  expect(
    said.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { line: 2, prediction: 'apple', probability: 1 },
    { line: 3, prediction: 'plum', probability: 1 },
  ]);
  const shown = await nabla('predict', 'fruit.csv', '--weights', 'fruit/model.safetensors');
  expect(shown.out).toMatch(/accuracy 100\.00 % \(60 of 60 right\)\n$/);
});

test('numbers are predicted as numbers, components as rows', async () => {
  expect((await nabla('fit', 'tree', 'fruit.csv', '--target', 'mass', '--out', 'mass')).code).toBe(0);
  const { out } = await nabla('predict', 'fruit.csv', '--weights', 'mass', '--json');
  const [first] = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(first).toMatchObject({ line: 2, label: '150' });
  expect(first['prediction']).toBeGreaterThan(145);
  await nabla('fit', 'pca', 'fruit.csv', '--set', 'components=2', '--out', 'plane');
  const rows = await nabla('predict', 'fruit.csv', '--weights', 'plane', '--json');
  expect((JSON.parse(rows.out.split('\n')[0]) as { prediction: number[] }).prediction).toHaveLength(2);
});

test.each([
  [['fit', 'knn', 'fruit.csv'], 'which column is to be predicted? Name it with --target: mass, colour, code, kind.'],
  [['fit', 'knn', 'none.csv', '--target', 'a'], 'cannot read none.csv: there is no such file'],
  [['fit', 'knn', 'fruit.csv', '--target', 'size'], "there is no column 'size'"],
  [['fit', 'ridge', 'fruit.csv', '--target', 'kind'], "ridge predicts numbers, and column 'kind' is text"],
  [
    ['fit', 'svm', 'fruit.csv', '--target', 'kind', '--task', 'regression'],
    '--task regression: svm does classification',
  ],
  [['fit', 'knn', 'iris', '--set', 'neighbours=3'], "there is no option 'neighbours'"],
  [['fit', 'knn', 'iris', '--set', 'k=500'], 'k is 500, and there are 113 rows'],
  [['fit', 'logistic', 'iris'], 'y has 3 classes, and this knows two. Use SoftmaxRegression'],
  [['fit', 'boost', 'iris'], "'boost' is invalid"],
  [['predict', 'new.csv', '--weights', 'out-tree'], "has no column 'sepal length (cm)'"],
  [['predict', '--test', '--weights', 'out-tree'], '--test is for networks'],
])('%j is refused', async (args, message) => {
  const { code, err, out } = await nabla(...args);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(err.trim().split('\n')).toHaveLength(1);
  expect(out).toBe('');
});
