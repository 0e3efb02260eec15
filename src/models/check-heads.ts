// What models with attention check alike.

import { ArgumentError } from '../tensor/library.js';

/** Throws unless each head gets as many features. */
export function checkHeads(call: string, width: number, heads: number): void {
  if (width % heads !== 0)
    throw new ArgumentError(`${call}: ${heads} heads do not divide width ${width}. Use a number that does.`);
}
