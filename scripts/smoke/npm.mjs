// npm, as the smoke tests use it: install exact packages into a folder, without running any of their scripts.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
/** Kept between calls; below node_modules, so that `npm ci` and git see to it. */
const cache = join(root, 'node_modules', '.cache', 'nabla-smoke');

/**
 * Installs `packages` (name → version or tarball) into `folder`, the newest that the versions allow. Throws with npm's own
 * words, for example when the registry cannot be reached.
 */
export function install(folder, packages) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies: packages }, undefined, 2),
  );
  npm(folder, 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--prefer-online');
}

export function npm(cwd, ...args) {
  const { status, stdout, stderr, error } = spawnSync('npm', args, {
    cwd,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    maxBuffer: 1 << 26,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`npm ${args.join(' ')}: exit ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** A folder of tools that stays from one call to the next. */
export function installTools(name, packages) {
  const folder = join(cache, name);
  install(folder, packages);
  return folder;
}

/** Packs the package as it would be published and installs it into `folder`, beside `packages`. */
export function installPacked(folder, packages = {}) {
  mkdirSync(folder, { recursive: true });
  const report = JSON.parse(npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder));
  const [{ filename }] = Object.values(report);
  install(folder, { nabla: `file:./${filename}`, ...packages });
}
