// The progress bar of a training run or a download: one line that is drawn over, with what is done and what is left. On an
// output that is no terminal it draws nothing; the lines that the caller prints per epoch are all there is.

import { type Terminal, bytes, clock, grouped } from './terminal.js';

export interface ProgressState {
  /** What is under way: `epoch  3/30`. */
  readonly label: string;
  /** Share of the epoch that is done, 0 to 1. */
  readonly fraction: number;
  readonly loss: number;
  readonly samplesPerSecond: number;
  /** Until the whole run ends. */
  readonly secondsLeft: number;
}

const REDRAW_MS = 66;

/** The line for a terminal that is `columns` wide: parts are left out, the bar shrinks, until it fits. */
export function progressLine(state: ProgressState, columns: number, style?: Terminal['style']): string {
  const loss = Number.isFinite(state.loss) ? state.loss.toFixed(4) : 'not a number';
  const speed = Number.isFinite(state.samplesPerSecond) ? grouped(state.samplesPerSecond) : '–';
  const left = Number.isFinite(state.secondsLeft) ? `${clock(state.secondsLeft)} left` : '';
  let tail = [`loss ${loss}`, `${speed} samples/s`, left].filter(Boolean);
  const room = () => columns - 1 - state.label.length - tail.reduce((sum, part) => sum + part.length + 2, 0) - 2;
  while (tail.length > 0 && room() < 8) tail = tail.slice(0, -1);
  const width = Math.min(Math.max(room(), 0), 30);
  const filled = Math.round(Math.min(Math.max(state.fraction, 0), 1) * width);
  const plain = (text: string) => text;
  const done = (style?.cyan ?? plain)('━'.repeat(filled));
  const rest = (style?.dim ?? plain)('─'.repeat(width - filled));
  return [state.label, ...(width > 0 ? [done + rest] : []), ...tail]
    .join('  ')
    .slice(0, style === undefined ? columns - 1 : undefined);
}

/** The line of a download: `train.gz  ━━━━──  45 %  4.4 MiB of 9.5 MiB`. */
export function downloadLine(
  { name, received, total }: { readonly name: string; readonly received: number; readonly total: number | undefined },
  columns: number,
  style?: Terminal['style'],
): string {
  const plain = (text: string) => text;
  if (total === undefined) return `${name}  ${bytes(received)}`.slice(0, columns - 1);
  const share = `${Math.floor((100 * received) / total)} %`.padStart(5);
  const amount = `${bytes(received)} of ${bytes(total)}`;
  const width = Math.min(30, columns - 1 - name.length - 2 - share.length - 2 - amount.length - 2);
  if (width < 8) return `${name} ${share}`.slice(0, columns - 1);
  const filled = Math.round((received / total) * width);
  const bar = (style?.cyan ?? plain)('━'.repeat(filled)) + (style?.dim ?? plain)('─'.repeat(width - filled));
  return `${name}  ${bar}${share}  ${amount}`;
}

export class ProgressBar {
  #terminal: Terminal;
  #now: () => number;
  #drawnAt = -Infinity;
  #isShown = false;
  #hidesCursor: boolean;

  /** `hidesCursor`: only where Ctrl-C is waited for, as the cursor would stay hidden. */
  constructor(terminal: Terminal, now: () => number = () => performance.now(), hidesCursor = true) {
    this.#terminal = terminal;
    this.#now = now;
    this.#hidesCursor = hidesCursor;
  }

  /** Draws the line unless one was drawn a moment ago. */
  update(state: ProgressState): void {
    this.draw((columns, style) => progressLine(state, columns, style));
  }

  /** The same for any other line. */
  draw(line: (columns: number, style: Terminal['style']) => string): void {
    if (!this.#terminal.isInteractive) return;
    const now = this.#now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    const { columns, style } = this.#terminal;
    this.#terminal.control(this.#isShown || !this.#hidesCursor ? '\r' : '\x1b[?25l\r');
    this.#terminal.write(line(columns, style));
    this.#terminal.control('\x1b[K');
    this.#isShown = true;
  }

  /** Takes the line away, so that others can be printed. */
  clear(): void {
    if (!this.#isShown) return;
    this.#terminal.control(this.#hidesCursor ? '\r\x1b[K\x1b[?25h' : '\r\x1b[K');
    this.#isShown = false;
    this.#drawnAt = -Infinity;
  }
}
