// Readers against damaged files: each gets 10,000 mutations of small files. The outcome must be a FormatError or data that
// agree with the file's own claim; no other error, and no memory beyond what the file's size allows.
// NABLA_FUZZ_SEED repeats a run; the seed is in the name of a test that fails. NABLA_FUZZ_COUNT: mutations a reader.
import { gzipSync } from 'fflate';
import { expect, test } from 'vitest';
import fixture from '../../../test/fixtures/data.json' with { type: 'json' };
import { watchAllocations } from '../../../test/support/allocations.js';
import { mutate } from '../../../test/support/mutate.js';
import { FormatError, sizeOf } from '../../tensor/library.js';
import { HostRandom } from '../../tensor/host-random.js';
import { parseCifar10, parseCifar100 } from './cifar.js';
import { crc32 } from '../../io/formats/crc32.js';
import { parseCsv } from './csv.js';
import { gunzip } from '../../io/formats/gzip.js';
import { parseIdx } from './idx.js';
import { parseNpy, parseNpz } from '../../io/formats/npy.js';
import { parseTar } from './tar.js';
import { parseZip } from '../../io/formats/zip.js';

const MUTATIONS = Number(process.env['NABLA_FUZZ_COUNT'] ?? 10_000);
const seed = Number(process.env['NABLA_FUZZ_SEED'] ?? Date.now() % 1_000_000);

const allocations = watchAllocations();

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

interface Reader {
  readonly files: readonly Uint8Array[];
  /** Reads and checks what it got. */
  read(bytes: Uint8Array, original: Uint8Array): unknown;
  /** Bytes that may be asked for at once, for each byte of the file. */
  readonly ratio: number;
}

const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, ...new Array<number>(24).fill(9));
const idxFloat = Uint8Array.of(0, 0, 0x0d, 2, 0, 0, 0, 2, 0, 0, 0, 2, ...new Array<number>(16).fill(63));
const content = Uint8Array.from({ length: 300 }, (_, i) => (i * i) % 23);
const zips = [bytesOf(fixture.files.npz), bytesOf(fixture.files.npzCompressed)];
const csv = 'name,size,kind\r\n"a, ""b""",1.5,x\n,NA,y\r"multi\nline",-3e2,z\n';

const READERS: Readonly<Record<string, Reader>> = {
  idx: {
    files: [idx, idxFloat],
    ratio: 2,
    read: (bytes) => {
      const { data, shape } = parseIdx(bytes);
      expect(data.length).toBe(sizeOf(shape));
      expect(4 + 4 * shape.length + data.byteLength).toBe(bytes.length);
    },
  },
  'cifar-10': {
    files: [Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? 4 : i % 256))],
    ratio: 4,
    read: (bytes) => {
      const { images, labels } = parseCifar10(bytes);
      expect(images.length).toBe(3072 * labels.length);
      expect(labels.every((label) => label < 10)).toBe(true);
    },
  },
  'cifar-100': {
    files: [Uint8Array.from({ length: 3074 }, (_, i) => (i < 2 ? 4 : i % 256))],
    ratio: 4,
    read: (bytes) => {
      const { images, labels, coarseLabels } = parseCifar100(bytes);
      expect([images.length, coarseLabels.length]).toEqual([3072 * labels.length, labels.length]);
    },
  },
  csv: {
    files: [new TextEncoder().encode(csv)],
    ratio: 8,
    read: (bytes) => {
      const table = parseCsv(bytes);
      for (const name of table.names) expect(table.column(name).values.length).toBe(table.length);
    },
  },
  npy: {
    files: fixture.files.npy.map(({ bytes }) => bytesOf(bytes)),
    ratio: 2,
    read: (bytes) => {
      const { data, shape } = parseNpy(bytes);
      expect(data.length).toBe(sizeOf(shape));
    },
  },
  zip: {
    files: zips,
    ratio: 1032,
    read: async (bytes) => {
      for (const file of (await parseZip(bytes)).values()) crc32(file);
    },
  },
  npz: {
    files: zips,
    ratio: 1032,
    read: async (bytes) => {
      for (const { data, shape } of Object.values(await parseNpz(bytes))) expect(data.length).toBe(sizeOf(shape));
    },
  },
  tar: {
    files: [tarOf(content)],
    ratio: 2,
    read: (bytes) => {
      for (const file of parseTar(bytes).values()) expect(file.length).toBeLessThan(bytes.length);
    },
  },
  gzip: {
    files: [gzipSync(content, { mtime: 0 })],
    ratio: 1032,
    read: async (bytes) => expect(await gunzip(bytes)).toEqual(new Uint8Array(content)),
  },
};

function tarOf(data: Uint8Array): Uint8Array {
  const archive = new Uint8Array(2048);
  const put = (at: number, text: string) => archive.set(new TextEncoder().encode(text), at);
  put(0, 'data.bin');
  put(124, data.length.toString(8).padStart(11, '0'));
  put(156, '0');
  put(148, '        ');
  put(
    148,
    `${archive
      .reduce((a, b) => a + b, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
  );
  archive.set(data, 512);
  return archive;
}

test.each(Object.entries(READERS))(`%s survives ${MUTATIONS} mutations (seed ${seed})`, async (name, reader) => {
  let [refused, read] = [0, 0];
  for (let i = 0; i < MUTATIONS; i++) {
    const original = reader.files[i % reader.files.length];
    const bytes = mutate(original, new HostRandom(seed, i));
    allocations.largest = 0;
    try {
      await reader.read(bytes, original);
      read++;
    } catch (error) {
      if (!(error instanceof FormatError))
        throw new Error(`${name}, seed ${seed}, mutation ${i}: ${String(error)}`, { cause: error });
      refused++;
    }
    if (allocations.largest > reader.ratio * bytes.length + 4096)
      throw new Error(
        `${name}, seed ${seed}, mutation ${i}: ${allocations.largest} bytes asked for by ${bytes.length}`,
      );
  }
  expect(refused).toBeGreaterThan(0);
  expect(read + refused).toBe(MUTATIONS);
});

test('what is asked for is noticed', () => {
  allocations.largest = 0;
  expect([new Uint8Array(5000).length, Float64Array.from({ length: 700 }).length]).toEqual([5000, 700]);
  expect(allocations.largest).toBe(5600);
});
