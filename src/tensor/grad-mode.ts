// Whether operations are recorded for gradients. `noGrad` switches recording off for the duration of a callback,
// synchronous or not, and for nobody else.

import { checkFunction } from '../engine/ir/arguments.js';
import { AsyncScope } from '../engine/host/async-scope.js';

let isOff = false;
const scope = new AsyncScope<object>();
const OFF = {};

export function isGradEnabled(): boolean {
  return !isOff && scope.current() === undefined;
}

/**
 * Runs `body` without recording gradients: results inside do not require grad. The body may be asynchronous: then what it
 * awaits belongs to it, and what runs meanwhile does not (in browsers, which cannot tell them apart, it does).
 * PyTorch: torch.no_grad.
 */
export function noGrad<T>(body: () => T): T {
  checkFunction('noGrad', body);
  return scope.run(OFF, body);
}

/** `noGrad` for a body that is not asynchronous: for the library itself, in every step. */
export function withoutGrad<T>(body: () => T): T {
  const before = isOff;
  isOff = true;
  try {
    return body();
  } finally {
    isOff = before;
  }
}
