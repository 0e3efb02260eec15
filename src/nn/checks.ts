// Argument checks that layers share.

import { ArgumentError } from '../tensor/library.js';

/** Throws unless `value` is a whole number of at least `least`. */
export function checkCount(value: number, least: number, what: string): void {
  if (!Number.isInteger(value) || value < least)
    throw new ArgumentError(`${what} is ${value}. Use a whole number of at least ${least}.`);
}
