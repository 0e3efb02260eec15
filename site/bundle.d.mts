import type { Lecture } from './lab/lectures.js';

/** Writes the lab's pages and scripts into a folder. `formula` turns TeX into HTML. `isolate`: its pages ask for threads by a service worker. */
export function buildLab(
  out: string,
  formula: (tex: string) => string,
  options?: { readonly isolate?: boolean },
): Promise<readonly Lecture[]>;
/** A program in TypeScript as a module for Node, with nabla in it. */
export function bundleProgram(contents: string): Promise<string>;
