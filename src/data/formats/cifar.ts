// The binary files of CIFAR-10 and CIFAR-100: records of one or two labels and 3 × 32 × 32 bytes, colour by colour.
// Bytes in, typed arrays out. Specification: https://www.cs.toronto.edu/~kriz/cifar.html. Must not know: files, tensors.

import { faultOf, checkBytes } from '../../io/formats/fault.js';

const PIXELS = 3 * 32 * 32;

export interface CifarImages {
  /** Bytes of [3, 32, 32] for each image. */
  readonly images: Uint8Array;
  /** CIFAR-10: 0 to 9; CIFAR-100: the fine labels, 0 to 99. */
  readonly labels: Int32Array;
}

export interface Cifar100Images extends CifarImages {
  /** 0 to 19. */
  readonly coarseLabels: Int32Array;
}

/** Reads one file of CIFAR-10; `path` is for messages. Throws FormatError for a cut record or a label beyond 9. */
export function parseCifar10(bytes: Uint8Array, path?: string): CifarImages {
  checkBytes('parseCifar10', bytes);
  const [labels, images] = parseRecords(bytes, ['label'], [10], 'cifar-10', path);
  return { images: images as Uint8Array, labels: labels as Int32Array };
}

/** Reads one file of CIFAR-100; `path` is for messages. Throws FormatError for a cut record or a label out of range. */
export function parseCifar100(bytes: Uint8Array, path?: string): Cifar100Images {
  checkBytes('parseCifar100', bytes);
  const [coarse, fine, images] = parseRecords(bytes, ['coarse label', 'fine label'], [20, 100], 'cifar-100', path);
  return { images: images as Uint8Array, labels: fine as Int32Array, coarseLabels: coarse as Int32Array };
}

function parseRecords(
  bytes: Uint8Array,
  names: readonly string[],
  classes: readonly number[],
  format: string,
  path: string | undefined,
): (Int32Array | Uint8Array)[] {
  const fault = faultOf(format, path);
  const size = names.length + PIXELS;
  const count = Math.floor(bytes.length / size);
  if (bytes.length % size !== 0 || count === 0)
    fault(`${bytes.length} bytes are not a whole number of records of ${size} bytes`, count * size);
  const labels = names.map((name, part) => {
    const column = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const label = bytes[i * size + part];
      if (label >= classes[part]) fault(`the ${name} of image ${i} is ${label}, of ${classes[part]}`, i * size + part);
      column[i] = label;
    }
    return column;
  });
  const images = new Uint8Array(count * PIXELS);
  for (let i = 0; i < count; i++) {
    images.set(bytes.subarray(i * size + names.length, (i + 1) * size), i * PIXELS);
  }
  return [...labels, images];
}
