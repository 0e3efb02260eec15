// Which JavaScript host this is, and what it offers.
// Input: the globals; output: a Platform. It must not import anything of Node: a bundler for the browser reads it.

import { createNodePlatform } from './node-platform.js';
import type { Platform, ThreadHandle } from './platform.js';

export function detectPlatform(): Platform {
  return createNodePlatform() ?? createBrowserPlatform();
}

function createBrowserPlatform(): Platform {
  const isPage = typeof document !== 'undefined';
  return {
    name: isPage ? 'browser page' : 'browser worker',
    shared: typeof SharedArrayBuffer !== 'undefined' && globalThis.crossOriginIsolated,
    mayBlock: !isPage,
    cores: globalThis.navigator?.hardwareConcurrency ?? 1,
    environment: () => undefined,
    compiling: (work) => work(),
    spawn: spawnWebWorker,
  };
}

function spawnWebWorker(code: string, data: unknown, name: string): ThreadHandle {
  const program = `${code};self.onmessage = (event) => { self.onmessage = null; start(event.data, self); };`;
  const url = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
  const worker = new Worker(url, { name });
  worker.postMessage(data);
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    listen(listener, failed) {
      worker.addEventListener('message', (event) => listener(event.data));
      worker.addEventListener('error', (event) => failed(event.message ?? 'the worker did not start'));
    },
    terminate() {
      worker.terminate();
      URL.revokeObjectURL(url);
      return Promise.resolve();
    },
  };
}
