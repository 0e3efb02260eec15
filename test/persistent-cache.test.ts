// Programs that another process has compiled, as users meet them: the same numbers and the same errors, and a setting that says off.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativeToolchain } from '../src/engine/device/cpu/native/tier.js';

const root = fileURLToPath(new URL('..', import.meta.url));
let folder: string;

beforeAll(() => {
  const built = spawnSync(process.execPath, ['scripts/setup.mjs', '--build'], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
  folder = mkdtempSync(join(tmpdir(), 'nabla-programs-'));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Training with dropout and an embedding; a convolution whose weights are kept transformed; an index and a matrix that are wrong. */
const PROGRAM = `
  import { manualSeed, compile, noGrad, randn, tensor } from 'nabla';
  import { Conv2d, Dropout, Embedding, Flatten, Linear, Sequential, crossEntropy } from 'nabla/nn';
  import { AdamW } from 'nabla/optim';
  import { cholesky } from 'nabla/linalg';
  manualSeed(0);
  if (process.env.FIRST) console.error(await randn([7, 9]).exp().sum().item());
  manualSeed(0);
  const table = new Embedding(10, 8);
  const model = new Sequential(new Flatten(), new Linear(24, 16), new Dropout(0.3), new Linear(16, 4));
  const optimizer = new AdamW([...table.parameters(), ...model.parameters()], { lr: 1e-2 });
  const words = tensor([[1, 2, 3], [4, 5, 6]], { dtype: 'int32' });
  const step = compile(async (x, y) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(table.forward(x)), y);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const out = [];
  for (let i = 0; i < 5; i++) out.push(await (await step(words, tensor([0, 3], { dtype: 'int32' }))).item());
  const conv = new Conv2d(8, 8, 3, { padding: 1 });
  const picture = randn([1, 8, 32, 32]);
  const infer = () => noGrad(() => conv.forward(picture)).abs().mean().item();
  for (let i = 0; i < 3; i++) out.push(await infer());
  conv.weight.assign_(conv.weight.mul(2));
  out.push(await infer());
  const said = async (work) => { try { await work(); } catch (error) { out.push(error.name + ': ' + error.message); } };
  await said(async () => (await table.forward(tensor([[1, 12, 3]], { dtype: 'int32' })).data()));
  await said(async () => (await cholesky(tensor([[1, 2], [2, 1]])).data()));
  console.log(JSON.stringify(out));
`;

interface Run {
  readonly out: readonly (number | string)[];
  readonly stderr: string;
}

function run(cache: string, env: Record<string, string> = {}): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NABLA_CPU: 'wasm', NABLA_DEBUG: '2', NABLA_CACHE_DIR: join(folder, cache), ...env },
  });
  if (status !== 0) throw new Error(stderr);
  return { out: JSON.parse(stdout), stderr };
}

const count = (text: string, what: RegExp): number => [...text.matchAll(what)].length;
const files = (cache: string): string[] => readdirSync(join(folder, cache, 'nabla-programs'));

describe('WebAssembly', () => {
  test('a second process finds what the first has compiled, and has the same numbers and errors', () => {
    const first = run('a');
    const kept = files('a').length;
    expect(count(first.stderr, /nabla: found in/g)).toBe(0);
    expect(kept).toBeGreaterThan(2);
    const second = run('a');
    expect(count(second.stderr, /nabla: found in/g)).toBeGreaterThanOrEqual(kept);
    expect(second.out).toEqual(first.out);
    expect(first.out.slice(-2)).toEqual([expect.stringContaining('12'), expect.stringContaining('cholesky')]);
  }, 60_000);

  test('what a process keeps does not depend on what it has done before', () => {
    run('b', { FIRST: '1' });
    const kept = new Set(files('b'));
    const both = files('a').filter((name) => kept.has(name));
    expect(both.length).toBeGreaterThan(2);
    for (const name of both) {
      const [a, b] = ['a', 'b'].map((cache) => readFileSync(join(folder, cache, 'nabla-programs', name)));
      expect(a.equals(b)).toBe(true);
    }
  }, 60_000);

  test('other threads, and memory that is not shared, are other programs', () => {
    const { stderr, out } = run('a', { NABLA_THREADS: '1' });
    expect(count(stderr, /nabla: found in/g)).toBe(0);
    expect(out).toHaveLength(11);
  }, 60_000);

  test('NABLA_PROGRAM_CACHE=off: nothing is read, nothing written; what means nothing is refused', () => {
    const { stderr } = run('a', { NABLA_PROGRAM_CACHE: 'off' });
    expect(count(stderr, /nabla: found in/g)).toBe(0);
    run('c', { NABLA_PROGRAM_CACHE: 'off' });
    expect(() => files('c')).toThrow('ENOENT');
    expect(() => run('a', { NABLA_PROGRAM_CACHE: 'no' })).toThrow(
      "NABLA_PROGRAM_CACHE cannot be 'no'. Set it to on or off",
    );
  }, 60_000);
});

test.skipIf(typeof nativeToolchain() === 'string')(
  'native code: its source is found, too',
  () => {
    const env = { NABLA_CPU: 'native' };
    const [first, second] = [run('n', env), run('n', env)];
    expect(count(second.stderr, /nabla: native source of \d+ bytes found in/g)).toBeGreaterThan(2);
    expect(second.out).toEqual(first.out);
  },
  120_000,
);
