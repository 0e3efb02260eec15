// What a newcomer does after a run, as it is built (dist/cli/main.js): the commands that its end suggests exist and work, for own
// runs and for diverged ones; a run can be prolonged; --doctor says what it found.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'dist', 'cli', 'main.js');
let cwd: string;

function nabla(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd,
    encoding: 'utf8',
    input: '',
    env: { ...process.env, NABLA_CPU: 'wasm' },
  });
  return { status, stdout, stderr };
}

/** Without test data and without a predictor, unless `more` has them. */
const own = (more = '') => `import { tensor } from 'nabla';
import { Module, Parameter } from 'nabla/nn';
import { SGD, linear } from 'nabla/optim';
class Point extends Module { at = new Parameter(tensor([1])); }
export default {
  name: 'point', title: 'A number becomes 3', settings: { epochs: 2, lr: 0.1, other: 1 },
  create({ epochs, lr }) {
    const model = new Point();
    const batches = { length: 4, async *batches() { for (let i = 0; i < 4; i++) yield { x: tensor([3]) }; } };
    const forward = (m, { x }) => m.at.sub(x).pow(2).mean();
    const schedule = (step, total) => lr * (1 - step / total);
    return { model, optimizer: new SGD(model.parameters(), { lr }), train: batches, forward, epochs, schedule, ${more} };
  },
};`;

/** The commands that a run's end suggests, as lists of arguments. */
function suggested(stdout: string): string[][] {
  const lines = stdout
    .slice(stdout.lastIndexOf('\nNext: ') + 7)
    .trimEnd()
    .split('\n');
  return lines.map((line) => {
    const [, command] = /main\.js (.*?)(?: {2,}.*)?$/.exec(line.trim()) ?? [];
    return (command ?? '').split(' ');
  });
}

beforeAll(() => {
  const built = spawnSync(process.execPath, ['scripts/setup.mjs', '--build'], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
  cwd = mkdtempSync(join(tmpdir(), 'nabla-after-'));
  writeFileSync(join(cwd, 'own.mjs'), own());
  writeFileSync(join(cwd, 'validated.mjs'), own('validation: batches'));
}, 120_000);
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

test.each([
  ['./own.mjs', 'runs/own', ['curves', 'train']],
  ['./validated.mjs', 'runs/deep/validated', ['eval', 'curves', 'train']],
])(
  'the end of %s suggests commands that work',
  (file, folder, commands) => {
    const { status, stdout, stderr } = nabla('train', file, '--out', folder);
    expect([status, stderr]).toEqual([0, '']);
    const next = suggested(stdout);
    expect(next.map(([command]) => command)).toEqual(commands);
    if (folder.includes('deep')) expect(next.flat().filter((word) => word.includes(folder))).toHaveLength(3);
    for (const args of next) expect([args, nabla(...args).stderr, nabla(...args).status]).toEqual([args, '', 0]);
    expect(stdout.split('\n').every((line) => line.length <= 80 || line.includes('main.js'))).toBe(true);
  },
  60_000,
);

test('a run that diverges says why, and what to try', () => {
  const { status, stdout, stderr } = nabla(
    'train',
    './own.mjs',
    '--lr',
    '1000',
    '--set',
    'other=2',
    '--doctor',
    '--out',
    'runs/lost',
  );
  expect([status, stderr]).toEqual([2, 'nabla: training has diverged: the loss is not a number any more.\n']);
  expect(stdout).toMatch(
    /\nError: The learning rate is too high \(lr-too-high\)\n[\s\S]*More about it: .* doctor --explain lr-too-high\n/,
  );
  expect(stdout).toMatch(/Weights and metrics are in runs\/lost\.\n/);
  const next = suggested(stdout);
  expect(next.map(([command]) => command)).toEqual(['doctor', 'lr-find', 'train']);
  expect(next.slice(1).map((args) => args.slice(1).join(' '))).toEqual([
    './own.mjs --set other=2',
    './own.mjs --lr 100 --set other=2',
  ]);
  expect(nabla(...next[0]).stdout).toContain('lr-too-high');
  expect(nabla(...next[1]).stdout).toMatch(
    /Suggested learning rate: (\S+)\nNext: .* train \.\/own\.mjs --lr \1 --set other=2\n/,
  );
}, 60_000);

test('a run goes on beyond its end, and knows its new end afterwards', () => {
  expect(nabla('train', './own.mjs', '--out', 'runs/longer').status).toBe(0);
  const config = () =>
    JSON.parse(readFileSync(join(cwd, 'runs/longer/config.json'), 'utf8')) as Record<string, unknown>;
  const { started } = config();
  const longer = nabla('train', './own.mjs', '--resume', 'runs/longer', '--epochs', '4');
  expect([longer.status, longer.stderr]).toEqual([0, '']);
  expect(longer.stdout).toMatch(
    / {2}! the run goes on to epoch 4, it was planned for 2; from here on the learning\s+rate is that of a run of 4 epochs\.\n[\s\S]*\n +4\/4 /,
  );
  expect(config()).toMatchObject({ started, settings: { epochs: 4 } });
  expect(nabla('runs').stdout).toMatch(/longer +completed +4\/4/);
  const again = nabla('train', '--resume', 'runs/longer', '--trust'); // complete, and says nothing new
  expect([again.status, again.stdout.includes('!')]).toEqual([0, false]);
  expect(nabla('train', './own.mjs', '--resume', 'runs/longer', '--epochs', '3').stderr).toBe(
    'nabla: --epochs 3: runs/longer has 4 epochs behind it. Give more than that.\n',
  );
}, 60_000);

test('--doctor prints what it finds when training ends, and in JSON as an event', () => {
  const { stdout } = nabla('train', './own.mjs', '--doctor', '--out', 'runs/looked');
  expect(stdout).toMatch(/\n(Healthy|Error|Warning): [\s\S]*Looked at [\s\S]*\nTrained for/);
  const lines = nabla('train', './own.mjs', '--doctor', '--json', '--out', 'runs/json').stdout.trimEnd().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ event: 'doctor', diagnoses: expect.any(Array) });
}, 60_000);
