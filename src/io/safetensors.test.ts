// safetensors: a file of PyTorch's, round trips, hand-made faults with their offsets, and random damage, which has to
// end in a FormatError or in the right numbers.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { FormatError, setDevice, tensor, zeros } from '../index.js';
import { FROM_PYTORCH } from '../../test/fixtures/safetensors-from-pytorch.js';
import { type NamedArray, formatSafetensors, loadSafetensors, parseSafetensors, saveSafetensors } from './index.js';

beforeAll(() => setDevice('reference'));

/** A file with this header and this many bytes of data. */
function file(header: unknown, dataSize = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataSize);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const entry = (dtype: string, shape: readonly number[], begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

test('reads what PyTorch writes', () => {
  const { tensors, metadata } = parseSafetensors(Uint8Array.from(atob(FROM_PYTORCH), (c) => c.charCodeAt(0)));
  expect(metadata).toEqual({ format: 'pt' });
  const seen = Object.fromEntries(Object.entries(tensors).map(([k, t]) => [k, [t.dtype, t.shape, [...t.data]]]));
  expect(seen).toEqual({
    w: ['float32', [2, 3], [1.5, -2, Math.fround(3e-40), Infinity, -0, Math.fround(1 / 3)]],
    n: ['int32', [], [7]],
    i: ['int32', [2], [-(2 ** 31), 2 ** 31 - 1]],
    b: ['bool', [3], [1, 0, 1]],
    h: ['float16', [5], [0.333251953125, 65504, 2 ** -24, Infinity, -2.5]],
    g: ['bfloat16', [3], [0.333984375, Math.fround(3.00405527047391e38), -2.5]],
    d: ['float64', [1], [0.1]],
    s: ['int32', [1], [-300]],
    u: ['uint8', [1], [200]],
    e: ['float32', [0, 3], []],
  });
});

test('wide and narrow numbers: what fits becomes int32, float8 becomes float32, complex numbers are refused', () => {
  const data = (dtype: string, ...bytes: number[]) => {
    const header = file({ w: entry(dtype, [1], 0, bytes.length) }, bytes.length);
    header.set(bytes, header.length - bytes.length);
    return () => parseSafetensors(header).tensors['w'];
  };
  const [u32, u64] = [data('U32', 7, 1, 0, 0), data('U64', 7, 1, 0, 0, 0, 0, 0, 0)];
  expect([u32().dtype, u32().data, u64().data]).toEqual(['int32', Int32Array.of(263), Int32Array.of(263)]);
  expect(data('U32', 0, 0, 0, 0x80)).toThrow(/element 0 of tensor "w" is no int32/);
  expect([data('F8_E4M3', 0x7e)().data, data('F8_E5M2', 0xc0)().data]).toEqual([
    Float32Array.of(448),
    Float32Array.of(-2),
  ]);
  expect(data('C64', 0, 0, 0, 0, 0, 0, 0, 0)).toThrow(/tensor "w" has complex numbers/);
});

const named = fc.dictionary(
  fc.string({ maxLength: 8 }).filter((name) => name !== '__metadata__'),
  fc.oneof(
    fc.float32Array({ maxLength: 6 }).map((data): NamedArray => ({ dtype: 'float32', shape: [data.length], data })),
    fc.int32Array({ maxLength: 6 }).map((data): NamedArray => ({ dtype: 'int32', shape: [1, data.length, 1], data })),
    fc
      .array(fc.integer({ min: 0, max: 1 }), { maxLength: 6 })
      .map((bits): NamedArray => ({ dtype: 'bool', shape: [bits.length], data: Uint8Array.from(bits) })),
  ),
  { maxKeys: 5 },
);

test('what is written is read again, bit for bit', () => {
  fc.assert(
    fc.property(named, fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }), (tensors, metadata) => {
      const bytes = formatSafetensors(tensors, metadata);
      const read = parseSafetensors(bytes);
      expect({ ...read.metadata }).toEqual({ ...metadata });
      expect(Object.entries(read.tensors)).toEqual(Object.entries(tensors));
      const shifted = new Uint8Array(bytes.length + 3); // a view that begins at an odd address
      shifted.set(bytes, 3);
      expect(parseSafetensors(shifted.subarray(3))).toEqual(read);
    }),
  );
});

