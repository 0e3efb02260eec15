// The search command: spaces as texts, trials in folders of their own, going on, and what is refused.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { type RunDefinition, defineRun } from 'nabla/train';
import { readSpace } from './space-text.js';

const dist = fileURLToPath(new URL('../../../dist', import.meta.url));
const cwd = mkdtempSync(join(tmpdir(), 'nabla-search-cli-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

function nabla(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(dist, 'cli/main.js'), ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NABLA_CPU: 'wasm' },
  });
  return { status, stdout, stderr };
}

/** A run that takes no time: one number that should become 3. */
function writeRun(): string {
  const from = (name: string) => JSON.stringify(pathToFileURL(join(dist, name)).href);
  const path = join(cwd, 'run.mjs');
  writeFileSync(
    path,
    `import { tensor } from ${from('index.js')};
    import { Module, Parameter } from ${from('nn/index.js')};
    import { SGD } from ${from('optim/index.js')};
    class Point extends Module {
      at = new Parameter(tensor([0]));
    }
    export default {
      name: 'point',
      title: 'A number becomes 3',
      settings: { epochs: 2, lr: 0.1, kind: 'plain' },
      choices: { kind: ['plain', 'fancy'] },
      create({ epochs, lr }) {
        const model = new Point();
        const batches = { length: 4, async *batches() { for (let i = 0; i < 4; i++) yield { x: tensor([3]) }; } };
        const forward = (m, { x }) => m.at.sub(x).pow(2).mean();
        return { model, optimizer: new SGD(model.parameters(), { lr }), train: batches, validation: batches, forward, epochs };
      },
    };`,
  );
  return path;
}

test('a search trains, keeps its trials, goes on, and draws the results', () => {
  const run = writeRun();
  const space = ['--space', 'lr=0.001..0.9:log', '--space', 'kind=plain,fancy'];
  const first = nabla('search', run, ...space, '--trials', '3', '--out', 'found');
  expect(first.stderr).toBe('');
  expect(first.stdout.split('\n').filter((line) => /^[123]\/3 /.test(line))).toHaveLength(3);
  expect(first.stdout).toMatch(/Next: .*train .*run\.mjs --set lr=[\d.e-]+ --set kind=(plain|fancy)\n$/);
  expect(readFileSync(join(cwd, 'found/search.svg'), 'utf8')).toContain('kind: 1 plain, 2 fancy');
  expect(existsSync(join(cwd, 'found/trial-003/metrics.jsonl'))).toBe(true);

  const rest = nabla('search', run, ...space, '--trials', '6', '--parallel', '2', '--out', 'found', '--json');
  expect([rest.status, rest.stderr]).toEqual([0, '']);
  const trials = rest.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { number: number; value: number });
  expect(trials.map(({ number }) => number).toSorted()).toEqual([3, 4, 5]);
  for (const { value } of trials) expect(value).toBeGreaterThanOrEqual(0);
}, 60_000);

test('what cannot be searched is said', () => {
  const run = writeRun();
  const faults: [string[], RegExp][] = [
    [[run], /nothing to search for/],
    [[run, '--space', 'width=1..2'], /--space width: point has no setting 'width'/],
    [[run, '--space', 'lr=1..x'], /--space lr: 'x' is invalid. Use a number/],
    [[run, '--space', 'lr=0.5..0.1'], /--space lr: uniform: bounds 0.5 and 0.1/],
    [[run, '--space', 'kind=plain,other'], /--space kind: 'other' is invalid. Use one of plain, fancy/],
    [[run, '--space', 'lr=0.1..0.2', '--monitor', 'accuracy'], /--monitor accuracy: point measures loss/],
  ];
  for (const [args, message] of faults) {
    const { status, stderr } = nabla('search', ...args);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  }
}, 60_000);

test('spaces', () => {
  const run = defineRun({
    name: 'r',
    title: '',
    settings: { lr: 0.1, width: 8, deep: false, kind: 'a' },
    create: () => ({}) as never,
  });
  const space = readSpace(run as unknown as RunDefinition, {
    lr: '1e-4..1e-1:log',
    width: '4..32',
    deep: 'true,false',
    kind: 'a,b',
  });
  expect(Object.values(space).map(({ text }) => text)).toEqual([
    'logUniform(0.0001, 0.1)',
    'integer(4, 32)',
    'choice([true,false])',
    'choice(["a","b"])',
  ]);
  const bounds = readSpace(run as unknown as RunDefinition, { lr: '.5..1.5' });
  expect(bounds.lr.text).toBe('uniform(0.5, 1.5)');
});
