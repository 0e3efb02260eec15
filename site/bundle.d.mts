import type { Lecture } from './lab/lectures.js';

/** Writes the lab's pages and scripts into a folder. `formula` turns TeX into HTML. */
export function buildLab(out: string, formula: (tex: string) => string): Promise<readonly Lecture[]>;
/** A program in TypeScript as a module for Node, with nabla in it. */
export function bundleProgram(contents: string): Promise<string>;
