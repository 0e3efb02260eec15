// What the module loader does for a file that defines a run: files in TypeScript lose their types, and `nabla` is the package that
// this command belongs to, wherever the file lies. Said once, without regard to how a host takes it: as functions on this
// thread (module.registerHooks: Node from 22.15, Deno), or as a module in a thread of the loader (typescript-thread.ts).

import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { transformSync } from 'oxc-transform';

export type Transform = typeof transformSync;

const OWN = /^nabla(?:\/([a-z]+))?$/;

/** The address of a module of this package; undefined for any other. */
export function resolveOwn(specifier: string): string | undefined {
  const own = OWN.exec(specifier);
  if (own === null) return undefined;
  return new URL(own[1] === undefined ? '../index.js' : `../${own[1]}/index.js`, import.meta.url).href;
}

/**
 * What a specifier says as TypeScript has it: './model.js' may stand for model.ts, where there is no model.js. The files are
 * asked, not the loader's error: Deno's comes only when the module is loaded.
 */
export function followTypeScript(specifier: string, parent: string | undefined): string {
  if (parent?.startsWith('file:') !== true || !/^\.{1,2}\/.*\.[cm]?js$/.test(specifier)) return specifier;
  const other = specifier.replace(/js$/, 'ts');
  const exists = (name: string) => existsSync(fileURLToPath(new URL(name, parent)));
  return !exists(specifier) && exists(other) ? other : specifier;
}

/** The path of a file in TypeScript; undefined for any other module. */
export function typeScriptPath(url: string): string | undefined {
  return url.startsWith('file:') && /\.m?ts$/.test(new URL(url).pathname) ? fileURLToPath(url) : undefined;
}

export function stripTypes(transform: Transform, path: string, source: string): string {
  const { code, map, errors } = transform(path, source, { sourcemap: true });
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0].message}`);
  if (map === undefined) return code;
  // Lines move when types go. What the file says is left out: it is read where it lies.
  const { version, names, sources, mappings } = map;
  const text = JSON.stringify({ version, names, sources: sources.map(() => pathToFileURL(path).href), mappings });
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(text).toString('base64')}\n`;
}
