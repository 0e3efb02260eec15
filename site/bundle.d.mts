import type { Lecture } from './lab/lectures.js';

/** Writes the lab's pages and scripts into a folder. `formula` turns TeX into HTML. `isolate`: its pages ask for threads by a service worker. */
export function buildLab(
  out: string,
  formula: (tex: string) => string,
  options?: { readonly isolate?: boolean },
): Promise<readonly Lecture[]>;
/**
 * A program in TypeScript as a module for Node, with nabla in it. What it imports as `program:NAME` is the text of that name in `programs`.
 */
export function bundleProgram(contents: string, programs?: Readonly<Record<string, string>>): Promise<string>;
