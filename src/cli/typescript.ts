// Teaches the module loader of this process TypeScript and the name `nabla` (typescript-hooks.ts), by the way that the host
// offers: Node from 22.15 and Deno take functions, Node 20 a module for its loader's thread, which Node 26 warns of, and
// Bun neither (it knows TypeScript itself; `nabla` has to be installed where the file lies).

import { readFileSync } from 'node:fs';
import * as host from 'node:module';
import { type Transform, followTypeScript, resolveOwn, stripTypes, typeScriptPath } from './typescript-hooks.js';

interface Context {
  readonly parentURL?: string;
}

interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
  readonly shortCircuit?: boolean | undefined;
}

interface Loaded {
  readonly format: string | null | undefined;
  readonly source?: unknown;
  readonly shortCircuit?: boolean | undefined;
}

type NextResolve = (specifier: string, context?: object) => Resolved;
type NextLoad = (url: string, context?: object) => Loaded;

/** node:module as newer hosts have it; the types are those of the oldest. */
interface Hooking {
  registerHooks?(hooks: {
    resolve(specifier: string, context: Context, next: NextResolve): Resolved;
    load(url: string, context: object, next: NextLoad): Loaded;
  }): unknown;
}

let transformSync: Transform | undefined;
let isRegistered = false;

/** Whether files in TypeScript can be loaded: with the package oxc-transform, or by a host that strips types itself. */
export async function loadTypeScript(): Promise<boolean> {
  try {
    ({ transformSync } = await import('oxc-transform'));
    return true;
  } catch {
    const { bun, deno } = process.versions;
    const { typescript } = process.features as { readonly typescript?: unknown }; // Node from 22.10
    return bun !== undefined || deno !== undefined || Boolean(typescript);
  }
}

/** Changes how this process loads modules, once. */
export function registerHooks(): void {
  if (isRegistered) return;
  isRegistered = true;
  const { registerHooks: register } = host as Hooking;
  if (register === undefined) host.register('./typescript-thread.js', import.meta.url);
  else register({ resolve, load });
}

function resolve(specifier: string, context: Context, next: NextResolve): Resolved {
  const own = resolveOwn(specifier);
  if (own !== undefined) return { url: own, shortCircuit: true };
  return next(followTypeScript(specifier, context.parentURL), context);
}

function load(url: string, context: object, next: NextLoad): Loaded {
  const path = typeScriptPath(url);
  if (path === undefined || transformSync === undefined) return next(url, context);
  return { format: 'module', source: stripTypes(transformSync, path, readFileSync(path, 'utf8')), shortCircuit: true };
}
