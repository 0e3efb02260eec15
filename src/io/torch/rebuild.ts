// The functions of torch._utils that put a tensor on its storage again.
// Storage, offset, sizes, strides in; stored tensors out.

import { STORED_DTYPES, type StoredDType } from '../stored-dtype.js';
import { type Storage, StoredTensor, layoutFault } from '../stored-tensor.js';
import { dtypeNamed } from './dtype-names.js';
import { type PickleCosts, PythonFunction } from './pickle.js';
import { PythonName, type TorchValue, isDict, isList, keyText } from './value.js';

/** What a persistent id stands for: a storage, or a part of one. */
export class StorageReference extends PythonName {
  readonly storage: Storage;
  /** Undefined for an untyped one: the tensor says what it holds. */
  readonly dtype: StoredDType | undefined;
  /** Where its first element is, for a part of another storage. */
  readonly begin: number;
  constructor(key: string, storage: Storage, dtype: StoredDType | undefined, begin = 0) {
    super(`storage ${key}`);
    this.storage = storage;
    this.dtype = dtype;
    this.begin = begin;
  }
}

const MOST_DIMENSIONS = 64;

export function rebuildNames(fileSize: number): PythonFunction[] {
  const rebuild = (
    [reference, offset, size, stride]: readonly TorchValue[],
    own: StoredDType | undefined,
    costs: PickleCosts,
  ): StoredTensor => {
    const { fail } = costs;
    if (!(reference instanceof StorageReference)) return fail('a tensor has no storage');
    const dtype = own ?? reference.dtype;
    if (dtype === undefined) return fail('the dtype of a tensor is not known');
    const shape = countsOf(size, costs);
    const strides = countsOf(stride, costs);
    if (!isCount(offset)) return fail('the offset of a tensor is no whole number');
    const { storage, begin } = reference;
    const layout = { offset: begin + offset, strides };
    const fault = layoutFault(dtype, shape, layout, storage.size, fileSize);
    if (fault !== undefined) return fail(`a tensor [${shape.join(', ')}] of ${dtype} ${fault}`);
    if (storage.size % STORED_DTYPES[dtype].bytes !== 0 && own === undefined)
      fail(`a storage of ${storage.size} bytes holds no whole number of ${dtype}`);
    return new StoredTensor(dtype, shape, storage, layout);
  };
  const fn = (name: string, call: PythonFunction['call']): PythonFunction => new PythonFunction(name, call);
  const first: PythonFunction['call'] = ([value], { fail }) => value ?? fail('an argument is missing');
  return [
    fn('torch._utils._rebuild_tensor', (args, costs) => rebuild(args, undefined, costs)),
    // …, requires_grad, hooks, metadata
    fn('torch._utils._rebuild_tensor_v2', (args, costs) => {
      checkFlags(args[6], costs);
      return rebuild(args, undefined, costs);
    }),
    // …, requires_grad, hooks, dtype, metadata: dtypes that have no storage type of their own
    fn('torch._utils._rebuild_tensor_v3', (args, costs) => {
      const dtype = dtypeNamed(args[6] ?? null);
      checkFlags(args[7], costs);
      if (dtype === undefined) return costs.refuse(`tensors of ${keyText(args[6] ?? null)} are not read`);
      return rebuild(args, dtype, costs);
    }),
    fn('torch._utils._rebuild_parameter', first),
    fn('torch._utils._rebuild_parameter_with_state', first),
    fn('torch._utils._rebuild_device_tensor_from_numpy', first),
    fn('torch._utils._rebuild_device_tensor_from_cpu_tensor', first),
    // (function, type, arguments, state): a subclass of Tensor is its tensor
    ...['torch._tensor._rebuild_from_type_v2', 'torch._tensor._rebuild_from_type'].map((name) =>
      fn(name, ([make, , args], costs) =>
        make instanceof PythonFunction && make.name.startsWith('torch._utils.') && isList(args)
          ? make.call(args, costs)
          : costs.fail('a tensor of a subclass is not understood'),
      ),
    ),
  ];
}

/** A tensor may be kept as the negative or the conjugate of its storage. */
function checkFlags(metadata: TorchValue | undefined, { refuse }: PickleCosts): void {
  if (!isDict(metadata)) return;
  for (const [flag, value] of metadata)
    if (value === true) refuse(`a tensor with the flag '${keyText(flag)}' is not read`);
}

const isCount = (value: TorchValue | undefined): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function countsOf(value: TorchValue | undefined, { fail }: PickleCosts): number[] {
  if (!isList(value) || value.length > MOST_DIMENSIONS) return fail('the shape of a tensor is not understood');
  const counts = value.filter(isCount);
  return counts.length === value.length ? counts : fail('the shape of a tensor has something other than sizes');
}
