// Threads that make samples for a DataLoader: each has its own copy of the dataset, made by the dataset's module.
// Positions in, what the dataset gives for them out (arrays in memory that was handed over, not copied).
// Must not know: tensors, the order of training.

import { HostRandom } from '../tensor/host-random.js';
import { ArgumentError, NablaError } from '../tensor/library.js';
import { SampleError } from './sample-error.js';
import { type FromThread, type ThreadError, type ToThread, serveDataset } from './worker-thread.js';

/** How a thread makes the dataset: the module whose default export makes it, and the argument of that function. */
export interface DatasetRecipe {
  readonly module: string;
  readonly args: unknown;
}

/** A thread of the host, whichever that is. */
export interface Thread {
  post(message: ToThread): void;
  listen(listener: (message: FromThread) => void, stopped: (error: Error) => void): void;
  /** A thread that is not busy must not keep the process alive. */
  setBusy(isBusy: boolean): void;
  stop(): Promise<void>;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A thread and what was asked of it. */
class Line {
  readonly thread: Thread;
  readonly waiting = new Map<number | undefined, Waiting>();
  /** Why the thread is gone: nothing that it is asked will be answered. */
  stopped: NablaError | undefined;

  constructor(thread: Thread) {
    this.thread = thread;
    thread.listen(
      (message) => this.answer(message),
      (error) => this.fail(error),
    );
    thread.setBusy(false);
  }

  ask(message: ToThread): Promise<unknown> {
    if (this.stopped !== undefined) return Promise.reject(this.stopped);
    const id = message.kind === 'make' ? message.id : undefined;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.thread.setBusy(true);
      this.thread.post(message);
    });
  }

  private answer(message: FromThread): void {
    const id = message.kind === 'ready' ? undefined : message.id;
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (this.waiting.size === 0) this.thread.setBusy(false);
    if (message.kind === 'ready') waiting?.resolve(message.length);
    else if (message.kind === 'made') waiting?.resolve(message.value);
    else waiting?.reject(errorOf(message));
  }

  fail(error: Error): void {
    this.stopped ??= stopError(error);
    for (const { reject } of this.waiting.values()) reject(this.stopped);
    this.waiting.clear();
  }
}

function stopError(cause: Error): NablaError {
  return new NablaError(`DataLoader: a worker stopped (${cause.message}).`, { cause });
}

export class WorkerPool {
  private readonly lines: readonly Line[];
  private nextId = 0;

  private constructor(lines: readonly Line[]) {
    this.lines = lines;
  }

  /** Starts `count` threads; throws if the module cannot be loaded or makes a dataset of another length. */
  static async open(recipe: DatasetRecipe, count: number, length: number): Promise<WorkerPool> {
    const start = await threadStarter();
    const pool = new WorkerPool(Array.from({ length: count }, () => new Line(start(threadCode()))));
    try {
      const lengths = await Promise.all(pool.lines.map((line) => line.ask({ kind: 'open', ...recipe })));
      const other = lengths.find((l) => l !== length);
      if (other !== undefined) {
        throw new ArgumentError(
          `DataLoader: ${recipe.module} made a dataset of ${String(other)} samples in a worker, and one of ${length} here. Make it depend on its argument alone.`,
        );
      }
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  /** Whether a thread has ended, and the pool is of no more use. */
  get isBroken(): boolean {
    return this.lines.some(({ stopped }) => stopped !== undefined);
  }

  /** What the dataset gives for these positions, made by the thread that has least to do. */
  make(positions: Int32Array, seed: number, epoch: number): Promise<unknown> {
    const line = this.lines.reduce((a, b) => (b.waiting.size < a.waiting.size ? b : a));
    return line.ask({ kind: 'make', id: this.nextId++, positions: positions.slice(), seed, epoch });
  }

  /** Ends the threads, whatever they are doing. */
  async close(): Promise<void> {
    await Promise.all(
      this.lines.map(async (line) => {
        await line.thread.stop();
        line.fail(new Error('it was closed'));
      }),
    );
  }
}

/** The text of a thread's program: it defines start(port). */
function threadCode(): string {
  return `const serve = (${serveDataset.toString()});
    const Random = (${HostRandom.toString()});
    const start = (port) => serve(port, (url) => import(url), Random);`;
}

async function threadStarter(): Promise<(code: string) => Thread> {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  if (process?.versions?.node !== undefined) return (await import('./node/thread.js')).startNodeThread;
  return startWebThread;
}

/** Nothing else is known: the browser gives no reason. */
const NOT_STARTED =
  "it did not start; if the page has a Content-Security-Policy, add blob: to its worker-src (worker-src 'self' blob:), or leave out 'workers'";

function startWebThread(code: string): Thread {
  const port = `{
    post: (message, transfer) => self.postMessage(message, transfer),
    listen: (listener) => self.addEventListener('message', (event) => listener(event.data)),
  }`;
  const url = URL.createObjectURL(new Blob([`${code};start(${port});`], { type: 'text/javascript' }));
  const worker = new Worker(url, { name: 'nabla data' });
  return {
    post: (message) => worker.postMessage(message),
    listen(listener, stopped) {
      worker.addEventListener('message', (event: MessageEvent<FromThread>) => listener(event.data));
      worker.addEventListener('error', (event) => stopped(new Error(event.message ?? NOT_STARTED)));
    },
    setBusy: () => {},
    async stop() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}

function errorOf({ index, error }: { readonly index?: number | undefined; readonly error: ThreadError }): Error {
  const cause = new Error(error.message);
  cause.name = error.name;
  if (error.stack !== undefined) cause.stack = error.stack;
  if (index !== undefined) return new SampleError(index, cause);
  return new NablaError(`DataLoader: a worker failed (${error.name}: ${error.message}).`, { cause });
}
