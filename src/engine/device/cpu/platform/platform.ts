// What the CPU device needs from the JavaScript host.

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
