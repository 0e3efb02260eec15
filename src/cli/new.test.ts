// `nabla new` as a newcomer meets it: from the packed tarball, installed without a network, trained, used, checked by TypeScript.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'dist', 'cli', 'main.js');
let cwd: string;

function run(where: string, command: string, ...args: string[]) {
  const env = { ...process.env, NABLA_CPU: 'wasm' };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: where, encoding: 'utf8', input: '', env });
  return { status, stdout, stderr };
}
const nabla = (...args: string[]) => run(cwd, process.execPath, main, ...args);

beforeAll(() => {
  const built = run(root, process.execPath, 'scripts/setup.mjs', '--build');
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
  cwd = mkdtempSync(join(tmpdir(), 'nabla-new-'));
}, 120_000);
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

test('a project runs at once, and its network is used on other rows', () => {
  const made = nabla('new', 'fruit');
  expect([made.status, made.stderr]).toEqual([0, '']);
  expect(made.stdout).toMatch(/\nNext: .* train fruit\/run\.ts\nor: {3}cd fruit && npm install && npm start\n$/);
  expect(readdirSync(join(cwd, 'fruit')).sort()).toEqual([
    '.gitignore',
    'README.md',
    'data',
    'package.json',
    'run.ts',
    'tsconfig.json',
  ]);
  expect(JSON.parse(readFileSync(join(cwd, 'fruit', 'package.json'), 'utf8'))).toMatchObject({
    name: 'fruit',
    dependencies: { nabla: `file:${root.replace(/[/\\]$/, '')}` },
  });
  const trained = nabla('train', 'fruit/run.ts', '--out', 'runs/fruit');
  expect([trained.status, trained.stderr]).toEqual([0, '']);
  const accuracy = Number(/Test accuracy ([\d.]+) %/.exec(trained.stdout)?.[1]);
  expect(accuracy).toBeGreaterThan(80);

  const predict = (...args: string[]) =>
    nabla('predict', ...args, '--weights', 'runs/fruit', '--definition', 'fruit/run.ts');
  const { stdout } = predict('fruit/data/new.csv');
  expect(stdout).toMatch(
    /^colour 'orange' \(1 row\) did not occur in training: it says nothing to the model\.\nline {3}kind {6}sure\n {3}2 {2}apple .*%\n {3}3 {2}lemon .*\n {3}4 {3}plum .*\n {3}5 {2}apple .*\n$/,
  );
  const lines = predict('fruit/data/new.csv', '--json').stdout.trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { prediction: string }).prediction)).toEqual([
    'apple',
    'lemon',
    'plum',
    'apple',
  ]);
  // the columns in another order, with another delimiter, one more, and the truth
  writeFileSync(
    join(cwd, 'other.csv'),
    'kind;note;ripeness;colour;diameter;weight\nplum;x;ripe;purple;45;60\nlemon;y;ripe;purple;44;61\n',
  );
  expect(predict('other.csv').stdout).toMatch(
    /plum .* plum\n.* plum .* lemon {2}wrong\n\naccuracy 50\.00 % \(1 of 2 right\)\n$/,
  );
  writeFileSync(join(cwd, 'less.csv'), 'weight,colour\n1,red\n');
  expect(predict('less.csv').stderr).toBe(
    "nabla: less.csv has no column 'diameter', 'ripeness'. The model was trained on weight, diameter, colour, ripeness.\n",
  );
  writeFileSync(join(cwd, 'bad.csv'), 'weight,diameter,colour,ripeness\nheavy,1,red,ripe\n');
  expect(predict('bad.csv').stderr).toMatch(
    /^nabla: csv: bad\.csv, line 2: column 'weight' has 'heavy', which is no number\. .*\n$/,
  );
}, 180_000);

test.each([
  [['new'], /missing required argument 'name'/],
  [['new', 'fruit'], /fruit is not empty\. Choose a new folder\./],
  [['new', 'my fruit'], /'my fruit' cannot be the name of a package/],
  [['new', 'other.csv/x'], /cannot create the folder other\.csv\/x: a part of the path is a file/],
])('%j is refused', (args, message) => {
  const { status, stderr } = nabla(...args);
  expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
});

test('from the tarball: installed, type-checked, trained and used by its own scripts', () => {
  const packed = run(root, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', cwd);
  const [tarball] = Object.values(JSON.parse(packed.stdout) as Record<string, { filename: string }>);
  expect(nabla('new', 'packed', '--nabla', `file:${join(cwd, tarball.filename)}`).status).toBe(0);
  const project = join(cwd, 'packed');
  const installed = run(
    project,
    'npm',
    'install',
    '--omit=dev',
    '--omit=optional',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
  );
  expect([installed.status, installed.stderr]).toEqual([0, expect.any(String)]);
  const other = join(root, 'node_modules', 'oxc-transform'); // what is not fetched here
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  symlinkSync(other, join(project, 'node_modules', 'oxc-transform'));
  const checked = run(project, process.execPath, join(root, 'node_modules', 'typescript', 'bin', 'tsc'));
  expect([checked.status, checked.stdout]).toEqual([0, '']);
  const started = run(project, 'npm', 'start', '--', '--epochs', '3');
  expect([started.status, /Test accuracy/.test(started.stdout)]).toEqual([0, true]);
  expect(started.stdout).toContain('Next: nabla predict --definition ./run.ts --test');
  expect(run(project, 'npm', 'run', 'predict').stdout).toMatch(/line {2,}kind/);
}, 300_000);
