// An error in an own run names the line that it comes from, in the file as it was written.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 120_000 });

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'dist', 'cli', 'main.js');
let cwd: string;

beforeAll(() => {
  const built = spawnSync(process.execPath, ['scripts/setup.mjs', '--build'], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
  cwd = mkdtempSync(join(tmpdir(), 'nabla-place-'));
}, 120_000);
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

function train(file: string, where = cwd) {
  const env = { ...process.env, NABLA_CPU: 'wasm' };
  const args = [main, 'train', file];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: where, encoding: 'utf8', env });
  return { status, stderr };
}

const NET = `import { type Tensor } from 'nabla';
import { Linear, Module } from 'nabla/nn';

// Types go, and with them lines: these are not in what runs.
interface Sizes {
  readonly inner: number;
  readonly outer: number;
}

export class Net extends Module {
  readonly first = new Linear(64, 32);
  readonly second: Linear<33, 10>;

  constructor(sizes: Sizes) {
    super();
    this.second = new Linear(sizes.inner as 33, sizes.outer as 10);
  }

  forward(x: Tensor): Tensor {
    const hidden: Tensor = this.first.forward(x.flatten(1));

    return this.second.forward(hidden);
  }
}
`;

const definition = (create: string, net = './net.js') => `import { zeros } from 'nabla';
import { crossEntropy } from 'nabla/nn';
import { DataLoader, digits } from 'nabla/data';
import { Adam } from 'nabla/optim';
import { defineRun } from 'nabla/train';
import { Net } from '${net}';

export default defineRun({
  name: 'own',
  title: 'Own',
  settings: { epochs: 1 },
  create({ epochs }) {
    ${create}
    const model = new Net({ inner: 33, outer: 10 });
    const train = new DataLoader(digits().split({ train: 0.8, test: 0.2 }).train, { batchSize: 32 });
    return { model, optimizer: new Adam(model.parameters()), train, epochs, loss: crossEntropy };
  },
});
`;

test('while a run is defined: the line of the definition, in TypeScript and in JavaScript', () => {
  writeFileSync(join(cwd, 'net.ts'), NET);
  const broken = 'const x: ReturnType<typeof zeros> = zeros([2, 3]);\n\n    x.matmul(zeros([4, 5]));';
  writeFileSync(join(cwd, 'run.ts'), definition(broken));
  const differ = 'matmul: [2, 3] x [4, 5]: inner dimensions 3 and 4 differ\n';
  expect(train('run.ts')).toEqual({ status: 1, stderr: `nabla: run.ts:15:7: ${differ}` });
  mkdirSync(join(cwd, 'a b (1)'), { recursive: true });
  writeFileSync(join(cwd, 'a b (1)', 'run.ts'), definition(broken, '../net.js'));
  expect(train('a b (1)/run.ts').stderr).toBe(`nabla: a b (1)/run.ts:15:7: ${differ}`);
  writeFileSync(join(cwd, 'run.mjs'), definition('zeros([2, 3]).matmul(zeros([4, 5]));'));
  expect(train('./run.mjs')).toEqual({ status: 1, stderr: `nabla: run.mjs:13:19: ${differ}` });
});

test('in a network of a file that the run imports, from another folder', () => {
  writeFileSync(join(cwd, 'deep.ts'), definition(''));
  mkdirSync(join(cwd, 'inside'), { recursive: true });
  const { status, stderr } = train('../deep.ts', join(cwd, 'inside'));
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^nabla: \/.*\/net\.ts:22:24: .*\(Linear\): input \[32, 32\]: last dimension 32 is not inFeatures 33\n$/,
  );
});

test('a run that is refused as a whole has no line of its own', () => {
  writeFileSync(join(cwd, 'unknown.mjs'), definition('return { epoch: epochs };'));
  const { stderr } = train('unknown.mjs');
  expect(stderr).toMatch(/^nabla: Trainer: [^\n]*\n$/);
});
