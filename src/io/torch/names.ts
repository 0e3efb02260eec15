// The names that a pickle of PyTorch's may use, and what each stands for here. Whatever is not in these tables is refused with a
// sentence that says what it was: a pickle that calls os.system, a whole nn.Module, an object of somebody's own class.
// Names in; functions that make plain values out. Must not know: layouts of files.

import { FormatError } from '../../tensor/library.js';
import type { StoredDType } from '../stored-dtype.js';
import { dtypeNamed } from './dtype-names.js';
import { NUMPY_TYPES, numpyNames } from './numpy.js';
import { ObjectDict, type PickleCosts, PythonFunction } from './pickle.js';
import { rebuildNames } from './rebuild.js';
import { PythonName, type TorchValue, isDict, isList, keyText } from './value.js';

/** The type of a storage: `torch.FloatStorage`. Untyped ones count bytes. */
export class StorageType extends PythonName {
  readonly dtype: StoredDType | 'untyped';
  constructor(name: string, dtype: StoredDType | 'untyped') {
    super(name);
    this.dtype = dtype;
  }
}

const STORAGE_DTYPES: Readonly<Record<string, StoredDType | 'untyped' | undefined>> = {
  Double: 'float64',
  Float: 'float32',
  Half: 'float16',
  BFloat16: 'bfloat16',
  Long: 'int64',
  Int: 'int32',
  Short: 'int16',
  Char: 'int8',
  Byte: 'uint8',
  Bool: 'bool',
  ComplexFloat: 'complex64',
  ComplexDouble: 'complex128',
  Untyped: 'untyped',
};

const fn = (name: string, call: PythonFunction['call']): PythonFunction => new PythonFunction(name, call);

/** The items of the first argument, of which a copy will be made. */
function copied(args: readonly TorchValue[], costs: PickleCosts, what: string): TorchValue[] {
  const [items] = args;
  if (items === undefined) return [];
  if (!(isList(items) || items instanceof Set)) return costs.fail(`${what} is made of what is no list`);
  const list = [...items];
  costs.spend(list.length);
  return list;
}

/** A dict of a dict, or of pairs. */
function dictOf(args: readonly TorchValue[], costs: PickleCosts, what: string): Map<TorchValue, TorchValue> {
  const [items] = args;
  if (isDict(items)) {
    costs.spend(items.size);
    return new Map(items);
  }
  const pairs = copied(args, costs, what).map((pair): [TorchValue, TorchValue] =>
    isList(pair) && pair.length === 2 ? [pair[0], pair[1]] : costs.fail(`${what} is made of what are no pairs`),
  );
  return new Map(pairs);
}

/** Objects that are nothing but their attributes. */
const OBJECTS = [
  'argparse.Namespace',
  'types.SimpleNamespace',
  'pytorch_lightning.utilities.parsing.AttributeDict',
  'lightning_fabric.utilities.data.AttributeDict',
  'lightning.fabric.utilities.data.AttributeDict',
];

const first: PythonFunction['call'] = ([value], { fail }) => value ?? fail('an argument is missing');
const nameOf =
  (what: string): PythonFunction['call'] =>
  (args) =>
    new PythonName(`${what}(${args.map((a) => (typeof a === 'string' ? `'${a}'` : keyText(a))).join(', ')})`);

