// `npm run smoke:bundlers`: the packed package and the template of examples/web, bundled by the newest Vite, webpack and esbuild as a
// project would have them, and tried in Chromium: no bundler asks for a module of Node, and the page trains.
// Usage: smoke-bundlers.mjs [--report FILE]
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Visitor, parseSync } from 'oxc-parser';
import { chromium } from 'playwright-core';
import { serve } from '../site/serve.mjs';
import { installPacked } from './smoke/npm.mjs';
import { Report } from './smoke/report.mjs';

const CHROMIUM = '/usr/bin/chromium';
const { values } = parseArgs({ options: { report: { type: 'string' } } });
const template = fileURLToPath(new URL('../examples/web/template', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'nabla-bundlers-'));
const report = new Report();
const load = (name) => import(pathToFileURL(createRequire(join(work, 'package.json')).resolve(name)).href);

const BUNDLERS = {
  async vite(out) {
    const { build } = await load('vite');
    const warnings = [];
    const logger = { info() {}, clearScreen() {}, hasWarned: false, hasErrorLogged: () => false };
    const collect = (text) => void warnings.push(text);
    await build({
      root: work,
      base: './',
      worker: { format: 'es' },
      build: { outDir: out, target: 'es2022' },
      customLogger: { ...logger, warn: collect, warnOnce: collect, error: collect },
    });
    // What Vite says of large files is no fault.
    return warnings.filter((text) => /external|node:|resolve/.test(text));
  },
  async webpack(out) {
    const { default: webpack } = await load('webpack');
    const compiler = webpack({
      mode: 'production',
      context: work,
      entry: './plain/main.js',
      output: { path: out, filename: 'main.js', module: true, publicPath: 'auto' },
      experiments: { outputModule: true, topLevelAwait: true },
      performance: { hints: false },
    });
    const stats = await new Promise((done, fail) =>
      compiler.run((error, found) => (error ? fail(error) : done(found))),
    );
    plainPage(out);
    return stats.compilation.errors.concat(stats.compilation.warnings).map(({ message }) => message);
  },
  async esbuild(out) {
    const { build } = await load('esbuild');
    const { errors, warnings } = await build({
      absWorkingDir: work,
      entryPoints: ['plain/main.js', 'plain/worker.js'],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      outdir: out,
      logLevel: 'silent',
    });
    plainPage(out);
    return [...errors, ...warnings].map(({ text }) => text);
  },
};

try {
  const isThere = await prepare();
  if (isThere) for (const name of Object.keys(BUNDLERS)) await report.check(name, () => tryBundler(name));
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(report.end('bundlers', values.report));

/** The template with its packages, and once more in plain JavaScript for those that read nothing else. */
async function prepare() {
  let isReady = false;
  await report.check('the package and the bundlers can be installed from the registry', async () => {
    for (const part of ['index.html', 'src']) cpSync(join(template, part), join(work, part), { recursive: true });
    installPacked(work, { vite: 'latest', webpack: 'latest', esbuild: 'latest' });
    const { transform } = await load('esbuild');
    mkdirSync(join(work, 'plain'));
    for (const name of readdirSync(join(work, 'src'))) {
      const { code } = await transform(readFileSync(join(work, 'src', name), 'utf8'), {
        loader: 'ts',
        target: 'es2022',
      });
      writeFileSync(join(work, 'plain', name.replace('.ts', '.js')), code.replace('./worker.ts', './worker.js'));
    }
    isReady = true;
  });
  return isReady;
}

function plainPage(out) {
  const page = readFileSync(join(work, 'index.html'), 'utf8').replace('/src/main.ts', './main.js');
  writeFileSync(join(out, 'index.html'), page);
}

/** What a script imports or requires. Texts of programs that only Node ever starts do not count. */
function askedOf(code) {
  const found = [];
  const note = (node) => void (typeof node?.value === 'string' && found.push(node.value));
  new Visitor({
    ImportDeclaration: ({ source }) => note(source),
    ImportExpression: ({ source }) => note(source),
    ExportNamedDeclaration: ({ source }) => note(source),
    ExportAllDeclaration: ({ source }) => note(source),
    CallExpression: ({ callee, arguments: given }) => void (callee.name === 'require' && note(given[0])),
  }).visit(parseSync('bundle.js', code).program);
  return found;
}

/** Where a script asks for `new.target` outside of a constructor: a minifier has moved it, and it is undefined there. */
function misplacedTarget(code) {
  const functions = [];
  const constructors = new Set();
  let found;
  const enter = (node) => void functions.push(node);
  const leave = () => void functions.pop();
  new Visitor({
    MethodDefinition: ({ kind, value }) => void (kind === 'constructor' && constructors.add(value)),
    FunctionExpression: enter,
    'FunctionExpression:exit': leave,
    FunctionDeclaration: enter,
    'FunctionDeclaration:exit': leave,
    MetaProperty({ meta, start, end }) {
      if (meta.name === 'new' && !constructors.has(functions.at(-1))) found ??= code.slice(start - 60, end + 40);
    },
  }).visit(parseSync('bundle.js', code).program);
  return found;
}

async function tryBundler(name) {
  const out = join(work, `out-${name}`);
  mkdirSync(out);
  const complaints = await BUNDLERS[name](out);
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
  const scripts = readdirSync(out, { recursive: true }).filter((file) => String(file).endsWith('.js'));
  for (const file of scripts) {
    const code = readFileSync(join(out, String(file)), 'utf8');
    const found = askedOf(code).find((asked) => isBuiltin(asked));
    if (found) throw new Error(`${file} asks for ${found}`);
    const target = misplacedTarget(code);
    if (target) throw new Error(`${file} asks for new.target outside of a constructor: …${target}…`);
  }
  if (!existsSync(CHROMIUM)) return `bundled; ${CHROMIUM} is not installed`;
  const { url, close } = await serve(out);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage();
    const errors = [];
    page.on('pageerror', (error) => void errors.push(String(error)));
    await page.goto(`${url}index.html`);
    await page.locator('#train').click();
    await page
      .locator('#answer')
      .filter({ hasText: /^Trained: 9\d/ })
      .waitFor({ timeout: 120_000 });
    if (errors.length > 0) throw new Error(errors.join('\n'));
    return await page.locator('#answer').textContent();
  } finally {
    await browser.close();
    close();
  }
}
