// What the CPU device needs from the JavaScript host, and which host this is.
// Input: the globals; output: a Platform. It must not import anything of Node: a bundler for the browser reads it.

import { createNodePlatform } from './node-platform.js';

export interface Platform {
  readonly name: 'node' | 'browser page' | 'browser worker';
  /** Whether memory can be shared between threads. */
  readonly shared: boolean;
  /** Whether this thread may wait for others; a browser page may not. */
  readonly mayBlock: boolean;
  readonly cores: number;
  environment(name: string): string | undefined;
  /** Runs `work`; WebAssembly compiled in it gets whatever the host can be told to do for fast code. */
  compiling(work: () => void): void;
  /** Starts a thread that calls `start(data, port)`, a function which the script `code` defines. It keeps no process alive. */
  spawn(code: string, data: unknown, name: string): ThreadHandle;
}

export interface ThreadHandle {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** `failed` is called once, when the thread could not start or has ended in another way than by `terminate`. */
  listen(listener: (message: unknown) => void, failed: (reason: string) => void): void;
  terminate(): Promise<void>;
}

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
