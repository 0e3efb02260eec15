#!/usr/bin/env node
// The command `nabla`. Wiring only: arguments in, exit code out. 0: done; 1: a fault of nabla; 2: something to correct in
// the command, a file or a value; 130: Ctrl-C.

import { run } from './program.js';

// A reader that stops early (`nabla predict --test | head`) is no fault of anyone.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await run(process.argv.slice(2));
