// Files that PyTorch wrote, in every layout, against what torch.load makes of them; what is refused, and what is bounded.
import { existsSync, readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import fixture from '../../../test/fixtures/torch-files.json' with { type: 'json' };
import { watchAllocations } from '../../../test/support/allocations.js';
import { type Part, bytesOfBase64, described, pickleOf, u32 } from '../../../test/support/torch-files.js';
import { ArgumentError, DTypeError, FormatError, setDevice } from '../../index.js';
import { type TorchFile, loadTorch } from './load-torch.js';

setDevice('reference');
const allocations = watchAllocations();

const file = (name: keyof typeof fixture.read): Uint8Array => bytesOfBase64(fixture.read[name].file);
const script = (name: string): boolean => name.startsWith('torchscript');

/** What a file throws when all of it is read. */
async function refusal(bytes: Uint8Array): Promise<Error> {
  try {
    await described((await loadTorch(bytes)).value);
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

test.each(Object.entries(fixture.read).filter(([name]) => !script(name)))('%s', async (_, { file: base64, value }) => {
  expect(await described((await loadTorch(bytesOfBase64(base64))).value)).toEqual(value);
});

test.each(Object.entries(fixture.read).filter(([name]) => script(name)))(
  '%s',
  async (name, { file: base64, value }) => {
    const loaded = await loadTorch(bytesOfBase64(base64));
    expect(loaded.layout).toBe('torchscript');
    const stored = Object.entries(loaded.stored()).filter(([key]) => !key.startsWith('CONSTANTS.'));
    const dict: unknown[] = [];
    for (const [key, tensor] of stored) dict.push([key, await described(tensor)]);
    const byKey = (entries: readonly unknown[]) => new Map(entries as [string, unknown][]);
    expect(byKey(dict)).toEqual(byKey((value as { dict: unknown[] }).dict));
    // What was computed while tracing is a constant.
    if (name.endsWith('traced'))
      expect(await described(loaded.at('CONSTANTS', 'c0') ?? null)).toMatchObject({ data: [0.5] });
  },
);

test.each(Object.entries(fixture.refuse))('refused: %s', async (_, { file: base64, says }) => {
  const error = await refusal(bytesOfBase64(base64));
  expect(error.message).toContain(says);
  expect(error.message).toMatch(/^(loadTorch|zip): .*\.$/s);
});

test('nothing that a pickle names is run', () => {
  expect(existsSync('/tmp/nabla-was-here')).toBe(false);
});

test('sentences of what is refused', async () => {
  const says = async (name: keyof typeof fixture.refuse) =>
    (await refusal(bytesOfBase64(fixture.refuse[name].file))).message;
  expect(await says('os.system, zip')).toMatch(
    /^loadTorch: the pickle asks for posix\.system \(at byte \d+\), which is not among the names that data need\. Nothing was run; do not load this file elsewhere unless you trust it\.$/,
  );
  expect(await says('a module, zip')).toMatch(
    /^loadTorch: a whole module was saved \(torch\.nn\.modules\.container\.Sequential, at byte \d+ of the pickle\), and that is code, which is not read from files\. Save its weights alone in PyTorch: torch\.save\(model\.state_dict\(\), 'weights\.pt'\)\.$/,
  );
});

describe('values without casts', () => {
  let checkpoint: TorchFile;
  test('by keys', async () => {
    checkpoint = await loadTorch(file('checkpoint, zip'));
    expect(checkpoint.layout).toBe('zip');
    expect(checkpoint.at('epoch')).toBe(1);
    expect(checkpoint.at('optimizer_state_dict', 'param_groups', 0, 'lr')).toBe(0.01);
    expect(checkpoint.at('optimizer_state_dict', 'state', 0, 'step')).toBeDefined();
    expect(checkpoint.at('nothing', 'there')).toBeUndefined();
  });
  test('tensors by dotted keys', async () => {
    const stored = checkpoint.stored('model_state_dict');
    expect(Object.keys(stored).join(' ')).toBe(
      '0.weight 0.bias 1.weight 1.bias 1.running_mean 1.running_var 1.num_batches_tracked 3.weight 3.bias',
    );
    expect([stored['0.weight'].dtype, stored['0.weight'].shape, stored['0.weight'].byteLength]).toEqual([
      'float32',
      [4, 3],
      48,
    ]);
    const tensors = await checkpoint.tensors('model_state_dict');
    expect([tensors['1.num_batches_tracked'].dtype, await tensors['1.num_batches_tracked'].item()]).toEqual([
      'int32',
      1,
    ]);
    expect(Object.keys(checkpoint.stored())).toContain('optimizer_state_dict.state.0.exp_avg');
    expect(() => checkpoint.stored('weights')).toThrow(
      new ArgumentError(
        `stored: the file has nothing called 'weights'. There are epoch, model_state_dict, optimizer_state_dict, scheduler.`,
      ),
    );
  });
  test('dtypes', async () => {
    const stored = (await loadTorch(file('dtypes, zip'))).stored();
    expect((await stored['int64'].tensor()).dtype).toBe('int32');
    expect((await stored['float16'].tensor()).dtype).toBe('float16');
    expect((await stored['float8_e5m2'].tensor({ dtype: 'float16' })).dtype).toBe('float16');
    expect(await (await stored['uint32'].tensor({ dtype: 'float64' })).array()).toEqual([4294967295]);
    await expect(stored['uint32'].tensor()).rejects.toThrow(
      `tensor 'uint32': element 0 is 4294967295 (uint32), which int32 cannot hold. Ask for dtype 'float32' or 'float64'.`,
    );
    await expect(stored['complex64'].tensor()).rejects.toThrow(DTypeError);
    await expect(stored['complex64'].tensor()).rejects.toThrow(
      `tensor 'complex64': complex numbers (complex64) are no dtype here. Read data(), which has real and imaginary parts in turn.`,
    );
  });
});

test('a file in another byte order', async () => {
  const numbers = pickleOf(
    0x80,
    2,
    'ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x02tQK\x00K\x02\x85K\x01\x85\x89N',
    'tR.',
  );
  const zip = (order: string, data: number[]) =>
    zipSync({ 'a/data.pkl': numbers, 'a/byteorder': pickleOf(order), 'a/data/0': Uint8Array.from(data) }, { level: 0 });
  const read = async (bytes: Uint8Array) => described((await loadTorch(bytes)).value);
  const wanted = { tensor: 'float32', shape: [2], data: [1.5, -2] };
  expect(await read(zip('little', [0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0]))).toEqual(wanted);
  expect(await read(zip('big', [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0]))).toEqual(wanted);
});

describe('pickles made by hand', () => {
  const read = async (...parts: Part[]) => (await loadTorch(pickleOf(0x80, 2, ...parts))).value;
  const damaged = async (...parts: Part[]) => (await refusal(pickleOf(0x80, 2, ...parts))).message;

  test('a list in itself', async () => {
    const loaded = await loadTorch(pickleOf(0x80, 2, ']q\x00h\x00a.'));
    expect(loaded.at(0, 0, 0)).toBe(loaded.value);
    expect(loaded.stored()).toEqual({});
  });
  test('texts of Python 2 and of protocol 0', async () => {
    expect(await read("(U\x02\xc3\xa9U\x01\xffS'a\\x41\\n\"'\nVx\\u00e9\xe9\nt.")).toEqual([
      'é',
      expect.objectContaining({ 0: 255, length: 1 }),
      'aA\n"',
      'xéé',
    ]);
    expect(await read('(I01\nI00\nI-7\nL12345678901234567890L\nF0.5\nFinf\nt.')).toEqual([
      true,
      false,
      -7,
      12345678901234567890n,
      0.5,
      Infinity,
    ]);
  });
  const cases: [string, Part[], RegExp][] = [
    ['eval', ['cbuiltins\neval\n.'], /the pickle asks for builtins\.eval/],
    ['eval of Python 2', ['c__builtin__\neval\n.'], /the pickle asks for builtins\.eval/],
    ['a name in two texts', ['U\x02osU\x06system\x93.'], /the pickle asks for os\.system/],
    ['getattr', ['cbuiltins\ngetattr\n.'], /the pickle asks for builtins\.getattr/],
    [
      'an attribute of an allowed name',
      ['ccollections\nOrderedDict.fromkeys\n.'],
      /asks for collections\.OrderedDict\.fromkeys/,
    ],
    ['prototypes', ['c__proto__\nconstructor\n.'], /asks for __proto__\.constructor/],
    [
      'an extension',
      ['\x82\x01.'],
      /the pickle uses the opcode EXT1, which is not read, since data have no use for it \(at byte 2 of the pickle\)/,
    ],
    ['an old class', ['(iposix\nsystem\n.'], /the opcode INST/],
    ['an object', ['(o.'], /the opcode OBJ/],
    ['no opcode', ['\xfe.'], /0xfe is no opcode/],
    ['nothing', ['.'], /the stack is empty/],
    ['the end', [']'], /the pickle ends before it is complete/],
    ['a text of 2⁶³ bytes', ['\x8d', 0, 0, 0, 0, 0, 0, 0, 0x80, '.'], /the pickle ends before it is complete/],
    ['bytes of 4 GiB', ['B', u32(0xffffffff), 'x.'], /the pickle ends before it is complete/],
    ['a number of 16 MiB', ['\x8b', u32(1 << 24), '.'], /a whole number of 16777216 bytes is not plausible/],
    ['a memo that is empty', ['h\x05.'], /the memo has no 5/],
    ['no mark', [']e.'], /there is no mark/],
    ['a call of a text', ['U\x01x)R.'], /"x" cannot be called/],
    ['a call of a type', ['ctorch\nfloat32\n)R.'], /torch\.float32 cannot be called/],
    ['a list that is a tuple', [')Na.'], /items are appended to what is no list/],
    ['half an item', ['}(Nu.'], /a key has no value/],
    ['another protocol', ['\x80\x09.'], /protocol 9 of pickles is not known/],
    ['a storage of nothing', ['NQ.'], /a reference to what is no storage/],
  ];
  test.each(cases)('%s', async (_, parts, message) => {
    expect(await damaged(...parts)).toMatch(message);
  });

  test('a state that is copied again and again', async () => {
    const many = `(${'K\x01'.repeat(20_000)}l`;
    const calls = `q\x00${'0cbuiltins\nlist\nh\x00\x85R'.repeat(2000)}`;
    expect(await damaged(many, calls, '.')).toMatch(/copies the same values again and again/);
  });

  test('lists of lists, thirty times twice the same', async () => {
    const loaded = await loadTorch(
      pickleOf(
        0x80,
        2,
        ')q\x00',
        Array.from(
          { length: 30 },
          (_, i) => `h${String.fromCharCode(i)}h${String.fromCharCode(i)}\x86q${String.fromCharCode(i + 1)}`,
        ),
        '.',
      ),
    );
    expect(() => loaded.stored()).toThrow(/more than 2000000 values/);
  });

  test('a hundred thousand lists in one another', async () => {
    const loaded = await loadTorch(pickleOf(0x80, 2, ']'.repeat(100_000), 'a'.repeat(99_999), '.'));
    expect(() => loaded.stored()).toThrow(/nested more than 200 deep/);
  });
});

test('a storage that is in no layout', async () => {
  const pickle = pickleOf(0x80, 2, '(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x01NtQ.');
  expect((await refusal(pickle)).message).toContain("storage '0', which a tensor is kept in, is missing");
});

describe('tensors that do not fit their storage', () => {
  const tensorOf = (elements: number, offset: number, shape: string, strides: string, bytes = 16): Uint8Array =>
    zipSync(
      {
        'a/data.pkl': pickleOf(
          0x80,
          2,
          'ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuJ',
          u32(elements),
          'tQJ',
          u32(offset),
          shape,
          strides,
          '\x89NtR.',
        ),
        'a/data/0': new Uint8Array(bytes),
      },
      { level: 0 },
    );
  const two = (a: number, b: number): string =>
    `J${String.fromCharCode(...u32(a))}J${String.fromCharCode(...u32(b))}\x86`;
  const cases: [string, Uint8Array, RegExp][] = [
    [
      'too long',
      tensorOf(4, 0, two(2, 3), two(3, 1)),
      /a tensor \[2, 3\] of float32 reaches to byte 24 of its storage, which has 16/,
    ],
    ['too late', tensorOf(4, 3, two(1, 2), two(2, 1)), /reaches to byte 20/],
    ['before the beginning', tensorOf(4, -1, two(1, 2), two(2, 1)), /the offset of a tensor is no whole number/],
    ['sizes below 0', tensorOf(4, 0, two(-2, 3), two(3, 1)), /something other than sizes/],
    ['strides below 0', tensorOf(4, 0, two(2, 2), two(-1, 1)), /something other than sizes/],
    [
      'a storage that is longer than its member',
      tensorOf(400, 0, two(2, 2), two(2, 1)),
      /'a\/data\/0' has 16 bytes, and its storage 1600/,
    ],
    [
      'one number 2⁵⁰ times',
      tensorOf(4, 0, two(1 << 25, 1 << 25), two(0, 0)),
      /would take \d+ bytes, of a file of \d+/,
    ],
    ['one number 2²⁸ times', tensorOf(4, 0, two(1 << 14, 1 << 14), two(0, 0)), /would take 1073741824 bytes/],
  ];
  test.each(cases)('%s', async (_, bytes, message) => {
    allocations.largest = 0;
    expect((await refusal(bytes)).message).toMatch(message);
    expect(allocations.largest).toBeLessThan(10_000);
  });
});

// More files with what they hold: set NABLA_MODELS to the folder that has them.
const models = process.env['NABLA_MODELS'];
const folder = `${models}/formats/torch-save`;
describe.skipIf(models === undefined)('the files of NABLA_MODELS (skipped where it is not set)', () => {
  const expected =
    models === undefined
      ? {}
      : (JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as Record<string, Record<string, unknown>>);
  /** Its notation has sizes, and truth values and infinities of tensors otherwise. */
  const wanted = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(wanted);
    const { tensor, size, data } = value as Record<string, unknown>;
    if (size !== undefined) return { tuple: size };
    if (tensor === undefined) return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, wanted(v)]));
    const number = (v: unknown) => {
      if (typeof v === 'string') return { float: v };
      return typeof v === 'number' && !Number.isSafeInteger(v) && tensor === 'int64' ? expect.anything() : Number(v);
    };
    return { ...value, data: (data as unknown[]).map(number) };
  };
  test.each(Object.keys(expected['read'] ?? {}))('%s', async (name) => {
    const { value } = expected['read'][name] as { value: unknown };
    const seen = await described((await loadTorch(`${folder}/${name}`)).value);
    expect(seen).toEqual(wanted(value) instanceof Object ? replaceBig(wanted(value)) : wanted(value));
  });
  test.each(Object.keys(expected['refuse'] ?? {}))('refused: %s', async (name) => {
    await expect(loadTorch(`${folder}/${name}`)).rejects.toThrow(FormatError);
  });
});

/** Whole numbers beyond 2⁵³ as the fixtures have them. */
function replaceBig(value: unknown): unknown {
  if (typeof value === 'number' && Math.abs(value) > 2 ** 53 && Number.isInteger(value) && Math.abs(value) < 1e30)
    return { int: BigInt(value).toString() };
  if (Array.isArray(value)) return value.map(replaceBig);
  if (typeof value !== 'object' || value === null || 'asymmetricMatch' in value || 'tensor' in value) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, replaceBig(v)]));
}
