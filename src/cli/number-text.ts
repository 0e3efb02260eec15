// Numbers as people write them at the command line and in files of numbers.

/** One way to match, so that a long text that is none is refused in one pass. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** The number that a text is; NaN if it is none. */
export function readNumber(text: string): number {
  return NUMBER.test(text) ? Number(text) : NaN;
}
