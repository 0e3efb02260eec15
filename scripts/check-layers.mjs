// Fails on an import that goes up a layer, on a circle of imports (of types too), on a Node import in code that browsers load, and on a
// package that package.json does not declare; in the engine also on folders and files that are too large to be looked through. Input: a
// folder with src/ (default: this repository); output: one line per violation, `file:line imports X: reason`. Tests are exempt: they may
// look at anything.
//
//   cli → library (nn optim data metrics train models classic io onnx vision text distributed linalg rl audio browser) → functions → tensor → engine
//   engine: loop, grad, batch, host, prepare → ir;  compile, emit → loop, ir;  device → all of these;  src/engine/*.ts → device and all
//   compile: program → lower → plan → graph → indices, and the rooms of lower in their order
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'oxc-parser';

// ---------------------------------------------------------------- the rules

const LIBRARY = [
  'nn',
  'optim',
  'data',
  'metrics',
  'train',
  'models',
  'classic',
  'io',
  'onnx',
  'vision',
  'text',
  'rl',
  'distributed',
  'linalg',
  'audio',
  'browser',
];
/** The compiler's rooms in the order in which they may know each other: each may import those before it. */
const COMPILER = [
  'engine/compile/indices',
  'engine/compile/graph',
  'engine/compile/plan',
  'engine/compile/lower/kernel',
  'engine/compile/lower/loop',
  'engine/compile/lower/contraction',
  'engine/compile/lower/winograd',
  'engine/compile/lower/scan',
  'engine/compile/lower/dense/parts',
  'engine/compile/lower/dense/spectra',
  'engine/compile/lower/dense',
  'engine/compile/lower',
  'engine/compile/program',
  'engine/compile',
];
const ENGINE = [
  'engine/ir',
  'engine/loop',
  'engine/grad',
  'engine/batch',
  ...COMPILER,
  'engine/emit',
  'engine/device',
  'engine/host',
  'engine/prepare',
  'engine',
];

/** For each layer, the layers it may import besides itself. `index` and `internals` are files right in src, `engine` the files right in it. */
const MAY_IMPORT = {
  cli: ['index', ...LIBRARY, 'functions', 'tensor'],
  index: [...LIBRARY, 'functions', 'tensor', ...ENGINE],
  internals: [...LIBRARY, ...ENGINE],
  ...Object.fromEntries(LIBRARY.map((name) => [name, [...LIBRARY, 'functions', 'tensor']])),
  functions: ['tensor', 'engine/ir'],
  tensor: ENGINE,
  engine: ENGINE,
  'engine/device': ['engine/ir', 'engine/loop', 'engine/grad', ...COMPILER, 'engine/emit'],
  ...Object.fromEntries(COMPILER.map((room, i) => [room, ['engine/ir', 'engine/loop', ...COMPILER.slice(0, i)]])),
  'engine/emit': ['engine/ir', 'engine/loop'],
  'engine/loop': ['engine/ir'],
  'engine/grad': ['engine/ir'],
  'engine/batch': ['engine/ir'],
  'engine/prepare': ['engine/ir', 'engine/device', 'engine/host'],
  'engine/host': ['engine/ir', 'engine/device'],
  'engine/ir': [],
};

/** Where Node's own modules may be used. The rest runs in browsers too and reaches these folders by `import()` only. */
const NODE_ONLY = [
  'src/cli/',
  'src/io/node/',
  'src/data/node/',
  'src/train/node/',
  'src/distributed/',
  'src/engine/device/cpu/node/',
  'src/internals.ts',
];

/** A room of the engine holds one subject: so many files beside each other, so many lines in one. */
const MOST_FILES = 15;
const MOST_LINES = 450;

function layerOf(file) {
  const parts = file.split('/').slice(1);
  if (parts.length === 1) return ['index.ts', 'internals.ts'].includes(parts[0]) ? parts[0].slice(0, -3) : undefined;
  if (parts[0] !== 'engine') return parts[0];
  if (parts[1] === 'compile') return parts.slice(0, -1).join('/');
  return parts.length === 2 ? 'engine' : `engine/${parts[1]}`;
}

