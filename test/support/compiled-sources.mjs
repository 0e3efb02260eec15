// The sources as JavaScript for tests: a module each, in a folder that has the form of src/ and lies beside it, so that Node loads them
// itself. What goes through Vitest reaches other modules through getters: a process takes a second more to load the library, and the
// library takes longer wherever a function calls one of another file.
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { describeStaleness, listSources, writeStamp } from '../../scripts/staleness.mjs';

const FOLDER = '.test-build';
const STAMP = join(FOLDER, '.build-stamp');
/** The end of the name of a file that some process is about to publish, which may be another one than this. */
const UNPUBLISHED = '.tmp';
const root = fileURLToPath(new URL('../..', import.meta.url))
  .split(sep)
  .join('/');

/** Compiles the sources if one has changed since the last time. */
async function compileSources() {
  if (describeStaleness(STAMP) === undefined) return;
  const started = new Date();
  const sources = listSources();
  const [modules, assets] = [sources.filter(isModule), sources.filter((file) => !isModule(file))];
  const build = await rolldown({
    input: Object.fromEntries(modules.map((file) => [inFolder(file).slice(0, -'.ts'.length), file])),
    external: (id) => !/^(?:[./]|[A-Za-z]:\\)/.test(id),
    platform: 'neutral',
    tsconfig: 'tsconfig.build.json',
    transform: { target: 'es2022' }, // Node 20 does not parse `using`
    treeshake: false,
    checks: { bundlerTimings: false }, // on a busy machine everything is slow, which is no fault of the sources
  });
  const options = { dir: FOLDER, format: 'esm', preserveModules: true, preserveModulesRoot: 'src', sourcemap: true };
  const { output } = await build.generate(options);
  await build.close();
  const files = new Map(assets.map((file) => [inFolder(file), readFileSync(file)]));
  for (const file of output) files.set(file.fileName, Buffer.from(file.type === 'chunk' ? file.code : file.source));
  for (const [name, bytes] of files) publish(join(FOLDER, name), bytes);
  for (const entry of readdirSync(FOLDER, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const isOwn = file === STAMP || files.has(inFolder(file)) || file.endsWith(UNPUBLISHED);
    if (entry.isFile() && !isOwn) rmSync(file, { force: true });
  }
  writeStamp(sources, started, STAMP);
}

function isModule(file) {
  return /(?<!\.d)\.ts$/.test(file);
}

/** The path within src or the folder. */
function inFolder(file) {
  return file.split(sep).slice(1).join('/');
}

/** Another process may be loading what is there. */
function publish(file, bytes) {
  const old = read(file);
  if (old !== undefined && old.equals(bytes)) return;
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}${UNPUBLISHED}`;
  writeFileSync(temporary, bytes);
  renameSync(temporary, file);
}

function read(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A plugin of Vite: who imports a source gets the compiled one. */
export async function compiledSources() {
  await compileSources();
  const sources = new Set(
    listSources()
      .filter(isModule)
      .map((file) => root + file.split(sep).join('/')),
  );
  return {
    name: 'compiled-sources',
    enforce: 'pre',
    async resolveId(source, importer, options) {
      const resolved = await this.resolve(source, importer, { ...options, skipSelf: true });
      if (resolved === null || !sources.has(resolved.id)) return resolved;
      return posix.join(root, FOLDER, resolved.id.slice(`${root}src/`.length).replace(/ts$/, 'js'));
    },
  };
}
