// The package as a user gets it: packed, installed into an empty folder, then run from plain JavaScript, from the
// command line, and type-checked from TypeScript under both module resolutions in use today.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  exports: Record<string, unknown>;
};
const modules = Object.keys(manifest.exports).filter((name) => name !== './package.json');
let work: string; // temporary: the tarball, and in app/ the user's project
let app: string;
let packed: string[]; // paths in the tarball

/** Runs a command to its end and returns what it printed; a failing one fails the test with all of its output. */
function run(cwd: string, command: string, ...args: string[]): string {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(`${command} ${args.join(' ')}: exit ${result.status}\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'nabla-package-'));
  app = join(work, 'app');
  mkdirSync(app);
  run(root, process.execPath, 'scripts/setup.mjs', '--build');
  const report = run(root, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', work);
  const [tarball] = Object.values(
    JSON.parse(report) as Record<string, { filename: string; files: { path: string }[] }>,
  );
  packed = tarball.files.map((file) => file.path);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  run(app, 'npm', 'install', join(work, tarball.filename), '--no-audit', '--no-fund', '--prefer-offline');
}, 120_000);

afterAll(() => rmSync(work, { recursive: true, force: true }));

test('the tarball holds the build and the documents, no sources and no tests', () => {
  expect(packed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json']));
  expect(packed).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js']));
  const stray = packed.filter((path) => path.includes('/') && !path.startsWith('dist/'));
  expect([...stray, ...packed.filter((path) => /\.test\b|build-stamp|(?<!\.d)\.ts$/.test(path))]).toEqual([]);
});

test('every entry of exports can be imported', () => {
  const names = modules.map((name) => name.replace('.', 'nabla'));
  const script = names.map((name) => `console.log(Object.keys(await import('${name}')).length > 0);`).join('\n');
  writeFileSync(join(app, 'imports.js'), script);
  expect(run(app, process.execPath, 'imports.js')).toBe('true\n'.repeat(names.length));
});

test('plain JavaScript trains a network with it', () => {
  const script = `
    import { manualSeed, tensor } from 'nabla';
    import { Linear, ReLU, Sequential, crossEntropy } from 'nabla/nn';
    import { AdamW, SGD } from 'nabla/optim';

    manualSeed(0);
    const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
    const y = tensor([0, 1, 1, 0], { dtype: 'int32' });
    const losses = [];
    for (const create of [(p) => new AdamW(p, { lr: 0.05 }), (p) => new SGD(p, { lr: 0.1, momentum: 0.9 })]) {
      const model = new Sequential(new Linear(2, 16), new ReLU(), new Linear(16, 2));
      const optimizer = create(model.parameters());
      for (let step = 0; step < 200; step++) {
        optimizer.zeroGrad();
        crossEntropy(model.forward(x), y).backward();
        await optimizer.step();
      }
      losses.push(await crossEntropy(model.forward(x), y).item());
    }
    console.log(JSON.stringify(losses));
  `;
  writeFileSync(join(app, 'train.js'), script);
  const losses = JSON.parse(run(app, process.execPath, 'train.js')) as number[];
  expect(losses).toHaveLength(2);
  for (const loss of losses) expect(loss).toBeLessThan(0.05);
}, 60_000);

test('every part works without the others, in a bundle without dead code as well', async () => {
  const script = `
    import { digits } from 'nabla/data';
    console.log(await digits().get(0).x.sum().item());
  `;
  writeFileSync(join(app, 'part.js'), script);
  const wanted = run(app, process.execPath, 'part.js');
  expect(Number(wanted)).toBeGreaterThan(0);
  const files = { entryPoints: [join(app, 'part.js')], outfile: join(app, 'part.bundle.mjs') };
  await build({ ...files, bundle: true, format: 'esm', platform: 'neutral', logLevel: 'error' });
  expect(run(app, process.execPath, 'part.bundle.mjs')).toBe(wanted);
}, 60_000);

test('everything can be bundled for a page, without configuration', async () => {
  const names = modules.map((name) => name.replace('.', 'nabla'));
  writeFileSync(join(app, 'page.js'), names.map((name, i) => `export * as part${i} from '${name}';`).join('\n'));
  for (const format of ['esm', 'iife'] as const) {
    const files = { entryPoints: [join(app, 'page.js')], outfile: join(app, `page.${format}.js`) };
    const { warnings } = await build({ ...files, bundle: true, format, platform: 'browser', logLevel: 'silent' });
    const texts = warnings.map(({ text }) => text).filter((text) => !text.includes('"import.meta" is not available'));
    expect(texts).toEqual([]);
  }
}, 60_000);

test('the command is installed and knows its version', () => {
  const command = process.platform === 'win32' ? 'nabla.cmd' : 'nabla';
  expect(run(app, join(app, 'node_modules', '.bin', command), '--version').trim()).toBe(manifest.version);
});

const consumer = `
import { manualSeed, tensor, type Tensor } from 'nabla';
import { Linear, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import { AdamW, SGD } from 'nabla/optim';

export async function train(x: Tensor<readonly [4, 2]>): Promise<number> {
  manualSeed(0);
  const y = tensor([0, 1, 1, 0], { dtype: 'int32' });
  const model = new Sequential(new Linear(2, 8), new ReLU(), new Linear(8, 2));
  for (const optimizer of [new AdamW(model.parameters(), { lr: 1e-2 }), new SGD(model.parameters(), { lr: 0.1 })]) {
    optimizer.zeroGrad();
    crossEntropy(model.forward(x), y).backward();
    await optimizer.step();
  }
  return crossEntropy(model.forward(x), y).item();
}

// @ts-expect-error the second layer takes 9 features, the first one gives 8
new Sequential(new Linear(2, 8), new ReLU(), new Linear(9, 2));
`;

test.each([
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
])(
  'TypeScript accepts it under moduleResolution $moduleResolution, and checks shapes',
  ({ module, moduleResolution }) => {
    const folder = join(app, moduleResolution);
    mkdirSync(folder);
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'es2022',
      lib: ['es2023', 'dom', 'esnext.disposable'],
      types: [],
      strict: true,
      skipLibCheck: false, // the declarations of the package itself must stand on their own
      noEmit: true,
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    writeFileSync(join(folder, 'consumer.ts'), consumer);
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    expect(run(folder, process.execPath, tsc, '-p', '.')).toBe('');
  },
  60_000,
);
