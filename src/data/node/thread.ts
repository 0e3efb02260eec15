// A worker thread of Node for worker-pool.ts. It keeps the process alive only while something is asked of it.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import type { FromThread, ToThread } from '../worker-thread.js';
import type { Thread } from '../worker-pool.js';

const { Worker } = process.getBuiltinModule('node:worker_threads');

/** Starts a thread that runs `code`, which defines `start(port)`. */
export function startNodeThread(code: string): Thread {
  const worker = new Worker(
    `${code}
    const { parentPort } = require('node:worker_threads');
    start({
      post: (message, transfer) => parentPort.postMessage(message, transfer),
      listen: (listener) => parentPort.on('message', listener),
    });`,
    { eval: true, name: 'nabla data', execArgv: [] },
  );
  let isStopping = false;
  return {
    post: (message: ToThread) => worker.postMessage(message),
    listen(listener, stopped) {
      worker.on('message', (message: FromThread) => listener(message));
      worker.on('error', (error: Error) => stopped(error));
      worker.on('messageerror', (error: Error) => stopped(error));
      worker.on('exit', (code: number) => stopped(new Error(`the thread ended with code ${code}`)));
    },
    setBusy(isBusy) {
      if (isBusy) worker.ref();
      else if (!isStopping) worker.unref();
    },
    async stop() {
      isStopping = true;
      worker.ref(); // or the process ends before the thread has, and whoever awaits this never goes on
      await worker.terminate();
    },
  };
}
