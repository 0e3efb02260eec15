// Readers of binary formats: against files that NumPy wrote, small files made by hand, and each of the ways to be wrong.
import { gzipSync, zlibSync } from 'fflate';
import { expect, test } from 'vitest';
import fixture from '../../../test/fixtures/data.json' with { type: 'json' };
import { FormatError } from '../../tensor/library.js';
import { parseCifar10, parseCifar100 } from './cifar.js';
import { crc32, portableCrc32 } from '../../io/formats/crc32.js';
import { npyField } from '../npy-field.js';
import { readNpy, readNpz } from '../read.js';
import { decompress, gunzip, streamInflate } from '../../io/formats/gzip.js';
import { parseIdx } from './idx.js';
import { parseNpy, parseNpz } from '../../io/formats/npy.js';
import { parseTar } from './tar.js';
import { parseZip } from '../../io/formats/zip.js';

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));
const idx = (type: number, sizes: number[], data: number[]): Uint8Array =>
  Uint8Array.of(
    0,
    0,
    type,
    sizes.length,
    ...sizes.flatMap((n) => [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255]),
    ...data,
  );

/** The FormatError that `run` throws. */
async function fault(run: () => unknown): Promise<FormatError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

test('idx: every type of number', () => {
  expect(parseIdx(idx(8, [2, 2], [1, 2, 3, 255]))).toEqual({ data: Uint8Array.of(1, 2, 3, 255), shape: [2, 2] });
  expect(parseIdx(idx(9, [2], [255, 1])).data).toEqual(Int8Array.of(-1, 1));
  expect(parseIdx(idx(0x0b, [2], [0xff, 0xfe, 1, 0])).data).toEqual(Int16Array.of(-2, 256));
  expect(parseIdx(idx(0x0c, [1], [0xff, 0xff, 0xff, 0xfe])).data).toEqual(Int32Array.of(-2));
  expect(parseIdx(idx(0x0d, [1], [0x3f, 0xc0, 0, 0])).data).toEqual(Float32Array.of(1.5));
  expect(parseIdx(idx(0x0e, [1], [0x3f, 0xf8, 0, 0, 0, 0, 0, 0])).data).toEqual(Float64Array.of(1.5));
  expect(parseIdx(idx(8, [], [7]))).toEqual({ data: Uint8Array.of(7), shape: [] });
});

test('idx: faults with path and offset, and nothing allocated for a false claim', async () => {
  const cut = await fault(() => parseIdx(idx(8, [2, 2], [1, 2, 3]), 'a/b.idx'));
  expect(cut.message).toBe(
    'idx: a/b.idx: [2, 2] needs 16 bytes, and the file ends before that (at byte 15). The file is damaged or not in this format.',
  );
  expect([cut.path, cut.offset]).toEqual(['a/b.idx', 15]);
  expect((await fault(() => parseIdx(idx(8, [1], [1, 2])))).offset).toBe(9);
  expect((await fault(() => parseIdx(idx(7, [1], [1])))).message).toMatch('no type of number 0x07');
  expect((await fault(() => parseIdx(Uint8Array.of(1, 0, 8, 0)))).message).toMatch('the first two bytes are not 0');
  expect((await fault(() => parseIdx(Uint8Array.of(0, 0)))).message).toMatch('too few for a header');
  expect((await fault(() => parseIdx(Uint8Array.of(0, 0, 8, 3, 0, 0)))).message).toMatch('before its 3 sizes');
  expect(await fault(() => parseIdx(idx(0x0e, [-1, -1, -1], [])))).toBeInstanceOf(FormatError);
});

test('cifar: records of labels and colours', async () => {
  const record = (labels: number[], fill: number) => [...labels, ...new Array<number>(3072).fill(fill)];
  const ten = parseCifar10(Uint8Array.from([...record([3], 1), ...record([9], 2)]));
  expect([[...ten.labels], ten.images.length, ten.images[0], ten.images[3072]]).toEqual([[3, 9], 6144, 1, 2]);
  const hundred = parseCifar100(Uint8Array.from(record([19, 99], 5)));
  expect([[...hundred.coarseLabels], [...hundred.labels], hundred.images[0]]).toEqual([[19], [99], 5]);
  const label = await fault(() => parseCifar10(Uint8Array.from([...record([3], 1), ...record([10], 2)]), 'x.bin'));
  expect([label.offset, label.path]).toEqual([3073, 'x.bin']);
  expect(label.message).toMatch('the label of image 1 is 10, of 10');
  expect((await fault(() => parseCifar10(new Uint8Array(3072)))).message).toMatch('3072 bytes are not a whole number');
  expect(await fault(() => parseCifar10(new Uint8Array(0)))).toBeInstanceOf(FormatError);
});

