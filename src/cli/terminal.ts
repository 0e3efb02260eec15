// The terminal: where lines go, whether it draws, its width and its colours, and how numbers are written.

import type { Writable } from 'node:stream';
import { printableLines } from './printable.js';

export interface Terminal {
  /** A person looks at it: progress may be drawn over and over. */
  readonly isInteractive: boolean;
  readonly columns: number;
  /** Control characters in the text are shown by their number, except line ends, tabs, and what `style` has made. */
  write(text: string): void;
  line(text?: string): void;
  /** Moves the cursor, clears, shows and hides. */
  control(codes: string): void;
  readonly style: Style;
}

export type Style = Readonly<Record<'bold' | 'dim' | 'red' | 'green' | 'cyan', (text: string) => string>>;

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], cyan: [36, 39] } as const;

/**
 * How a style's codes look until they are written: nobody who writes a record knows the number, so what it holds cannot pass for
 * one of them.
 */
const SECRET = Math.random().toString(36).slice(2);
const STYLED = new RegExp(`\x1b${SECRET}(\\d+)m`); // oxlint-disable-line no-control-regex -- it is what is looked for

/** Text as it goes to the stream. */
function render(text: string): string {
  // split gives texts and, in between, the codes that were captured
  return text
    .split(STYLED)
    .map((part, i) => (i % 2 === 1 ? `\x1b[${part}m` : printableLines(part)))
    .join('');
}

function createStyle(colored: boolean): Style {
  const make =
    ([on, off]: readonly [number, number]) =>
    (text: string) =>
      colored ? `\x1b${SECRET}${on}m${text}\x1b${SECRET}${off}m` : text;
  return {
    bold: make(CODES.bold),
    dim: make(CODES.dim),
    red: make(CODES.red),
    green: make(CODES.green),
    cyan: make(CODES.cyan),
  };
}

type Stream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** `NO_COLOR` and `TERM=dumb` are respected; FORCE_COLOR is not needed: what is piped stays plain. */
export function terminalOf(stream: Stream, env: NodeJS.ProcessEnv = process.env): Terminal {
  const isTerminal = stream.isTTY === true;
  const isDumb = env.TERM === 'dumb';
  return {
    isInteractive: isTerminal && !isDumb,
    // A launcher of MPI may give a terminal without a width: 0 columns.
    get columns() {
      return Math.max(stream.columns || 80, 20);
    },
    write: (text) => void stream.write(render(text)),
    line: (text = '') => void stream.write(`${render(text)}\n`),
    control: (codes) => void stream.write(codes),
    style: createStyle(isTerminal && !isDumb && !env.NO_COLOR),
  };
}

/** 98.61 % */
export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** 12,345 */
export function grouped(n: number): string {
  return Math.round(n).toLocaleString('en-US');
}

/** 0.42 s, 4.2 s, 42.1 s, 3:07, 1:02:03 */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  return clock(seconds);
}

/** 0:04, 3:07, 1:02:03 */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Bytes as 1.5 MiB. */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = n;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
