// Names of dtypes that other libraries have and nabla has not: the error names the nearest one.

import { type DType, DTYPES } from '../engine/ir/dtype.js';
import { DTypeError } from '../engine/ir/errors.js';

const OTHER_DTYPES: Readonly<Record<string, DType>> = {
  float: 'float32',
  half: 'float16',
  double: 'float64',
  number: 'float32',
  int: 'int32',
  int8: 'int32',
  int16: 'int32',
  uint16: 'int32',
  uint32: 'int32',
  int64: 'int32',
  long: 'int32',
  short: 'int32',
  integer: 'int32',
  boolean: 'bool',
};

/** The error for a dtype of other libraries. */
export function unsupportedDType(name: string): DTypeError | undefined {
  const plain = name.replace(/^torch\./, '');
  const nearest = Object.hasOwn(OTHER_DTYPES, plain) ? OTHER_DTYPES[plain] : undefined;
  if (nearest === undefined) return undefined;
  return new DTypeError(
    `to: '${name}' is a dtype that nabla does not have. Use ${DTYPES.map((d) => `'${d}'`).join(', ')}, here to('${nearest}').`,
    [name],
  );
}
