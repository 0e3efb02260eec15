// NumPy's arrays, scalars and dtypes inside of a pickle, by the functions that put them together again.
// Arguments of those functions in; stored tensors and plain values out.

import { NUMPY_DTYPES, fortranStrides } from '../numpy-dtype.js';
import { STORED_DTYPES, type StoredDType } from '../stored-dtype.js';
import { StoredTensor } from '../stored-tensor.js';
import { PendingValue, type PickleCosts, PythonFunction } from './pickle.js';
import { PythonName, type TorchValue, isList, keyText } from './value.js';

/** numpy.dtype: its state says in which order the bytes are. */
class NumpyDType extends PendingValue {
  readonly code: string;
  readonly isBigEndian: boolean;
  constructor(code: string, isBigEndian = false) {
    super(`numpy.dtype('${code}')`, (state) => new NumpyDType(code, isList(state) && state[1] === '>'));
    this.code = code;
    this.isBigEndian = isBigEndian;
  }
}

/** What the names of NumPy stand for, under `numpy.` of all versions. `file` is for messages. */
export function numpyNames(file: string | undefined): PythonFunction[] {
  const arrayOf = (shape: TorchValue, dtype: TorchValue, raw: TorchValue, isFortran: boolean, costs: PickleCosts) => {
    const stored = storedDType(dtype, costs);
    // Texts, records, objects: they are there, and have no numbers.
    if (stored === undefined) return new PythonName(`numpy.ndarray of ${keyText(dtype ?? null)}`);
    const bytes = bytesOf(raw);
    if (bytes === undefined || !isList(shape) || !shape.every(isSize))
      return costs.fail('the parts of a NumPy array are not understood');
    const sizes = shape.filter(isSize);
    const needed = sizes.reduce((n, size) => n * size, STORED_DTYPES[stored].bytes);
    if (needed !== bytes.length) costs.fail(`a NumPy array needs ${needed} bytes and has ${bytes.length}`);
    const isBigEndian = dtype instanceof NumpyDType && dtype.isBigEndian;
    const storage = { size: bytes.length, file, isBigEndian, bytes: () => Promise.resolve(bytes) };
    const layout = isFortran ? { offset: 0, strides: fortranStrides(sizes) } : undefined;
    return new StoredTensor(stored, sizes, storage, layout);
  };
  return [
    // (type, shape, kind), then the state (version, shape, dtype, is Fortran, bytes)
    new PythonFunction('numpy.core.multiarray._reconstruct', (_, costs) => {
      return new PendingValue('numpy.ndarray', (state) => {
        if (!isList(state) || state.length !== 5) return costs.fail('the state of a NumPy array is not understood');
        const [, shape, dtype, isFortran, raw] = state;
        return arrayOf(shape, dtype, raw, isFortran === true || isFortran === 1, costs);
      });
    }),
    new PythonFunction('numpy.core.numeric._frombuffer', ([raw, dtype, shape, order], costs) =>
      arrayOf(shape ?? null, dtype ?? null, raw ?? null, order === 'F', costs),
    ),
    new PythonFunction('numpy.core.multiarray.scalar', ([dtype, raw], costs) => {
      const stored = storedDType(dtype ?? null, costs);
      if (stored === undefined) return new PythonName(`a value of ${keyText(dtype ?? null)}`);
      const bytes = bytesOf(raw ?? null);
      if (bytes?.length !== STORED_DTYPES[stored].bytes) return costs.fail('a NumPy number is not understood');
      const own = Uint8Array.from(bytes);
      if (dtype instanceof NumpyDType && dtype.isBigEndian) own.reverse();
      const [value, imaginary] = STORED_DTYPES[stored].decode(own);
      if (stored === 'bool') return value === 1;
      if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
      return imaginary === undefined ? value : new PythonName(`complex(${value}, ${imaginary})`);
    }),
    new PythonFunction('numpy.dtype', ([code], costs) =>
      typeof code === 'string' ? new NumpyDType(code) : costs.fail('a dtype of NumPy is not understood'),
    ),
  ];
}

/** Types that are mentioned and not called. */
export const NUMPY_TYPES =
  /^numpy\.(ndarray|bool_?|u?int(8|16|32|64)|float(16|32|64)|complex(64|128)|dtypes\.\w+DType)$/;

/** Undefined for dtypes that are no numbers. */
function storedDType(dtype: TorchValue, { fail }: PickleCosts): StoredDType | undefined {
  if (!(dtype instanceof NumpyDType)) return fail('the dtype of a NumPy array is not understood');
  return NUMPY_DTYPES[dtype.code];
}

const isSize = (value: TorchValue): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** Python 2 has its bytes as texts; which ones are UTF-8 is chance. */
function bytesOf(raw: TorchValue): Uint8Array | undefined {
  if (raw instanceof Uint8Array) return raw;
  return typeof raw === 'string' ? new TextEncoder().encode(raw) : undefined;
}