const PLAIN: readonly PythonName[] = [
  fn('collections.OrderedDict', (args, costs) => dictOf(args, costs, 'a dict')),
  fn('collections.Counter', (args, costs) => dictOf(args, costs, 'a counter')),
  fn('collections.defaultdict', ([, ...args], costs) => dictOf(args, costs, 'a dict')),
  fn('collections.deque', (args, costs) => copied(args, costs, 'a deque')),
  fn('builtins.dict', (args, costs) => dictOf(args, costs, 'a dict')),
  fn('builtins.list', (args, costs) => copied(args, costs, 'a list')),
  fn('builtins.tuple', (args, costs) => Object.freeze(copied(args, costs, 'a tuple'))),
  fn('builtins.set', (args, costs) => new Set(copied(args, costs, 'a set'))),
  fn('builtins.frozenset', (args, costs) => new Set(copied(args, costs, 'a set'))),
  fn('builtins.bytes', bytesOf),
  fn('builtins.bytearray', bytesOf),
  fn('builtins.complex', nameOf('complex')),
  fn('builtins.slice', nameOf('slice')),
  fn('builtins.range', nameOf('range')),
  // bytes in protocol 2 are a text, one character each
  fn('_codecs.encode', bytesOf),
  fn('copyreg._reconstructor', ([type], costs) =>
    type instanceof PythonFunction && OBJECTS.includes(type.name)
      ? new ObjectDict()
      : costs.fail('an object of an unknown class is made'),
  ),
  ...['PosixPath', 'WindowsPath', 'PurePosixPath', 'PureWindowsPath', 'Path'].map((name) =>
    fn(`pathlib.${name}`, (parts) => parts.map(keyText).join('/').replace(/^\/\//, '/')),
  ),
  fn('datetime.datetime', ([packed], costs) => dateOf(packed, 10, costs)),
  fn('datetime.date', ([packed], costs) => dateOf(packed, 4, costs)),
  fn('datetime.timedelta', nameOf('datetime.timedelta')),
  fn('datetime.timezone', nameOf('datetime.timezone')),
  ...OBJECTS.map((name) => fn(name, () => new ObjectDict())),
  ...['int', 'float', 'str', 'bool', 'object'].map((name) => new PythonName(`builtins.${name}`)),
  fn('torch.Size', (args, costs) => Object.freeze(copied(args, costs, 'a size'))),
  fn('torch.device', (args) => new PythonName(`device('${args.map(keyText).join(':')}')`)),
  fn('torch.serialization._get_layout', ([name], { fail }) =>
    typeof name === 'string' ? new PythonName(name) : fail('a layout has no name'),
  ),
  fn('torch.torch_version.TorchVersion', first),
  // TorchScript
  ...['intlist', 'doublelist', 'boollist', 'tensorlist'].map((name) => fn(`torch.jit._pickle.build_${name}`, first)),
  fn('torch.jit._pickle.restore_type_tag', first),
  ...['torch.Tensor', 'torch.nn.parameter.Parameter', 'torch.nn.parameter.Buffer', 'torch.strided'].map(
    (name) => new PythonName(name),
  ),
];

/** A date and time as ISO 8601 has it, of Python's packed bytes: year, month, day, hour, minute, second, microseconds. */
function dateOf(packed: TorchValue | undefined, length: number, costs: PickleCosts): string {
  const bytes = packed === undefined ? undefined : bytesOf([packed], costs);
  if (bytes?.length !== length) return costs.fail('a date is not understood');
  const two = (i: number): string => String(i === 2 ? bytes[2] & 127 : bytes[i]).padStart(2, '0');
  const date = `${String(bytes[0] * 256 + bytes[1]).padStart(4, '0')}-${two(2)}-${two(3)}`;
  if (length === 4) return date;
  const micros = bytes[7] * 65_536 + bytes[8] * 256 + bytes[9];
  return `${date}T${two(4)}:${two(5)}:${two(6)}${micros === 0 ? '' : `.${String(micros).padStart(6, '0')}`}`;
}

function bytesOf([value]: readonly TorchValue[], costs: PickleCosts): Uint8Array {
  if (value === undefined) return new Uint8Array(0);
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'string') return costs.fail('bytes are made of what is no text');
  costs.spend(value.length);
  return Uint8Array.from(value, (character) => character.charCodeAt(0) & 0xff);
}

/** What is known and not read: the name, and what it is. */
const UNREAD: Readonly<Record<string, string | undefined>> = {
  'torch._utils._rebuild_qtensor': 'a quantised tensor',
  'torch._utils._rebuild_sparse_tensor': 'a sparse tensor',
  'torch._utils._rebuild_sparse_csr_tensor': 'a sparse tensor',
  'torch._utils._rebuild_nested_tensor': 'a nested tensor',
  'torch._utils._rebuild_meta_tensor_no_storage': 'a tensor without numbers (device meta)',
  'torch._utils._rebuild_wrapper_subclass': 'a tensor of a subclass',
  'torch.storage._load_from_bytes': 'a tensor that pickle.dump has written, not torch.save,',
};

/** Names by module and name. TorchScript's classes are objects with attributes. */
export function namesOf(
  file: string | undefined,
  fileSize: number,
  isScript: boolean,
): (module: string, name: string, at: number) => PythonName {
  const table = new Map<string, PythonName>();
  for (const known of [...PLAIN, ...numpyNames(file), ...rebuildNames(fileSize)]) table.set(known.name, known);
  return (module, name, at) => {
    const full = `${module}.${name}`
      .replace(/^__builtin__\./, 'builtins.')
      .replace(/^copy_reg\./, 'copyreg.')
      .replace(/^numpy\._core\./, 'numpy.core.');
    const known = table.get(full);
    if (known !== undefined) return known;
    const storage = /^torch\.(?:cuda\.|storage\.)?(\w+)Storage$/.exec(full);
    const dtype = storage === null ? undefined : STORAGE_DTYPES[storage[1]];
    if (dtype !== undefined) return new StorageType(full, dtype);
    if (/^torch\.\w+$/.test(full) && dtypeNamed(new PythonName(full)) !== undefined) return new PythonName(full);
    if (NUMPY_TYPES.test(full)) return new PythonName(full);
    if (isScript && full.startsWith('__torch__.')) return fn(full, () => new ObjectDict());
    throw refusal(full, file, at);
  };
}

function refusal(name: string, file: string | undefined, at: number): FormatError {
  const where = file === undefined ? 'loadTorch' : `loadTorch: ${file}`;
  const unread = UNREAD[name];
  const last = name.slice(name.lastIndexOf('.') + 1);
  let text: string;
  if (unread !== undefined) {
    text = `${where}: it holds ${unread} (${name}, at byte ${at} of the pickle), which is not read. Save it in PyTorch as a plain tensor.`;
  } else if (name.startsWith('torch.nn.') || name.startsWith('__torch__.')) {
    text = `${where}: a whole module was saved (${name}, at byte ${at} of the pickle), and that is code, which is not read from files. Save its weights alone in PyTorch: torch.save(model.state_dict(), 'weights.pt').`;
  } else if (/^[A-Z]/.test(last)) {
    text = `${where}: it holds an object of the class ${name} (at byte ${at} of the pickle), and classes are code, which is not read from files. Save plain values and state dicts in PyTorch: torch.save(model.state_dict(), 'weights.pt').`;
  } else {
    text = `${where}: the pickle asks for ${name} (at byte ${at}), which is not among the names that data need. Nothing was run; do not load this file elsewhere unless you trust it.`;
  }
  return new FormatError(text, file, at);
}