/** A page that the build makes one script of, with the packages it needs: they are none of the package's own. */
const BUNDLED = 'src/cli/dashboard/page/';

const isNodeOnly = (file) => !file.startsWith(BUNDLED) && NODE_ONLY.some((folder) => file.startsWith(folder));

// ---------------------------------------------------------------- reading

/** The imports of one file: { specifier, line, kind }, kind being 'value', 'type' or 'dynamic'. */
function readImports(file, text) {
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  const imports = [];
  const add = (source, kind) => {
    if (typeof source?.value !== 'string') return; // import(expression): not known before it runs
    imports.push({ specifier: source.value, line: text.slice(0, source.start).split('\n').length, kind });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.importKind === 'type' ? 'type' : 'value'),
    ExportNamedDeclaration: (node) => add(node.source, node.exportKind === 'type' ? 'type' : 'value'),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === 'type' ? 'type' : 'value'),
    ImportExpression: (node) => add(node.source, 'dynamic'),
    TSImportType: (node) => add(node.source, 'type'),
  }).visit(program);
  return imports;
}

function listSources(root) {
  if (!existsSync(join(root, 'src'))) return [];
  return readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name) && !/\.test(-d)?\.ts$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** The source behind a relative specifier: './node.js' stands for node.ts unless a plain node.js is there. */
function resolveRelative(root, from, specifier) {
  const target = posix.join(posix.dirname(from), specifier);
  const candidates = [target, target.replace(/\.([cm]?)js$/, '.$1ts'), target.replace(/\.([cm]?)js$/, '.d.$1ts')];
  return candidates.find((path) => existsSync(join(root, path)));
}

// ---------------------------------------------------------------- checking

export function checkLayers(root) {
  const violations = [];
  const edges = []; // resolved imports between sources: { from, to, line, kind }
  const packages = readDeclaredPackages(root);
  const report = ({ from, line }, what, reason) => violations.push(`${from}:${line} imports ${what}: ${reason}`);

  const sources = listSources(root);
  violations.push(...crowdedRooms(sources));
  for (const from of sources) {
    const layer = layerOf(from);
    if (!(layer in MAY_IMPORT)) {
      violations.push(`${from}:1 is in no layer: move it, or give its folder a row in scripts/check-layers.mjs`);
    }
    const text = readFileSync(join(root, from), 'utf8');
    violations.push(...explainSize(from, text));
    for (const { specifier, line, kind } of readImports(from, text)) {
      const edge = { from, line, kind };
      if (!specifier.startsWith('.')) {
        const reason = explainPackage(from, specifier, packages);
        if (reason) report(edge, specifier, reason);
        continue;
      }
      const to = resolveRelative(root, from, specifier);
      if (!to) report(edge, specifier, 'there is no such file; relative imports end in .js');
      else if (!to.startsWith('src/')) report(edge, specifier, 'it lies outside src');
      else {
        edges.push({ ...edge, to });
        const reason = explainEdge(from, to, kind);
        if (reason) report(edge, to, reason);
      }
    }
  }

  const values = edges.filter((edge) => edge.kind === 'value');
  for (const circle of findCircles(edges.filter((edge) => edge.kind !== 'dynamic'))) {
    report(circle[0], circle[0].to, `circular: ${[circle[0].from, ...circle.map((edge) => edge.to)].join(' → ')}`);
  }
  const between = values
    .map((edge) => ({ ...edge, from: layerOf(edge.from), to: layerOf(edge.to), origin: edge }))
    .filter(({ from, to }) => from !== to && LIBRARY.includes(from) && LIBRARY.includes(to));
  for (const circle of findCircles(between)) {
    const path = [circle[0].from, ...circle.map((edge) => edge.to)].join(' → ');
    const others = circle.slice(1).map(({ origin }) => `${origin.from}:${origin.line}`);
    report(circle[0].origin, circle[0].origin.to, `folders in a circle: ${path} (with ${others.join(', ')})`);
  }
  return violations;
}

