// Node as the host of the CPU device: worker threads, the number of cores, V8's flags.
// Output: a Platform, or undefined outside Node. Modules of Node are reached through `process.getBuiltinModule`, never
// imported: the device is created synchronously, and a bundler for the browser must find nothing to resolve here.

import type { Platform, ThreadHandle } from './platform.js';
import { v8Flags } from './v8-flags.js';

export function createNodePlatform(): Platform | undefined {
  const { process } = globalThis as { process?: NodeJS.Process };
  if (process?.versions?.node === undefined || process.getBuiltinModule === undefined) return undefined;
  return {
    name: 'node',
    shared: true,
    mayBlock: true,
    cores: process.getBuiltinModule('node:os').availableParallelism(),
    environment: (name) => process.env[name],
    compiling: createCompiling(process),
    spawn: (code, data, name) => spawnWorkerThread(process, code, data, name),
  };
}

function spawnWorkerThread(process: NodeJS.Process, code: string, data: unknown, name: string): ThreadHandle {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const worker = new Worker(`${code};start(require('node:worker_threads').workerData, undefined);`, {
    eval: true,
    workerData: data,
    name,
    execArgv: [], // the caller's loaders and preloads are of no use there
    trackUnmanagedFds: false,
  });
  worker.unref();
  let [isEnding, isEnded] = [false, false];
  let failed = (_: string): void => {};
  const end = (reason: string): void => {
    if (!isEnding && !isEnded) failed(reason);
    isEnded = true;
  };
  // Others can get hold of a worker (process.on('worker'), a test runner that tidies up). It has to be known at once: a run
  // blocks this thread, and whoever then waits for a thread that is going never hears of its end.
  const { terminate } = worker;
  worker.terminate = () => {
    end('the program terminated it');
    return terminate.call(worker);
  };
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    listen(listener, onFailure) {
      failed = onFailure;
      worker.on('message', listener);
      worker.on('error', (error) => end(String(error)));
      worker.on('exit', (code) => end(`exit code ${code}`));
      worker.unref(); // once more: listening for messages keeps the process alive
    },
    async terminate() {
      isEnding = true;
      worker.ref(); // or the process ends before the thread has, and whoever awaits this never goes on
      await worker.terminate();
    },
  };
}

/**
 * Compiles straight to optimised code, with relaxed SIMD, where V8 can be told so (see v8-flags.ts). Flags belong to the
 * process: they are set only while a module of ours is being compiled, on this thread, which therefore runs nothing else,
 * and put back at once. Other WebAssembly keeps its defaults; another thread that compiles in these milliseconds gets
 * optimised code too. A flag that the user chose is left alone.
 */
function createCompiling(process: NodeJS.Process): Platform['compiling'] {
  const options = `${process.execArgv.join(' ')} ${process.env['NODE_OPTIONS'] ?? ''}`;
  const flags = v8Flags(process.versions, options);
  if (flags.length === 0) return (work) => work();
  const v8 = process.getBuiltinModule('node:v8');
  return (work) => {
    for (const { set } of flags) v8.setFlagsFromString(set);
    try {
      work();
    } finally {
      for (const { reset } of flags) v8.setFlagsFromString(reset);
    }
  };
}
