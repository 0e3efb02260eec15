// How this command can be called again, to be copied from the screen.

import { basename, relative } from 'node:path';

export function commandLine(...args: readonly string[]): string {
  const script = process.argv[1] ?? 'nabla';
  const self = basename(script).startsWith('nabla')
    ? 'nabla'
    : `${host()} ${quote(shorter(relative(process.cwd(), script), script))}`;
  return [self, ...args.map(quote)].join(' ');
}

function host(): string {
  const { bun, deno } = process.versions;
  return bun !== undefined ? 'bun' : deno !== undefined ? 'deno run -A' : 'node';
}

function shorter(a: string, b: string): string {
  return a.length <= b.length ? a : b;
}

function quote(argument: string): string {
  return /^[\w./:@=+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
