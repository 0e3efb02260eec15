// Pictures for the terminal: a progress bar, a confusion matrix, digits in half blocks. Numbers in, lines of text out.

const SHADES = ' ░▒▓█';

/** 0 … 1 as a bar of the given width, in eighths of a character. */
export function bar(part: number, width: number): string {
  const eighths = Math.round(Math.min(Math.max(part, 0), 1) * width * 8);
  const full = Math.floor(eighths / 8);
  const rest = eighths % 8;
  return ('█'.repeat(full) + (rest > 0 ? ' ▏▎▍▌▋▊▉'[rest] : '')).padEnd(width, '░');
}

/** Seconds as 4s, 1m 05s. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '…';
  const s = Math.max(0, Math.round(seconds));
  return s < 60 ? `${s}s` : `${Math.floor(s / 60)}m ${String(s % 60).padStart(2, '0')}s`;
}

/** counts[truth][prediction]; zeros are dots. */
export function confusionMatrix(counts: readonly (readonly number[])[]): string[] {
  const width = Math.max(3, ...counts.flat().map((n) => String(n).length)) + 1;
  const cell = (text: string | number) => String(text).padStart(width);
  const lines = [`  truth ╲ said${counts.map((_, i) => cell(i)).join('')}`];
  counts.forEach((row, truth) =>
    lines.push(`${String(truth).padStart(13)} ${row.map((n) => cell(n === 0 ? '·' : n)).join('')}`),
  );
  return lines;
}

/** An 8 × 8 digit from 0 to 1, two characters a pixel. */
export function digit(pixels: ArrayLike<number>): string[] {
  return Array.from({ length: 8 }, (_, y) =>
    Array.from({ length: 8 }, (__, x) => SHADES[Math.min(4, Math.floor(pixels[y * 8 + x] * 4.999))].repeat(2)).join(''),
  );
}

/** Digits beside each other, each under its caption. */
export function gallery(items: readonly { readonly caption: string; readonly pixels: ArrayLike<number> }[]): string[] {
  const pictures = items.map(({ caption, pixels }) => [caption.padEnd(16), ...digit(pixels)]);
  return Array.from({ length: 9 }, (_, line) => `  ${pictures.map((p) => p[line].padEnd(18)).join(' ')}`.trimEnd());
}
