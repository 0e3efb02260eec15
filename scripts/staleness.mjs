// Says whether dist/, or what tests load, still mirrors src/. A build leaves a stamp with the list of its sources; it is out of date
// when a source is newer than the stamp, or when the list has changed (a file added, removed or renamed).
import { existsSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';

export const STAMP = join('dist', '.build-stamp');
const CONFIGURATION = [
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  ...['build.mjs', 'bundle.mjs'].map((name) => join('scripts', name)),
];

/** Every file of src that takes part in a build, sorted; tests do not. */
export function listSources() {
  if (!existsSync('src')) return [];
  return readdirSync('src', { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test(-d)?\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Why a build is needed; undefined when it is not. */
export function describeStaleness(stamp = STAMP) {
  if (!existsSync(stamp)) return 'no complete build yet';
  const sources = listSources();
  const built = new Set(readFileSync(stamp, 'utf8').split('\n').filter(Boolean));
  for (const file of sources) if (!built.has(toPosix(file))) return `${toPosix(file)} is new`;
  if (built.size !== sources.length) return 'a source was removed';
  const time = statSync(stamp).mtimeMs;
  const newer = [...CONFIGURATION, ...sources].find((file) => statSync(file).mtimeMs > time);
  return newer && `${toPosix(newer)} has changed`;
}

/** Marks a build of `sources`, begun at `started`, as complete. */
export function writeStamp(sources, started, stamp = STAMP) {
  writeFileSync(stamp, `${sources.map(toPosix).join('\n')}\n`);
  utimesSync(stamp, started, started); // a source edited during the build is newer than the stamp
}

function toPosix(path) {
  return path.split(sep).join('/');
}
