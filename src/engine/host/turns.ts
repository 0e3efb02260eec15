// Giving way: a loop of reads and steps waits for promises only, which never lets the event loop turn: timers, signals,
// servers, standard input and the drawing of a page would wait until it ends. So everything asynchronous in the engine calls
// `giveWay`, which lets a task of others pass every 12 ms. Input: the clock. It must not know what is computed.

const EVERY_MS = 12;
/** A turn that took longer had something to do, which may need another one: a request is several tasks. */
const IDLE_TURN_MS = 0.1;
/** Others that always have something to do get about half of the time. */
const MOST_MS = 12;

/** Looked up once: `performance` is a getter of the host's, and a step of a small network asks at each read. */
const clock = performance;

let last = clock.now();
let turning: Promise<void> | undefined;

/** Lets the event loop turn if that was long ago. */
export function giveWay(): Promise<void> | undefined {
  if (clock.now() - last < EVERY_MS) return undefined;
  return takeTurns();
}

/** Lets the event loop turn now. Loops that run side by side share the turn. */
export function takeTurns(): Promise<void> {
  return (turning ??= turn().finally(() => (turning = undefined)));
}

async function turn(): Promise<void> {
  const start = clock.now();
  for (let begin = start; ; begin = last) {
    await nextTask();
    last = clock.now();
    if (last - begin < IDLE_TURN_MS || last - start > MOST_MS) return;
  }
}

interface Host {
  readonly setImmediate?: (f: () => void) => void;
  readonly MessageChannel?: typeof MessageChannel;
}

/**
 * Resolves in a task of its own, behind those that are waiting. Node's immediates come after timers and input. In browsers
 * a message takes its place in the queue; a timer would take 4 ms, and scheduler.yield() would go before the page's timers.
 */
function nextTask(): Promise<void> {
  const { setImmediate: soon, MessageChannel: Channel } = globalThis as Host;
  return new Promise((resolve) => {
    if (soon !== undefined) soon(resolve);
    else if (Channel === undefined) setTimeout(resolve, 0);
    else {
      const { port1, port2 } = new Channel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(undefined);
    }
  });
}
