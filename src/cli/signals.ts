// Ctrl-C, politely: the first one is a wish that training looks at between two batches, the second ends at once.

export interface Stop {
  /** Which signal came, once one did. */
  readonly signal: 'SIGINT' | 'SIGTERM' | undefined;
  /** Whether to stop. Lets the event loop turn now and then, without which no signal would ever arrive. */
  asked(): Promise<boolean>;
  /** Gives the signals back to Node. */
  end(): void;
}

const TURN_MS = 30;

export function watchSignals(): Stop {
  let signal: 'SIGINT' | 'SIGTERM' | undefined;
  let turned = performance.now();
  const onSignal = (name: 'SIGINT' | 'SIGTERM') => {
    if (signal !== undefined) {
      if (process.stdout.isTTY) process.stdout.write('\x1b[?25h\n'); // the progress bar hides the cursor
      process.exit(name === 'SIGINT' ? 130 : 143);
    }
    signal = name;
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    get signal() {
      return signal;
    },
    async asked() {
      if (performance.now() - turned > TURN_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        turned = performance.now();
      }
      return signal !== undefined;
    },
    end() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
