// What a command waits for that others have written and that may never come: a definition's module, its data and model. When
// nothing is left that could bring it, the command says so and ends (main.ts); Ctrl-C ends the waiting (signals.ts).

import { Interrupted } from './errors.js';
import type { Stop } from './signals.js';

let waitingFor: string | undefined;

/** In words, such as `the module ./run.ts`; undefined if it is nothing. */
export function pending(): string | undefined {
  return waitingFor;
}

/** Waits, and notes for what. Throws Interrupted once `stop` has a signal. */
export async function waitFor<T>(what: string, promise: T | Promise<T>, stop?: Stop): Promise<T> {
  const before = waitingFor;
  waitingFor = what;
  try {
    return await (stop === undefined ? promise : Promise.race([promise, stopped(stop, what)]));
  } finally {
    waitingFor = before;
  }
}

function stopped(stop: Stop, what: string): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new Interrupted(`stopped while waiting for ${what}`, stop.signal ?? 'SIGINT'));
    if (stop.abort.aborted) end();
    else stop.abort.addEventListener('abort', end, { once: true });
  });
}
