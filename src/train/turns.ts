// A training loop that never waits for anything would keep signals, timers and drawing waiting. Now and then it lets the
// event loop turn.

const EVERY_MS = 30;

type Host = { setImmediate?: (f: () => void) => void };

export class Turns {
  private last = performance.now();

  /** Lets the event loop turn if that was long ago. */
  async take(): Promise<void> {
    if (performance.now() - this.last < EVERY_MS) return;
    await new Promise<void>((resolve) => {
      const { setImmediate: soon } = globalThis as Host;
      if (soon !== undefined) soon(resolve);
      else setTimeout(resolve, 0);
    });
    this.last = performance.now();
  }
}
