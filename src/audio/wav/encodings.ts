// Samples as WAV files keep them: the numbers of a few bytes, and what they are between −1 and 1. One row an encoding.
// Whole numbers are divided by the most negative one, as libsndfile and torchaudio do; A-law and µ-law are those of ITU-T G.711.

/** How a sample is kept: whole numbers of 8 to 32 bits, floating-point numbers, or logarithmic bytes. */
export type WavEncoding = 'pcm8' | 'pcm16' | 'pcm24' | 'pcm32' | 'float32' | 'float64' | 'alaw' | 'ulaw';

export interface Encoding {
  readonly bytes: number;
  /** The format tag of the file. */
  readonly tag: number;
  read(view: DataView, at: number): number;
  /** Of a number that is no NaN; what is beyond the range is cut off. */
  write(view: DataView, at: number, value: number): void;
}

function whole(value: number, size: number): number {
  return Math.min(Math.max(Math.round(value * size), -size), size - 1);
}

function fromALaw(byte: number): number {
  const bits = byte ^ 0x55;
  const segment = (bits & 0x70) >> 4;
  const within = ((bits & 0x0f) << 4) + 8;
  const size = segment === 0 ? within : (within + 0x100) << (segment - 1);
  return (bits & 0x80) === 0 ? -size : size;
}

function fromULaw(byte: number): number {
  const bits = ~byte & 0xff;
  const size = ((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84;
  return (bits & 0x80) === 0 ? size : 0 - size; // no −0
}

/** Logarithmic bytes: read by a table, written as the byte whose value is next. */
function logarithmic(tag: number, decode: (byte: number) => number): Encoding {
  const values = Float32Array.from({ length: 256 }, (_, byte) => decode(byte) / 32768);
  // of two bytes for 0 the later one, which is +0
  const codes = [...new Map(Array.from(values, (value, byte) => [value, byte]))].sort(([a], [b]) => a - b);
  return {
    bytes: 1,
    tag,
    read: (view, at) => values[view.getUint8(at)],
    write(view, at, value) {
      let [low, high] = [0, codes.length - 1];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (codes[middle][0] <= value) low = middle;
        else high = middle;
      }
      const isLower = value - codes[low][0] <= codes[high][0] - value;
      view.setUint8(at, codes[isLower ? low : high][1]);
    },
  };
}

export const ENCODINGS: Readonly<Record<WavEncoding, Encoding>> = {
  pcm8: {
    bytes: 1,
    tag: 1,
    read: (view, at) => (view.getUint8(at) - 128) / 128,
    write: (view, at, value) => view.setUint8(at, whole(value, 128) + 128),
  },
  pcm16: {
    bytes: 2,
    tag: 1,
    read: (view, at) => view.getInt16(at, true) / 2 ** 15,
    write: (view, at, value) => view.setInt16(at, whole(value, 2 ** 15), true),
  },
  pcm24: {
    bytes: 3,
    tag: 1,
    read: (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23,
    write(view, at, value) {
      const bits = whole(value, 2 ** 23);
      view.setUint16(at, bits & 0xffff, true);
      view.setInt8(at + 2, bits >> 16);
    },
  },
  pcm32: {
    bytes: 4,
    tag: 1,
    read: (view, at) => view.getInt32(at, true) / 2 ** 31,
    write: (view, at, value) => view.setInt32(at, whole(value, 2 ** 31), true),
  },
  float32: {
    bytes: 4,
    tag: 3,
    read: (view, at) => view.getFloat32(at, true),
    write: (view, at, value) => view.setFloat32(at, value, true),
  },
  float64: {
    bytes: 8,
    tag: 3,
    read: (view, at) => view.getFloat64(at, true),
    write: (view, at, value) => view.setFloat64(at, value, true),
  },
  alaw: logarithmic(6, fromALaw),
  ulaw: logarithmic(7, fromULaw),
};

/** The encoding of a format tag and the bytes of a sample; undefined if it is none of these. */
export function encodingOf(tag: number, bytes: number): WavEncoding | undefined {
  const rows = Object.entries(ENCODINGS) as [WavEncoding, Encoding][];
  return rows.find(([, row]) => row.tag === tag && row.bytes === bytes)?.[0];
}
