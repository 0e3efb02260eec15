// Node's modules for the native tier, reached without imports: a bundler for the browser must find nothing to resolve.

/** The process, where it is Node's and can give its own modules. */
export function nodeProcess(): NodeJS.Process | undefined {
  const { process } = globalThis as { process?: NodeJS.Process };
  return process?.versions?.node === undefined || process.getBuiltinModule === undefined ? undefined : process;
}