describe('damage', () => {
  const cases: [fault: string, bytes: Uint8Array, message: RegExp, offset: number | `data+${number}`][] = [
    ['an empty file', new Uint8Array(0), /0 bytes are too few/, 0],
    ['a header beyond the file', file('{}').subarray(0, 9), /a header of 2 bytes does not fit a file of 9/, 0],
    ['a huge header', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x7f), /is too long/, 0],
    ['no JSON', file('{"a"'), /the header is not JSON/, 8],
    ['no UTF-8', file({}).map((b, i) => (i === 8 ? 0xff : b)), /the header is not JSON/, 8],
    ['no object', file([1]), /the header is not an object/, 8],
    ['no description', file({ w: 3 }), /tensor "w" has no description/, 8],
    ['an unknown dtype', file({ w: entry('F4', [1], 0, 1) }, 1), /dtype "F4", known are F64/, 8],
    ['a dtype of the prototype', file({ w: entry('constructor', [1], 0, 1) }, 1), /dtype "constructor"/, 8],
    ['a negative size', file({ w: entry('F32', [-1], 0, 4) }, 4), /shape \[-1\]/, 8],
    ['a fraction as size', file({ w: entry('F32', [0.5], 0, 2) }, 2), /shape \[0.5\]/, 8],
    ['offsets backwards', file({ w: entry('F32', [0], 4, 0) }, 4), /offsets \[4,0\]/, 8],
    ['an end beyond the data', file({ w: entry('F32', [2], 0, 8) }, 4), /tensor "w" ends at 8, the data at 4/, 8],
    ['a shape of another size', file({ w: entry('F32', [3], 0, 8) }, 8), /takes 12 bytes, its offsets span 8/, 8],
    ['a shape beyond counting', file({ w: entry('F32', [2 ** 40, 2 ** 40], 0, 4) }, 4), /its offsets span 4/, 8],
    ['a tensor twice', file('{"w":{},"w":{}}'), /the header has "w" twice/, 8],
    ['a tensor twice, spelt in two ways', file('{"w":{},"\\u0077" :{}}'), /the header has "w" twice/, 8],
    ['a field twice', file('{"w":{"dtype":"F32","dtype":"I32"}}'), /the header has "dtype" twice/, 8],
    ['metadata twice', file('{"__metadata__":{"a":"1","b":"\\"a\\":","a":"2"}}'), /the header has "a" twice/, 8],
    ['metadata that is no text', file({ __metadata__: { a: 1 } }), /metadata is not a record of texts/, 8],
    [
      'overlapping tensors',
      file({ a: entry('F32', [2], 0, 8), b: entry('F32', [1], 4, 8) }, 8),
      /tensors "a" and "b" overlap/,
      'data+4',
    ],
    [
      'bytes before',
      file({ a: entry('F32', [1], 4, 8) }, 8),
      /4 bytes before tensor "a" belong to no tensor/,
      'data+0',
    ],
    ['bytes after', file({ a: entry('F32', [1], 0, 4) }, 5), /the last 1 bytes belong to no tensor/, 'data+4'],
    [
      'a truth value of 2',
      file({ a: entry('BOOL', [1], 0, 1) }, 1).map((b, i, { length }) => (i === length - 1 ? 2 : b)),
      /element 0 of tensor "a" is no bool/,
      'data+0',
    ],
    [
      'an int64 too large',
      file({ a: entry('I64', [1], 0, 8) }, 8).map((b, i, { length }) => (i === length - 1 ? 1 : b)),
      /element 0 of tensor "a" is no int32/,
      'data+0',
    ],
  ];
  test.each(cases)('%s', (_fault, bytes, message, offset) => {
    const start = bytes.length < 8 ? 0 : 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const at = typeof offset === 'number' ? offset : start + Number(offset.slice('data+'.length));
    const read = () => parseSafetensors(bytes, 'model.safetensors');
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
    try {
      read();
    } catch (error) {
      expect(error).toMatchObject({ path: 'model.safetensors', offset: at });
      expect((error as Error).message).toMatch(
        /^safetensors: model\.safetensors: .*\(at byte \d+\)\. The file is damaged/,
      );
    }
  });

  test('any damage ends in a FormatError or leaves names and shapes that fit the bytes', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
    fc.assert(
      fc.property(named, damage, fc.option(fc.nat()), (tensors, changes, cut) => {
        const whole = formatSafetensors(tensors);
        for (const [at, value] of changes) whole[at % whole.length] = value;
        const bytes = cut === null ? whole : whole.slice(0, cut % (whole.length + 1));
        let read: ReturnType<typeof parseSafetensors>;
        try {
          read = parseSafetensors(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
          return;
        }
        const width = {
          float32: [4],
          float64: [8],
          float16: [2],
          bfloat16: [2],
          int32: [1, 2, 4, 8],
          uint8: [1],
          bool: [1],
        };
        let most = 0;
        for (const { dtype, shape, data } of Object.values(read.tensors)) {
          expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
          most += data.length * Math.min(...width[dtype]);
        }
        expect(most).toBeLessThanOrEqual(bytes.length);
        if (changes.length === 0 && cut === null) expect(read.tensors).toEqual(tensors);
      }),
      { numRuns: 2000 },
    );
  });
});

test('files: tensors there and back, replaced as a whole, faults with their path', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-io-'));
  try {
    const path = join(folder, 'w.safetensors');
    const tensors = {
      'a.weight': tensor([[1, 2.5]]),
      'a.count': zeros([], { dtype: 'int32' }),
      mask: tensor([true, false]),
    };
    await saveSafetensors(path, tensors, { note: 'x' });
    const loaded = await loadSafetensors(path);
    expect(loaded.metadata).toEqual({ note: 'x' });
    expect(Object.keys(loaded.tensors)).toEqual(Object.keys(tensors));
    expect(await loaded.tensors['a.weight'].array()).toEqual([[1, 2.5]]);
    expect([loaded.tensors['a.count'].dtype, await loaded.tensors['a.count'].item()]).toEqual(['int32', 0]);
    expect(await loaded.tensors.mask.array()).toEqual([true, false]);
    const before = readFileSync(path);
    const nowhere = join(folder, 'none', 'w');
    await expect(saveSafetensors(nowhere, tensors)).rejects.toEqual(
      expect.objectContaining({
        name: 'NablaError',
        code: 'ENOENT',
        message: `saveSafetensors: ${nowhere} cannot be written (there is no such file or folder).`,
      }),
    );
    await expect(loadSafetensors(nowhere)).rejects.toEqual(
      expect.objectContaining({
        name: 'NablaError',
        code: 'ENOENT',
        message: `loadSafetensors: ${nowhere} cannot be read (there is no such file or folder).`,
      }),
    );
    await expect(loadSafetensors(folder)).rejects.toEqual(
      expect.objectContaining({
        name: 'NablaError',
        code: 'EISDIR',
        message: `loadSafetensors: ${folder} cannot be read (it is a folder).`,
      }),
    );
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(folder)).toEqual(['w.safetensors']); // no temporary file is left
    writeFileSync(path, before.subarray(0, 20));
    await expect(loadSafetensors(path)).rejects.toThrow(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
