// Functions of a worker, called from a page as if they were its own: `expose` in the worker, `connect` in the page. Arguments and results
// are what messages carry (plain values, typed arrays), and functions, through which the worker tells how far it is.
// Must not know: tensors, which stay where they were made.

import { ArgumentError, NablaError, checkFunction, checkHas, checkRecord } from '../tensor/library.js';

type Callable = (...values: never[]) => unknown;

/** Functions by name, as a worker gives them. */
export type Exposed = Readonly<Record<string, Callable>>;

/** The functions of a worker as a page has them: each gives a promise. */
export type Remote<T extends Exposed> = {
  readonly [K in keyof T]: (...values: Parameters<T[K]>) => Promise<Awaited<ReturnType<T[K]>>>;
};

/** A port of any kind: the global of a worker, a MessagePort. */
interface Port {
  postMessage(message: unknown): void;
  addEventListener(kind: 'message', listener: (event: { readonly data: unknown }) => void): void;
  /** A MessagePort delivers nothing before. */
  start?(): void;
}

/** A function among the arguments, by its number. */
interface Callback {
  readonly nablaCallback: number;
}

/**
 * Sent by who connects; who exposes answers with `ready`, and says so by itself as well: whichever side comes first, the other hears it. Before it,
 * nothing is sent: a worker whose modules are still on their way drops what it is told.
 */
interface HelloMessage {
  readonly nabla: 'hello';
}
interface ReadyMessage {
  readonly nabla: 'ready';
}
interface CallMessage {
  readonly nabla: 'call';
  readonly id: number;
  readonly name: string;
  readonly values: readonly unknown[];
}
interface TellMessage {
  readonly nabla: 'tell';
  readonly callback: number;
  readonly values: readonly unknown[];
}
type AnswerMessage =
  | { readonly nabla: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly nabla: 'error'; readonly id: number; readonly name: string; readonly text: string };

const READY: ReadyMessage = { nabla: 'ready' };

const isOurs = <T extends { readonly nabla: string }>(data: unknown, kinds: readonly T['nabla'][]): data is T =>
  typeof data === 'object' && data !== null && 'nabla' in data && (kinds as readonly unknown[]).includes(data.nabla);

/**
 * In a worker: gives the functions to the page that made it. Results are what messages carry; a tensor is none, send its `data()`.
 * What the page has asked for before is answered then.
 *
 *     const api = expose({
 *       async train(steps: number, onStep: (loss: number) => void) { … },
 *     });
 *     export type Api = typeof api;
 */
export function expose<const T extends Exposed>(functions: T, port: Port = globalThis as unknown as Port): T {
  checkRecord('expose', 'the argument', functions, 'functions');
  for (const [name, fn] of Object.entries(functions)) checkFunction('expose', fn, name);
  if (typeof port.postMessage !== 'function')
    throw new ArgumentError('expose: there is no page to answer here. Call it in a worker, or give a MessagePort.');
  port.addEventListener('message', ({ data }) => {
    if (isOurs<CallMessage>(data, ['call'])) void answer(functions, data, port);
    else if (isOurs<HelloMessage>(data, ['hello'])) port.postMessage(READY);
  });
  port.start?.();
  port.postMessage(READY);
  return functions;
}

async function answer(functions: Exposed, { id, name, values }: CallMessage, port: Port): Promise<void> {
  let message: AnswerMessage;
  try {
    if (!Object.hasOwn(functions, name))
      throw new ArgumentError(`${name}: the worker has no such function. It has ${Object.keys(functions).join(', ')}.`);
    const given = values.map((value) => (isCallback(value) ? callbackOf(value, port) : value));
    message = { nabla: 'answer', id, value: await functions[name](...(given as never[])) };
  } catch (error) {
    message = errorMessage(id, error);
  }
  try {
    port.postMessage(message);
  } catch (error) {
    port.postMessage(
      errorMessage(id, new NablaError(`${name}: its result is nothing that a message carries (${String(error)}).`)),
    );
  }
}

const errorMessage = (id: number, error: unknown): AnswerMessage =>
  error instanceof Error
    ? { nabla: 'error', id, name: error.name, text: error.message }
    : { nabla: 'error', id, name: 'Error', text: String(error) };

const isCallback = (value: unknown): value is Callback =>
  typeof value === 'object' && value !== null && 'nablaCallback' in value;

