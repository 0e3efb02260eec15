// What is added to a variance, checked.

import { ArgumentError } from '../../tensor/library.js';

/** Throws ArgumentError unless eps is a finite number of at least 0. */
export function checkEps(name: string, eps: number): void {
  if (!(eps >= 0 && eps < Infinity)) throw new ArgumentError(`${name}: eps is ${eps}. Use a number of at least 0.`);
}
