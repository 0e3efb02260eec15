#!/usr/bin/env node
// The command `nabla`. Wiring only: arguments in, exit code out. 0: done; 1: a fault of nabla, or a system that refuses; 2:
// something to correct in the command, a file or a value; 130: Ctrl-C.

import { writeSync } from 'node:fs';
import { fileFault } from './errors.js';
import { pending } from './pending.js';
import { complain, run } from './program.js';

/** Ends at once: what is still to be printed has nowhere to go. */
function giveUp(stream: string, error: unknown): never {
  try {
    writeSync(2, `nabla: ${fileFault('write', stream, error).message}\n`);
  } catch {
    // there is nobody to tell
  }
  process.exit(1);
}
process.stdout.on('error', (error) => giveUp('standard output', error));
process.stderr.on('error', (error) => giveUp('standard error', error));

let isDone = false;
process.on('beforeExit', () => {
  if (isDone) return;
  complain(`${pending() ?? 'what the command waits for'} never comes: nothing is left that could bring it.`);
  process.exit(1);
});

/** Milliseconds after which what a definition has left running (a timer, a server) does not keep the process any more. */
const GRACE_MS = 1000;

/** Whatever is still to be printed is printed first. */
function end(): void {
  if (process.stdout.writableLength === 0) process.exit();
  setTimeout(end, 50).unref();
}

// Without a top-level await: a promise that never settles would end the process before anything could be said.
void run(process.argv.slice(2)).then((exitCode) => {
  isDone = true;
  process.exitCode = exitCode;
  setTimeout(end, GRACE_MS).unref();
});
