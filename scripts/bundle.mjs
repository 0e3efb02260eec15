// The JavaScript of dist/: every entry of the package and what they share in chunks, since a host takes a quarter of a
// millisecond to open a module and the sources are some hundreds. Names of classes stay (errors and summaries print them).

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { posix, relative, sep } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { rolldown } from 'rolldown';
import { listSources } from './staleness.mjs';

/** What is loaded by its address: the command, a worker's module, a loader's thread, the bench. */
const BY_ADDRESS = ['cli/main', 'cli/search/objective', 'cli/search/worker', 'cli/typescript-thread', 'internals'];

/** Stands for the way from a chunk to dist/ until it is known where the chunk is written. */
const ROOT = 'nabla-root:/';

export async function bundle() {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const published = Object.values(exports).flatMap(({ default: file }) =>
    file === undefined ? [] : [file.slice('./dist/'.length, -'.js'.length)],
  );
  const entries = [...published, ...BY_ADDRESS];
  const build = await rolldown({
    input: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
    external: (id) => !/^(?:[./]|[A-Za-z]:\\)/.test(id),
    platform: 'neutral',
    tsconfig: 'tsconfig.build.json',
    transform: { target: 'es2022', define: { NABLA_ENGINE_DIGEST: JSON.stringify(engineDigest()) } },
    plugins: [addresses],
    checks: { bundlerTimings: false }, // on a busy machine everything is slow, which is no fault of the sources
    onLog: (level, log, report) => {
      if (level === 'warn') throw new Error(log.message);
      report(level, log);
    },
  });
  const { output } = await build.write({
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    comments: { legal: true, annotation: true, jsdoc: false },
    minify: false,
  });
  await build.close();
  for (const { code, fileName } of output) checkNames(code, fileName);
  await bundlePage();
}

/** What programs on disk depend on: translated by other sources, they are others (engine/device/cpu/persistent). */
function engineDigest() {
  const hash = createHash('sha256');
  for (const file of listSources().filter((name) => name.split(sep)[1] === 'engine'))
    hash
      .update(`${file.split(sep).join('/')}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex');
}

/** The dashboard's page as one script, with all that it needs. */
async function bundlePage() {
  const build = await rolldown({
    input: 'src/cli/dashboard/page/main.ts',
    platform: 'browser',
    tsconfig: 'tsconfig.build.json',
    transform: { target: 'es2022' },
    treeshake: { moduleSideEffects: false },
  });
  await build.write({ file: 'dist/cli/dashboard/page.js', format: 'esm', minify: true, comments: { legal: true } });
  await build.close();
}

/**
 * Files that a module names by their place beside itself (`new URL('../x.js', import.meta.url)`) are found from the chunk that the
 * module comes to lie in.
 */
const addresses = {
  name: 'addresses',
  transform(code, id) {
    if (!code.includes('import.meta')) return null;
    const file = relative('src', id).split(sep).join('/');
    const places = [];
    const isOwn = (node) =>
      node?.type === 'MemberExpression' && node.object.type === 'MetaProperty' && node.property.name === 'url';
    const look = (node) => {
      const [first, second] = node.arguments;
      if (isOwn(second)) places.push(second);
      else if (isOwn(first) && node.callee.name === 'fileURLToPath') places.push(first);
    };
    new Visitor({ NewExpression: look, CallExpression: look }).visit(parseSync(id, code).program);
    let text = code;
    for (const { start, end } of places.sort((a, b) => b.start - a.start)) {
      const own = `new URL('${ROOT}${file.replace(/ts$/, 'js')}', import.meta.url).href`;
      text = text.slice(0, start) + own + text.slice(end);
    }
    return text;
  },
  renderChunk(code, chunk) {
    const toRoot = posix.relative(posix.dirname(chunk.fileName), '.') || '.';
    return code.includes(ROOT) ? code.replaceAll(ROOT, `${toRoot}/`) : null;
  },
};

/** Fails where a class was given another name than its source has: two of one name in a chunk. */
function checkNames(code, fileName) {
  const renamed = /\b(?:var|let|const) (\w+?)(?:\$\w*) = class\b|= class _\w+/.exec(code);
  if (renamed !== null) throw new Error(`${fileName}: a class was renamed (${renamed[0]}): give it a name of its own`);
}
