// The one form of the readers' errors: `format: file: what is wrong (at byte n). What to do.`

import { isUint8Array } from '../../tensor/typed-arrays.js';
import { FormatError, wrongKind } from '../../tensor/library.js';

export type Fault = (what: string, offset: number) => never;

/** Throws FormatErrors of one file. */
export function faultOf(format: string, path: string | undefined): Fault {
  const where = path === undefined ? format : `${format}: ${path}`;
  return (what, offset) => {
    throw new FormatError(
      `${where}: ${what} (at byte ${offset}). The file is damaged or not in this format.`,
      path,
      offset,
    );
  };
}

/** Throws ArgumentError unless `bytes` is what a file holds. */
export function checkBytes(op: string, bytes: unknown): void {
  if (!isUint8Array(bytes)) throw wrongKind(op, 'the argument', bytes, 'Give the bytes of a file: a Uint8Array');
}