const callbackOf =
  ({ nablaCallback }: Callback, port: Port) =>
  (...values: unknown[]): void => {
    const message: TellMessage = { nabla: 'tell', callback: nablaCallback, values };
    port.postMessage(message);
  };

/**
 * In a page: the functions that a worker exposes. Functions among the arguments are called back while theirs runs; what they return is
 * not waited for. An error of the worker rejects the promise, with its text and its name; so do, for calls under way and all later ones, a script
 * that cannot be loaded or that throws before it exposes anything, and a port that the other side closes. Connect where the worker is
 * made: what has failed before is not heard of. A call may come before the worker exposes anything: it is sent then. A worker that you
 * terminate answers nothing more; no event tells of it.
 *
 *     const worker = new Worker(new URL('./train.ts', import.meta.url), { type: 'module' });
 *     const { train } = connect<Api>(worker);
 *     await train(100, (loss) => (output.textContent = String(loss)));
 */
export function connect<T extends Exposed>(worker: Worker | MessagePort): Remote<T> {
  checkHas('connect', 'the argument', worker, ['postMessage', 'addEventListener'], 'Give a Worker or a MessagePort');
  const target: EventTarget = worker;
  const waiting = new Map<number, { readonly done: (value: unknown) => void; readonly fail: (error: Error) => void }>();
  const callbacks = new Map<number, (...values: unknown[]) => unknown>();
  let last = 0;
  /** Whether it has said anything: an error after that ends what is under way, but not the worker. Calls before wait to be sent. */
  let isReady = false;
  let unsent: CallMessage[] = [];
  /** Why no call will ever be answered. */
  let end: NablaError | undefined;
  const failAll = (error: NablaError): void => {
    const calls = [...waiting.values()];
    waiting.clear();
    unsent = [];
    for (const { fail } of calls) fail(error);
  };
  target.addEventListener('message', (event) => {
    const data: unknown = 'data' in event ? event.data : undefined;
    if (!isOurs<TellMessage | AnswerMessage | ReadyMessage>(data, ['tell', 'answer', 'error', 'ready'])) return;
    isReady = true;
    end = undefined;
    for (const message of unsent.splice(0)) worker.postMessage(message);
    if (data.nabla === 'ready') return;
    if (data.nabla === 'tell') {
      callbacks.get(data.callback)?.(...data.values);
      return;
    }
    const call = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.nabla === 'answer') call?.done(data.value);
    else call?.fail(Object.assign(new NablaError(data.text), { name: data.name }));
  });
  target.addEventListener('error', (event) => {
    const text = 'message' in event && event.message ? String(event.message) : '';
    const cause = text || 'its script cannot be loaded: look at its address, and at the network';
    const error = new NablaError(`connect: the worker has failed (${cause}).`);
    if (!isReady) end = error;
    failAll(error);
  });
  target.addEventListener('close', () => {
    end = new NablaError('connect: the other side has closed its port.');
    failAll(end);
  });
  if ('start' in worker) worker.start();
  worker.postMessage({ nabla: 'hello' } satisfies HelloMessage);
  const call = (name: string, values: readonly unknown[]): Promise<unknown> =>
    new Promise((done, fail) => {
      if (end !== undefined) return fail(end);
      const id = ++last;
      const own = new Map<number, (...values: unknown[]) => unknown>();
      const sent = values.map((value): unknown => {
        if (typeof value !== 'function') return value;
        const number = ++last;
        own.set(number, value as (...values: unknown[]) => unknown);
        return { nablaCallback: number } satisfies Callback;
      });
      const message: CallMessage = { nabla: 'call', id, name, values: sent };
      try {
        if (isReady) worker.postMessage(message);
        else unsent.push(structuredClone(message)); // as it is now, or an error here and now
      } catch (error) {
        return fail(new ArgumentError(`${name}: an argument is nothing that a message carries (${String(error)}).`));
      }
      for (const [number, callback] of own) callbacks.set(number, callback);
      const forget = (): void => own.forEach((_, number) => callbacks.delete(number));
      waiting.set(id, { done: (value) => (forget(), done(value)), fail: (error) => (forget(), fail(error)) });
    });
  return new Proxy({} as Remote<T>, {
    // A promise is asked for `then`: what it is not.
    get: (_, name) =>
      typeof name === 'string' && name !== 'then' ? (...values: unknown[]) => call(name, values) : undefined,
  });
}
