// Ctrl-C, politely: the first one is a wish that training looks at after each update, the second ends at once.

export interface Stop {
  /** Which signal came, once one did. */
  readonly signal: 'SIGINT' | 'SIGTERM' | undefined;
  /** Aborted by the first signal. */
  readonly abort: AbortSignal;
  /** Gives the signals back to Node. */
  end(): void;
}

export function watchSignals(): Stop {
  let signal: 'SIGINT' | 'SIGTERM' | undefined;
  const controller = new AbortController();
  const onSignal = (name: 'SIGINT' | 'SIGTERM') => {
    if (signal !== undefined) {
      if (process.stdout.isTTY) process.stdout.write('\x1b[?25h\n'); // the progress bar hides the cursor
      process.exit(name === 'SIGINT' ? 130 : 143);
    }
    signal = name;
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    get signal() {
      return signal;
    },
    abort: controller.signal,
    end() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
