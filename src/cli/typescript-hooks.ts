// Hooks of Node's module loader, in the loader's own thread: files in TypeScript lose their types, and `nabla` is the
// package that this command belongs to, wherever the file lies.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

interface Resolved {
  readonly url: string;
  readonly shortCircuit?: boolean;
}

interface Loaded {
  readonly format: string;
  readonly source: string;
  readonly shortCircuit: boolean;
}

const OWN = /^nabla(?:\/([a-z]+))?$/;

export async function resolve(
  specifier: string,
  context: object,
  next: (specifier: string, context: object) => Promise<Resolved>,
): Promise<Resolved> {
  const own = OWN.exec(specifier);
  if (own !== null) {
    const path = own[1] === undefined ? '../index.js' : `../${own[1]}/index.js`;
    return { url: new URL(path, import.meta.url).href, shortCircuit: true };
  }
  try {
    return await next(specifier, context);
  } catch (error) {
    // as TypeScript has it: './model.js' may stand for model.ts
    if (!/^\.{1,2}\/.*\.[cm]?js$/.test(specifier)) throw error;
    return await next(specifier.replace(/js$/, 'ts'), context);
  }
}

export async function load(
  url: string,
  context: object,
  next: (url: string, context: object) => Promise<Loaded>,
): Promise<Loaded> {
  if (!/\.m?ts$/.test(new URL(url).pathname)) return await next(url, context);
  const path = fileURLToPath(url);
  const { transformSync } = await import('oxc-transform');
  const { code, errors } = transformSync(path, await readFile(path, 'utf8'));
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0].message}`);
  return { format: 'module', source: code, shortCircuit: true };
}
