// Option values: texts in, checked numbers out, and the error that ends a command with one line.

import { setDevice } from '../index.js';

/** Something that the user can put right: one line on standard error, exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

function number(text: string, option: string, wanted: string, fits: (n: number) => boolean): number {
  const n = text.trim() === '' ? NaN : Number(text);
  if (!fits(n)) throw new UsageError(`--${option} is '${text}'. Use ${wanted}.`);
  return n;
}

export const count =
  (option: string) =>
  (text: string): number =>
    number(text, option, 'a whole number from 1 to 1000000', (n) => Number.isInteger(n) && n >= 1 && n <= 1e6);

export const aboveZero =
  (option: string) =>
  (text: string): number =>
    number(text, option, 'a number above 0', (n) => Number.isFinite(n) && n > 0);

export const aSeed = (text: string): number =>
  number(text, 'seed', 'a whole number from 0 to 2147483647', (n) => Number.isInteger(n) && n >= 0 && n <= 0x7fffffff);

/** The device of that name becomes the one that everything is made on. */
export function aDevice(name: string): string {
  setDevice(name);
  return name;
}
