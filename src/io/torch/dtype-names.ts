// PyTorch's names of dtypes.

import { type StoredDType, isStoredDType } from '../stored-dtype.js';
import { PythonName, type TorchValue } from './value.js';

/** Other names of PyTorch's dtypes. */
const DTYPE_NAMES: Readonly<Record<string, string | undefined>> = {
  half: 'float16',
  float: 'float32',
  double: 'float64',
  long: 'int64',
  int: 'int32',
  short: 'int16',
  cfloat: 'complex64',
  cdouble: 'complex128',
};

/** The dtype that `torch.float32` names. */
export function dtypeNamed(value: TorchValue): StoredDType | undefined {
  if (!(value instanceof PythonName) || !value.name.startsWith('torch.')) return undefined;
  const name = value.name.slice('torch.'.length);
  const known = DTYPE_NAMES[name] ?? name;
  return isStoredDType(known) ? known : undefined;
}
