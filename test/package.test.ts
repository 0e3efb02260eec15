// The package as a user gets it: packed, installed into an empty folder, then run from plain JavaScript, from the
// command line, and type-checked from TypeScript under both module resolutions in use today.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
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

test('the tarball holds the build, the documents and the examples, no other sources and no tests', () => {
  expect(packed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json']));
  expect(packed).toEqual(expect.arrayContaining(['docs/tensors.md', 'examples/digits.ts']));
  expect(packed).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js']));
  const isExpected = (path: string): boolean =>
    /^(dist\/|docs\/[^/]+\.md$|examples\/[^/]+\.ts$|examples\/web\/[^/]+\.(ts|html|pt)$|examples\/web\/template\/|[^/]+$)/.test(
      path,
    );
  const stray = packed.filter((path) => !isExpected(path));
  const inDist = packed.filter((path) => path.startsWith('dist/') && /\.test\b|build-stamp|(?<!\.d)\.ts$/.test(path));
  expect([...stray, ...inDist]).toEqual([]);
});

test('it takes 15 MB on disk, 11 without what is optional, and asks for sharp and oxc-transform only when they are needed', () => {
  const folders = ['node_modules', ...readdirSync(join(app, 'node_modules'), { recursive: true, encoding: 'utf8' })];
  expect(folders.some((path) => /^(sharp|@img|@?oxc-transform)\b/.test(path))).toBe(false);
  const files = readdirSync(join(app, 'node_modules'), { recursive: true, withFileTypes: true });
  const sizeOf = (isCounted: (path: string) => boolean): number =>
    files
      .filter((entry) => !entry.isSymbolicLink())
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter(isCounted)
      .reduce((sum, path) => sum + onDisk(statSync(path).size), 0);
  expect(sizeOf((path) => !/node_modules\W@?ko/.test(path))).toBeLessThan(11e6); // without koffi, which is optional
  expect(sizeOf(() => true)).toBeLessThan(15.5e6);
});

test('classes keep their names in the built chunks, and inner parts are not published', () => {
  expect(packed).not.toContain('dist/internals.js');
  const script = `
    for (const module of ${JSON.stringify(modules.map((name) => posix.join('nabla', name)))}) {
      for (const [name, value] of Object.entries(await import(module))) {
        if (typeof value === 'function' && /^class\\b/.test(String(value)) && value.name !== name) console.log(module, name, value.name);
      }
    }
  `;
  writeFileSync(join(app, 'names.js'), script);
  expect(run(app, process.execPath, 'names.js')).toBe('');
});

/** What `du` counts for a file or a folder on the usual file systems. */
function onDisk(bytes: number): number {
  return Math.ceil(bytes / 4096) * 4096;
}

test('without the optional packages, what needs one says so in a sentence', () => {
  const script = `
    import { imageFolder } from 'nabla/data';
    import { encodePng } from 'nabla/io';
    console.log(encodePng({ data: new Uint8Array(4), shape: [1, 2, 2] }).length > 0);
    await imageFolder('photos').catch((error) => console.log(error.message));
  `;
  writeFileSync(join(app, 'pictures.js'), script);
  expect(run(app, process.execPath, 'pictures.js')).toBe(
    'true\nimageFolder: pictures are decoded by the package sharp, which is not here. Run npm install sharp.\n',
  );
  writeFileSync(join(app, 'own.ts'), 'export default 1;\n');
  const command = join(app, 'node_modules', '.bin', process.platform === 'win32' ? 'nabla.cmd' : 'nabla');
  const { stderr } = spawnSync(command, ['train', './own.ts'], { cwd: app, encoding: 'utf8' });
  // Node from 22.18 removes types itself.
  expect(stderr).toMatch(/TypeScript needs the package oxc-transform\. Run npm install oxc-transform|defineRun/);
}, 60_000);

test('every relative link of a document leads somewhere within the tarball', () => {
  const home = join(app, 'node_modules', 'nabla');
  const pages = packed.filter((path) => path.endsWith('.md'));
  expect(pages.length).toBeGreaterThan(10);
  const broken = pages.flatMap((page) => {
    const text = withoutCode(readFileSync(join(home, page), 'utf8'));
    return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link]) => {
      if (/^[a-z]+:/.test(link)) return [];
      const [path, anchor] = link.split('#');
      const target = path === '' ? page : posix.join(posix.dirname(page), path);
      if (!packed.includes(target)) return [`${page}: ${link}`];
      return anchor === undefined || anchorsOf(join(home, target)).has(anchor) ? [] : [`${page}: ${link} (no heading)`];
    });
  });
  expect(broken).toEqual([]);
});

const withoutCode = (text: string): string => text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '');

/** The headings of a page as GitHub and npm make anchors of them. */
function anchorsOf(path: string): Set<string> {
  const text = readFileSync(path, 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '');
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading.toLowerCase());
  return new Set(headings.map((h) => h.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')));
}

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

// Every declaration file that an entry leads to is in the package.
ENTRIES

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
    const entries = modules.map((name, i) => `export * as part${i} from '${name.replace('.', 'nabla')}';`);
    writeFileSync(join(folder, 'consumer.ts'), consumer.replace('ENTRIES', entries.join('\n')));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    expect(run(folder, process.execPath, tsc, '-p', '.')).toBe('');
  },
  60_000,
);
