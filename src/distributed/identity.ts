// What processes have to have in common before they can train together: the version of nabla, the program, the kind of processor.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import { HOME } from '../tensor/library.js';

const { createHash } = process.getBuiltinModule('node:crypto');
const { existsSync, readFileSync } = process.getBuiltinModule('node:fs');
const { dirname, join } = process.getBuiltinModule('node:path');
const { fileURLToPath } = process.getBuiltinModule('node:url');

export function identity(): Readonly<Record<string, string>> {
  return {
    'the version of nabla': version(),
    'the program': program(),
    'the kind of processor': process.arch,
  };
}

/** From the package.json above src/ or dist/. */
function version(): string {
  if (!HOME.startsWith('file:')) return 'unknown';
  for (let at = fileURLToPath(HOME); dirname(at) !== at; at = dirname(at)) {
    const path = join(at, 'package.json');
    if (!existsSync(path)) continue;
    const { name, version: found } = JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version?: string };
    if (name === 'nabla') return String(found);
  }
  return 'unknown';
}

/** The first file that was started, by what is in it. */
function program(): string {
  const [, path] = process.argv;
  if (path === undefined || !existsSync(path)) return 'none';
  return `${path.split(/[/\\]/).at(-1)} (${createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12)})`;
}
