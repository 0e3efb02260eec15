// The one form of the readers' errors: `format: file: what is wrong (at byte n). What to do.`

import { FormatError } from '../../tensor/library.js';

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