test('gzip: known by its bytes, bounded by its claim, on both ways to unpack it', async () => {
  const content = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
  const packed = gzipSync(content);
  expect(await decompress(packed)).toEqual(content);
  expect(await decompress(content)).toBe(content);
  expect(await streamInflate(packed, content.length)).toEqual(content);
  expect(await decompress(gzipSync(new Uint8Array(0)))).toEqual(new Uint8Array(0));
  expect(await streamInflate(packed, 4999).catch(() => 'too long')).toBe('too long');
  const twice = Uint8Array.from([...packed, ...packed]);
  expect((await fault(() => gunzip(twice))).message).toMatch('several gzip files in a row need maxBytes');
  expect((await gunzip(twice, { maxBytes: 20_000 })).length).toBe(10_000);
  const claim = packed.slice();
  claim.set([0xff, 0xff, 0xff, 0x7f], packed.length - 4);
  expect((await fault(() => gunzip(claim))).message).toMatch('cannot hold the claimed 2147483647');
  const bomb = gzipSync(new Uint8Array(1 << 22));
  bomb.set([10, 0, 0, 0], bomb.length - 4);
  expect((await fault(() => gunzip(bomb, { path: 'bomb.gz' }))).message).toMatch('longer than the claimed 10 bytes');
  const damaged = packed.slice();
  damaged[20] ^= 0x55;
  expect((await fault(() => gunzip(damaged))).message).toMatch('the compressed data are not valid');
  expect(await fault(() => gunzip(packed.subarray(0, 40)))).toBeInstanceOf(FormatError);
  expect((await fault(() => gunzip(packed.subarray(0, 5)))).message).toMatch('5 bytes are too few');
  for (const sum of [crc32, portableCrc32]) expect(sum(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
});

test.each(fixture.files.npy.map((file, i) => [i, file.dtype, file] as const))(
  'npy %i: %s as NumPy wrote it',
  (_, dtype, { bytes, shape, values }) => {
    const array = parseNpy(bytesOf(bytes));
    expect([array.dtype, array.shape]).toEqual([dtype, shape]);
    const number = (v: string) => (v === 'inf' ? Infinity : v === '-inf' ? -Infinity : Number(v));
    expect(
      Array.from(array.data as ArrayLike<number | bigint>, (v) => (typeof v === 'bigint' ? String(v) : v)),
    ).toEqual(values.map((v) => (dtype.endsWith('int64') ? v : number(v))));
  },
);

test('npy: headers as NumPy reads them, not only as it writes them', () => {
  const file = (header: string, version = 1): Uint8Array => {
    const text = new TextEncoder().encode(header);
    const length = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
    return Uint8Array.of(0x93, ...new TextEncoder().encode('NUMPY'), version, 0, ...length, ...text, 1, 2, 3, 4, 5, 6);
  };
  for (const header of [
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2L, 3L), }",
    "{'shape': (2, 3L,), 'fortran_order': False, 'descr': '|u1'}",
    '{"descr": "|u1", "fortran_order": False, "shape": (2, 3)}',
    `{'descr':"|u1",'fortran_order':False,'shape':(2,3)}`,
    "  {  'descr'  :  '|u1'  ,\t'fortran_order' : False , 'shape' : ( 2 , 3 , ) , }  \n",
  ])
    for (const version of [1, 2, 3]) expect(parseNpy(file(header, version)).shape).toEqual([2, 3]);
  expect(parseNpy(file("{'descr': '|u1', 'fortran_order': False, 'shape': (6,), }")).shape).toEqual([6]);
  for (const shape of ['(6)', '(2LL, 3)', '(L, 6)', '(2, , 3)', '(2 3,)', '[2, 3]', '6', '(-6,)'])
    expect(() => parseNpy(file(`{'descr': '|u1', 'fortran_order': False, 'shape': ${shape}}`))).toThrow(FormatError);
  for (const descr of [`'|u1"`, `"|u1'`]) {
    const header = `{'descr': ${descr}, 'fortran_order': False, 'shape': (6,)}`;
    expect(() => parseNpy(file(header))).toThrow(FormatError);
  }
});

