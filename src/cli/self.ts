// How this command can be called again, to be copied from the screen.

import { basename, relative } from 'node:path';

export function commandLine(...args: readonly string[]): string {
  const script = process.argv[1] ?? 'nabla';
  const self = basename(script).startsWith('nabla') ? 'nabla' : `${host()} ${quote(shortest(script))}`;
  return [self, ...args.map(quote)].join(' ');
}

function host(): string {
  const { bun, deno } = process.versions;
  return bun !== undefined ? 'bun' : deno !== undefined ? 'deno run -A' : 'node';
}

/** A path from here or from the root, whichever is shorter; with a `./` where it would look like a name. */
export function shortest(path: string): string {
  const near = relative(process.cwd(), path);
  const named = /[/\\]/.test(near) ? near : `./${near}`;
  return named.length <= path.length ? named : path;
}

/** An argument as a shell takes it. */
export function quote(argument: string): string {
  return /^[\w./:@=+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
