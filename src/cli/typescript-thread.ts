// The hooks of typescript-hooks.ts for a loader with a thread of its own, which imports this module (module.register).

import { readFile } from 'node:fs/promises';
import { followTypeScript, resolveOwn, stripTypes, typeScriptPath } from './typescript-hooks.js';

interface Context {
  readonly parentURL?: string;
}

interface Resolved {
  readonly url: string;
  readonly shortCircuit?: boolean;
}

interface Loaded {
  readonly format: string;
  readonly source: string;
  readonly shortCircuit: boolean;
}

export async function resolve(
  specifier: string,
  context: Context,
  next: (specifier: string, context: Context) => Promise<Resolved>,
): Promise<Resolved> {
  const own = resolveOwn(specifier);
  if (own !== undefined) return { url: own, shortCircuit: true };
  return await next(followTypeScript(specifier, context.parentURL), context);
}

export async function load(
  url: string,
  context: object,
  next: (url: string, context: object) => Promise<Loaded>,
): Promise<Loaded> {
  const path = typeScriptPath(url);
  if (path === undefined) return await next(url, context);
  const { transformSync } = await import('oxc-transform');
  return {
    format: 'module',
    source: stripTypes(transformSync, path, await readFile(path, 'utf8')),
    shortCircuit: true,
  };
}