function explainSize(file, text) {
  const lines = text.split('\n').length - 1;
  if (!file.startsWith('src/engine/') || lines <= MOST_LINES) return [];
  return [`${file}:1 has ${lines} lines, of at most ${MOST_LINES}: give a part of its subject a file of its own`];
}

function crowdedRooms(sources) {
  const counts = new Map();
  for (const file of sources.filter((name) => name.startsWith('src/engine/'))) {
    const room = posix.dirname(file);
    counts.set(room, (counts.get(room) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > MOST_FILES)
    .map(([room, count]) => `${room} has ${count} files beside each other, of at most ${MOST_FILES}: make rooms of it`);
}

function explainEdge(from, to, kind) {
  const [above, below] = [layerOf(from), layerOf(to)];
  if (above !== below && above in MAY_IMPORT && !MAY_IMPORT[above].includes(below)) {
    const allowed = [above, ...collapsed(MAY_IMPORT[above].filter((name) => name !== above))];
    return `${above} must not know ${below}; it may import ${allowed.length > 1 ? '' : 'only '}${allowed.join(', ')}`;
  }
  if (kind === 'value' && isNodeOnly(to) && !isNodeOnly(from)) {
    return 'browsers load this file and the other one is for Node only; use import() where Node is known to run';
  }
  return undefined;
}

/** All the compiler's rooms as one; some of them each by its name. */
function collapsed(names) {
  const all = COMPILER.slice(0, -1).every((room) => names.includes(room));
  return all ? [...names.filter((name) => !COMPILER.slice(0, -1).includes(name)), 'engine/compile/*'] : names;
}

function explainPackage(from, specifier, packages) {
  if (specifier.startsWith('#')) return undefined;
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (specifier.startsWith('node:') || builtinModules.includes(specifier) || builtinModules.includes(name)) {
    if (isNodeOnly(from)) return undefined;
    return `a module of Node in code that browsers load; allowed in ${NODE_ONLY.join(', ')}`;
  }
  if (name === packages.self) return 'the library imports itself by relative paths';
  if (from.startsWith(BUNDLED) && packages.forBuilding.has(name)) return undefined;
  if (!packages.declared.has(name)) return 'not among the dependencies of package.json';
  return undefined;
}

function readDeclaredPackages(root) {
  const file = join(root, 'package.json');
  const manifest = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const { name, dependencies, optionalDependencies, peerDependencies, devDependencies = {} } = manifest;
  return {
    self: name,
    declared: new Set(Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })),
    forBuilding: new Set(Object.keys(devDependencies)),
  };
}

/** One circle, as a list of edges, for each edge that closes one in a depth-first walk. */
function findCircles(edges) {
  const outgoing = new Map();
  for (const edge of edges) outgoing.set(edge.from, [...(outgoing.get(edge.from) ?? []), edge]);
  const state = new Map(); // 'open' while a file's imports are being walked, then 'done'
  const path = [];
  const circles = [];
  const walk = (file) => {
    state.set(file, 'open');
    for (const edge of outgoing.get(file) ?? []) {
      path.push(edge);
      if (state.get(edge.to) === 'open') circles.push(path.slice(path.findIndex(({ from }) => from === edge.to)));
      else if (!state.has(edge.to)) walk(edge.to);
      path.pop();
    }
    state.set(file, 'done');
  };
  for (const file of outgoing.keys()) if (!state.has(file)) walk(file);
  return circles;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..'));
  const violations = checkLayers(root);
  for (const line of violations) console.error(line);
  if (violations.length > 0) {
    console.error(`${violations.length} violation${violations.length === 1 ? '' : 's'} of the layers.`);
    process.exit(1);
  }
}
