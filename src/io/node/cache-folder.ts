// Where files are kept that can be had again: data sets, weights.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

const { homedir } = process.getBuiltinModule('node:os');
const { join } = process.getBuiltinModule('node:path');

/** The folder of the user's cache for files of a kind. */
export function cacheFolder(kind: 'data' | 'weights'): string {
  if (process.platform === 'win32') return join(process.env['LOCALAPPDATA'] ?? homedir(), 'nabla', kind);
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'nabla', kind);
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'nabla', kind);
}