test('npy: fields of a dataset, and what is refused', async () => {
  const files = fixture.files;
  const [bytes] = files.npy;
  expect(npyField(parseNpy(bytesOf(bytes.bytes)))).toEqual({ data: Uint8Array.of(0, 1, 2, 250, 100, 7), shape: [3] });
  expect(npyField({ dtype: 'int64', shape: [2], data: BigInt64Array.of(-3n, 4n) })).toEqual({
    data: Int32Array.of(-3, 4),
    shape: [],
  });
  const wide = await fault(() => npyField({ dtype: 'int64', shape: [1], data: BigInt64Array.of(1n << 40n) }));
  expect(wide.message).toMatch('which int32 cannot hold');
  expect((await fault(() => parseNpy(bytesOf(files.text)))).message).toMatch("type '<U2': only booleans");
  expect((await fault(() => parseNpy(bytesOf(files.records)))).message).toMatch('arrays of records are not read');
  expect((await fault(() => parseNpy(bytesOf(files.complex)))).message).toMatch("type '<c8'");
  expect((await fault(() => parseNpy(bytesOf(files.objects)))).message).toMatch('pickled objects are not read');
  const whole = bytesOf(bytes.bytes);
  const cut = await fault(() => parseNpy(whole.subarray(0, -1), 'w.npy'));
  expect([cut.path, cut.offset]).toEqual(['w.npy', whole.length - 1]);
  expect((await fault(() => parseNpy(Uint8Array.from([...whole, 0])))).offset).toBe(whole.length);
  expect((await fault(() => parseNpy(new Uint8Array(20)))).message).toMatch('does not begin with');
});

test('npz: stored and deflated, checked by their sums', async () => {
  for (const file of [fixture.files.npz, fixture.files.npzCompressed]) {
    const bytes = bytesOf(file);
    const { weights, labels } = await parseNpz(bytes);
    expect([weights.shape, weights.data]).toEqual([[2, 3], Float32Array.of(0, 1, 2, 3, 4, 5)]);
    expect(labels.data).toEqual(BigInt64Array.of(7n, -1n));
    bytes[90] ^= 1;
    expect((await fault(() => parseNpz(bytes, 'a.npz'))).message).toMatch(/'weights.npy'/);
  }
  expect((await fault(() => parseZip(new Uint8Array(100)))).message).toMatch('no directory of an archive');
  expect(await fault(() => parseZip(zlibSync(new Uint8Array(10))))).toBeInstanceOf(FormatError);
});

/** An archive with one file. */
function tar(name: string, content: Uint8Array): Uint8Array {
  const header = new Uint8Array(512);
  const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(124, content.length.toString(8).padStart(11, '0'));
  put(156, '0');
  put(257, 'ustar');
  put(148, '        ');
  put(
    148,
    `${header
      .reduce((a, b) => a + b, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
  );
  return Uint8Array.from([...header, ...content, ...new Uint8Array(512 - (content.length % 512) + 1024)]);
}

test('tar: plain files by name', async () => {
  const archive = tar('folder/a.bin', Uint8Array.of(1, 2, 3));
  expect([...parseTar(archive)]).toEqual([['folder/a.bin', Uint8Array.of(1, 2, 3)]]);
  expect((await fault(() => parseTar(archive.subarray(0, 514)))).message).toMatch(
    'a file of 3 bytes goes beyond the end',
  );
  expect((await fault(() => parseTar(archive.with(5, 0)))).message).toMatch('does not match its checksum');
  expect((await fault(() => parseTar(archive.subarray(0, 100)))).message).toMatch('the last header is cut');
});

test('maxBytes holds for plain files, gzip and the arrays of an npz, before anything is unpacked', async () => {
  const [npz, packed] = [bytesOf(fixture.files.npz), bytesOf(fixture.files.npzCompressed)];
  const sizes = [...(await parseZip(packed)).values()].reduce((sum, { length }) => sum + length, 0);
  for (const source of [npz, packed, gzipSync(packed)]) {
    const most = Math.max(sizes, packed.length, npz.length);
    expect(Object.keys(await readNpz(source, { maxBytes: most })).length).toBeGreaterThan(0);
    const message = (await fault(() => readNpz(source, { maxBytes: sizes - 1 }))).message;
    expect(message).toMatch(/more than maxBytes \(\d+\)|longer than maxBytes/);
  }
  const npy = bytesOf(fixture.files.npy[0].bytes);
  expect((await fault(() => readNpy(npy, { maxBytes: npy.length - 1 }))).message).toMatch('more than maxBytes');
  expect((await fault(() => readNpy(gzipSync(npy), { maxBytes: 3 }))).message).toMatch('longer than maxBytes (3)');
});
