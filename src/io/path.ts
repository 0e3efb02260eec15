// Paths that stay what they were when the caller gave them, wherever the process goes meanwhile. Works without Node, where
// there are no paths to resolve.

/** `path` as an absolute path of the working directory of now; as it is where there is no Node. */
export function absolutePath(path: string): string {
  const host = globalThis as { process?: NodeJS.Process };
  if (host.process?.versions?.node === undefined) return path;
  return host.process.getBuiltinModule('node:path').resolve(path);
}
