// Numbers packed into base64: whole numbers of a few bits each, least significant bit first; and tables of them, column
// after column. Text in, numbers out. The assets are made by tools/data/*.mjs.

/** Reads numbers of any width, up to 24 bits, one after the other. */
export function bitReader(base64: string): (bits: number) => number {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  let at = 0;
  return (bits) => {
    const from = at >> 3;
    const word = bytes[from] | (bytes[from + 1] << 8) | (bytes[from + 2] << 16) | ((bytes[from + 3] ?? 0) << 24);
    const value = (word >>> (at & 7)) & (2 ** bits - 1);
    const got = 32 - (at & 7);
    at += bits;
    return bits <= got ? value : value | ((bytes[from + 4] << got) & (2 ** bits - 1));
  };
}

/** For each column: 10^decimals, least number, bits a number. */
export type ColumnLayout = readonly [scale: number, least: number, bits: number];

/** The columns of a table, as exact as they were written. */
export function unpackColumns(base64: string, layouts: readonly ColumnLayout[], count: number): Float64Array[] {
  const read = bitReader(base64);
  return layouts.map(([scale, least, bits]) =>
    Float64Array.from({ length: count }, () => (read(bits) + least) / scale),
  );
}
