// Brings a checkout to a state that can run: installs what is missing and, with --build, builds what is out of date.
// Depends on nothing but Node, because it runs before anything is installed. Says one line for each thing it does, on
// standard error, and nothing when all is in place.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeStaleness } from './staleness.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`nabla: needs Node 20.19 or later, this is ${process.version}.`);
  process.exit(1);
}

const missing = describeMissingPackages();
if (missing) {
  // npm would empty the folder behind the link, which is another checkout's.
  if (lstatSync('node_modules', { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error(
      `nabla: node_modules is a link, and packages would have to be installed there (${missing}). Remove the link.`,
    );
    process.exit(1);
  }
  console.error(`nabla: installing packages (${missing})`);
  run('npm', ['ci', '--no-audit', '--no-fund']);
}
if (process.argv.includes('--build')) {
  const stale = describeStaleness();
  if (stale) {
    console.error(`nabla: building (${stale})`);
    run(process.execPath, ['scripts/build.mjs']);
  }
}

/** Why `npm ci` is needed; undefined when it is not. */
function describeMissingPackages() {
  const installed = 'node_modules/.package-lock.json'; // written by npm at the end of an installation
  if (!existsSync(installed)) return 'node_modules is missing';
  if (statSync('package-lock.json').mtimeMs > statSync(installed).mtimeMs) return 'package-lock.json has changed';
  return undefined;
}

function run(command, args) {
  const result = spawnSync(command, args, { stdio: ['inherit', 2, 2], shell: process.platform === 'win32' });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    console.error(`nabla: '${[command, ...args].join(' ')}' failed (${result.signal ?? `exit ${result.status}`}).`);
    process.exit(result.status ?? 1);
  }
}
